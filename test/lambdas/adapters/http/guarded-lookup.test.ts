import { afterEach, describe, expect, it } from 'vitest';
import {
  guardedLookup,
  type Resolve,
  resolveByDns,
} from '../../../../lambdas/adapters/http/guarded-lookup.ts';
import { createSafeHttp } from '../../../../lambdas/adapters/http/safe-http.ts';
import { isPublicAddress } from '../../../../lambdas/domain/http/public-address.ts';
import { startDns } from './dns-server.ts';
import { cert, startHttps } from './far-side.ts';

const opened: { close: () => void }[] = [];
afterEach(() => {
  for (const { close } of opened.splice(0)) close();
});

const PUBLIC = ['93.184.215.14', '2606:4700:4700::1111'];
const INWARD = [
  '127.0.0.1',
  '10.0.0.1',
  '169.254.169.254',
  '0.0.0.0',
  '::1',
  '::ffff:7f00:1',
  'fd00:ec2::254',
  '64:ff9b::7f00:1',
];

function lookup(addresses: string[], options: { all?: boolean; family?: 4 | 6 }) {
  return new Promise((resolve, reject) => {
    guardedLookup(async () => addresses, isPublicAddress)('name.test', options, (error, address, family) =>
      error ? reject(error) : resolve(options.all ? address : { address, family }),
    );
  });
}

async function dns(answer: Parameters<typeof startDns>[0]): Promise<Resolve> {
  const server = await startDns(answer);
  opened.push(server);
  return resolveByDns(server.resolver);
}

async function receiver(host?: string) {
  const side = await startHttps((_request, response) => response.end('reached'), host);
  opened.push(side);
  return side;
}

function post(
  resolve: Resolve,
  url: string,
  { allowLoopback = false, signal }: { allowLoopback?: boolean; signal?: AbortSignal } = {},
) {
  const safeHttp = createSafeHttp({ allowLoopback, ca: cert, resolve });
  opened.push(safeHttp);
  const limits = { timeoutMs: 10_000, maxBodyBytes: 1_024, keepBytes: 1_024 };
  return safeHttp.request({ method: 'POST', url, headers: { connection: 'close' }, signal, ...limits });
}

describe('the guarded lookup', () => {
  it('returns all public addresses of a mixed answer, and none of the others', async () => {
    expect(await lookup([...INWARD, ...PUBLIC, ...INWARD], { all: true })).toEqual([
      { address: PUBLIC[0], family: 4 },
      { address: PUBLIC[1], family: 6 },
    ]);
  });

  it('returns the first public address where one is asked for', async () => {
    expect(await lookup([...INWARD, ...PUBLIC], {})).toEqual({ address: PUBLIC[0], family: 4 });
    expect(await lookup([...INWARD, ...PUBLIC], { family: 6 })).toEqual({ address: PUBLIC[1], family: 6 });
  });

  it.each([{ all: true }, { all: false }, { all: true, family: 4 as const }])(
    'refuses a name without a public address, asked with %j',
    async (options) => {
      for (const addresses of [INWARD, [], ['no address'], ['127.1']]) {
        await expect(lookup(addresses, options)).rejects.toMatchObject({ class: 'address_refused' });
      }
    },
  );
});

describe('a name in DNS', () => {
  it('resolves to its A records and then its AAAA records', async () => {
    const resolve = await dns(() => ['2606:4700:4700::1111', '93.184.215.14']);
    expect(await resolve('receiver.test')).toEqual(['93.184.215.14', '2606:4700:4700::1111']);
  });

  it('resolves when it has AAAA records only', async () => {
    const resolve = await dns(() => ['2606:4700:4700::1111']);
    expect(await resolve('receiver.test')).toEqual(['2606:4700:4700::1111']);
  });

  it('resolves to its A records where the server never answers for AAAA', async () => {
    // The resolver itself would wait for longer than a test may take.
    const server = await startDns((_name, type) => (type === 'A' ? ['93.184.215.14'] : 'silence'), 600_000);
    opened.push(server);
    expect(await resolveByDns(server.resolver)('receiver.test')).toEqual(['93.184.215.14']);
  });

  it.each([
    ['is unknown', undefined, 'ENOTFOUND'],
    ['has no address', [], 'ENODATA'],
  ])('that %s is a DNS failure', async (_what, answer, code) => {
    const resolve = await dns(() => answer);
    await expect(post(resolve, 'https://receiver.test/')).rejects.toMatchObject({ class: 'dns', code });
  });

  it.each(INWARD)('that points to %s is not dialed', async (address) => {
    const { port, connections } = await receiver('::');
    const resolve = await dns(() => [address]);
    await expect(post(resolve, `https://receiver.test:${port}/`)).rejects.toMatchObject({
      class: 'address_refused',
    });
    expect(connections()).toBe(0);
  });
});

describe('a rebinding DNS', () => {
  it('that shows a public address to a check and loopback to the dial does not reach loopback', async () => {
    const { port, connections } = await receiver();
    const answers = [PUBLIC[0]!];
    const resolve = await dns((_name, type) => (type === 'A' ? [answers.shift() ?? '127.0.0.1'] : []));
    expect((await resolve('receiver.test')).every(isPublicAddress)).toBe(true);
    await expect(post(resolve, `https://receiver.test:${port}/`)).rejects.toMatchObject({
      class: 'address_refused',
    });
    expect(connections()).toBe(0);
    expect(
      (await post(async () => ['127.0.0.1'], `https://receiver.test:${port}/`, { allowLoopback: true }))
        .statusCode,
    ).toBe(200);
  });

  it('that answers a first attempt with a public address and later ones with loopback does not reach it', async () => {
    const { port, connections } = await receiver();
    const called = new AbortController();
    const resolve: Resolve = async () => {
      if (called.signal.aborted) return ['127.0.0.1'];
      // Calls the first attempt off before it dials: a test has no business on the internet.
      called.abort();
      return [PUBLIC[0]!];
    };
    const url = `https://receiver.test:${port}/`;
    await expect(post(resolve, url, { signal: called.signal })).rejects.toMatchObject({ class: 'aborted' });
    for (let attempt = 2; attempt <= 4; attempt++) {
      await expect(post(resolve, url)).rejects.toMatchObject({ class: 'address_refused' });
    }
    expect(connections()).toBe(0);
  });

  it('that moves from an admitted address to one of the same machine gets no further connection', async () => {
    const { port, connections } = await receiver('::');
    const answers = ['127.0.0.1', '0.0.0.0', '::', '::ffff:127.0.0.1'];
    const safeHttp = createSafeHttp({
      allowLoopback: true,
      ca: cert,
      resolve: async () => [answers.shift()!],
    });
    opened.push(safeHttp);
    const exchange = {
      method: 'POST',
      url: `https://receiver.test:${port}/`,
      headers: { connection: 'close' },
      timeoutMs: 10_000,
      maxBodyBytes: 1_024,
      keepBytes: 1_024,
    };
    expect((await safeHttp.request(exchange)).body.toString()).toBe('reached');
    while (answers.length > 0) {
      await expect(safeHttp.request(exchange)).rejects.toMatchObject({ class: 'address_refused' });
    }
    expect(connections()).toBe(1);
  });

  it('that mixes loopback into the answer has only the admitted addresses dialed', async () => {
    const { port } = await receiver();
    const mixed = async () => ['169.254.169.254', '10.0.0.1', '0.0.0.0', '127.0.0.1'];
    const { body } = await post(mixed, `https://receiver.test:${port}/`, { allowLoopback: true });
    expect(body.toString()).toBe('reached');
  });
});

it('an address in the URL is checked although it needs no lookup', async () => {
  const { port, connections } = await receiver();
  for (const host of ['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', 'localhost']) {
    await expect(post(async () => ['127.0.0.1'], `https://${host}:${port}/`)).rejects.toMatchObject({
      class: 'address_refused',
    });
  }
  expect(connections()).toBe(0);
});

it('plain http is kept to loopback even where its name resolves elsewhere', async () => {
  await expect(
    post(async () => PUBLIC, 'http://app.localhost/', { allowLoopback: true }),
  ).rejects.toMatchObject({
    class: 'address_refused',
  });
});
