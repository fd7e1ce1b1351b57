import { once } from 'node:events';
import type { Socket } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { ExchangeError } from '../../../../lambdas/adapters/http/exchange-error.ts';
import {
  createSafeHttp,
  type Exchange,
  type SafeHttp,
  type SafeHttpOptions,
} from '../../../../lambdas/adapters/http/safe-http.ts';
import { cert, type FarSide, startHttp, startHttps, startRaw } from './far-side.ts';

const opened: { close: () => void }[] = [];
afterEach(() => {
  for (const { close } of opened.splice(0)) close();
});

async function far(starting: Promise<FarSide>): Promise<FarSide> {
  const side = await starting;
  opened.push(side);
  return side;
}

function client(options: Partial<SafeHttpOptions> = {}): SafeHttp {
  const created = createSafeHttp({
    allowLoopback: true,
    ca: cert,
    resolve: async () => ['127.0.0.1'],
    ...options,
  });
  opened.push(created);
  return created;
}

const LIMITS = { maxBodyBytes: 65_536, keepBytes: 1_024 };

function post(safeHttp: SafeHttp, url: string, more: Partial<Exchange> = {}) {
  return safeHttp.request({ method: 'POST', url, body: '{}', timeoutMs: 10_000, ...LIMITS, ...more });
}

async function failure(exchange: Promise<unknown>): Promise<ExchangeError> {
  const error = await exchange.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ExchangeError);
  return error as ExchangeError;
}

const HEAD = 'HTTP/1.1 200 OK\r\n';

describe('an exchange', () => {
  it('sends the bytes as given and returns status, headers, body and duration', async () => {
    const bodies: string[] = [];
    const { port } = await far(
      startHttps(async (request, response) => {
        bodies.push(
          `${request.method} ${request.url} ${request.headers['webhook-id']} ${await text(request)}`,
        );
        response.writeHead(202, { 'x-answer': 'yes' }).end('thanks');
      }),
    );
    const answer = await post(client(), `https://receiver.test:${port}/hook?x=1`, {
      headers: { 'webhook-id': 'msg_1' },
      body: Buffer.from('{"ü":1}'),
    });
    expect(bodies).toEqual(['POST /hook?x=1 msg_1 {"ü":1}']);
    expect(answer).toMatchObject({ statusCode: 202, truncated: false });
    expect(answer.headers['x-answer']).toBe('yes');
    expect(answer.body.toString()).toBe('thanks');
  });

  it('asks for no compression and names the host of the URL, whatever headers are given', async () => {
    const { port } = await far(
      startHttp((request, response) => response.end(JSON.stringify(request.headersDistinct))),
    );
    const { body } = await post(client(), `http://localhost:${port}/`, {
      headers: { Host: 'internal.example', 'Accept-Encoding': 'gzip' },
    });
    expect(JSON.parse(body.toString())).toMatchObject({
      host: [`localhost:${port}`],
      'accept-encoding': ['identity'],
    });
  });

  it('uses a kept-alive connection again', async () => {
    const { port, connections } = await far(startHttps((_request, response) => response.end('ok')));
    const safeHttp = client();
    for (let i = 0; i < 3; i++) await post(safeHttp, `https://receiver.test:${port}/${i}`);
    expect(connections()).toBe(1);
  });

  it.each([301, 302, 303, 307, 308])('does not follow a redirect with %i', async (statusCode) => {
    const elsewhere = await far(startHttp((_request, response) => response.end('secret')));
    const targets = ['http://169.254.169.254/latest/meta-data/', `http://localhost:${elsewhere.port}/`];
    for (const location of targets) {
      const { port, connections } = await far(
        startHttps((_request, response) => response.writeHead(statusCode, { location }).end()),
      );
      const answer = await post(client(), `https://receiver.test:${port}/`);
      expect(answer).toMatchObject({ statusCode, headers: { location } });
      expect(connections()).toBe(1);
    }
    expect(elsewhere.connections()).toBe(0);
  });

  it('reaches IPv6 loopback by address and by name', async () => {
    const { port, connections } = await far(startHttps((_request, response) => response.end('six'), '::1'));
    const byAddress = await post(client(), `https://[::1]:${port}/`);
    const byName = await post(client({ resolve: async () => ['::1'] }), `https://receiver.test:${port}/`);
    expect([byAddress, byName].map(({ body }) => body.toString())).toEqual(['six', 'six']);
    expect(connections()).toBe(2);
  });

  it('tries the next admitted address when the first refuses', async () => {
    const { port } = await far(startHttps((_request, response) => response.end('six'), '::1'));
    const { body } = await post(
      client({ resolve: async () => ['127.0.0.1', '::1'] }),
      `https://receiver.test:${port}/`,
    );
    expect(body.toString()).toBe('six');
  });

  it('finds localhost without a resolver being given', async () => {
    const { port } = await far(startHttp((_request, response) => response.end('here')));
    const { body } = await post(client({ resolve: undefined }), `http://app.localhost:${port}/`);
    expect(body.toString()).toBe('here');
  });

  it('ends when its signal says so: before, during and after the headers', async () => {
    const { port, connections } = await far(
      startHttp((request, response) => {
        if (request.url === '/body') response.write('some');
        asked?.();
      }),
    );
    let asked: (() => void) | undefined;
    const url = `http://localhost:${port}`;
    expect(await failure(post(client(), url, { signal: AbortSignal.abort() }))).toMatchObject({
      class: 'aborted',
    });
    expect(connections()).toBe(0);
    for (const path of ['/headers', '/body']) {
      const controller = new AbortController();
      const arrived = new Promise<void>((resolve) => {
        asked = resolve;
      });
      const exchange = failure(post(client(), url + path, { signal: controller.signal }));
      await arrived;
      controller.abort();
      expect((await exchange).class).toBe('aborted');
    }
  });
});

describe('an answer', () => {
  it('is kept up to the limit and read to its end, so that the connection serves again', async () => {
    const { port, connections } = await far(
      startHttps((_request, response) => response.end('x'.repeat(50_000))),
    );
    const safeHttp = client();
    for (let i = 0; i < 2; i++) {
      const answer = await post(safeHttp, `https://receiver.test:${port}/`);
      expect(answer).toMatchObject({ statusCode: 200, truncated: true });
      expect(answer.body.toString()).toBe('x'.repeat(1_024));
    }
    expect(connections()).toBe(1);
  });

  it('of endless length is cut off: its status counts and the connection is destroyed', async () => {
    // One byte above the limit, and then silence: a reader that waited for another would run out of time.
    const { port, ended } = await far(
      startHttps((_request, response) => void response.write('x'.repeat(LIMITS.maxBodyBytes + 1))),
    );
    const answer = await post(client(), `https://receiver.test:${port}/`);
    await ended;
    expect(answer).toMatchObject({ statusCode: 200, truncated: true });
    expect(answer.body.length).toBe(1_024);
  });

  it('can be read as a stream, at the pace of its reader', async () => {
    const { port } = await far(
      startHttps((request, response) =>
        response.writeHead(206).end(`${request.headers.range} ${'x'.repeat(500_000)}`),
      ),
    );
    const { statusCode, message } = await client().open({
      method: 'GET',
      url: `https://receiver.test:${port}/video`,
      headers: { range: 'bytes=0-9' },
      timeoutMs: 10_000,
    });
    expect(statusCode).toBe(206);
    expect(await text(message)).toBe(`bytes=0-9 ${'x'.repeat(500_000)}`);
  });

  it('that breaks off in the stream is explained to its reader', async () => {
    const { port } = await far(
      startRaw((socket) => {
        socket.once('data', () => socket.end(`${HEAD}content-length: 100\r\n\r\nhalf`));
      }),
    );
    const { message, explain } = await client().open({
      method: 'GET',
      url: `http://localhost:${port}/`,
      timeoutMs: 10_000,
    });
    expect(await text(message).catch(explain)).toMatchObject({ class: 'reset' });
  });

  it('that breaks off while it is not read harms nothing', async () => {
    const { open, reset } = await halfAnswer();
    const { message } = await open();
    message.resume();
    reset();
    await new Promise((closed) => message.on('close', closed));
    expect(message.errored).toMatchObject({ class: 'reset' });
  });
});

describe('a time limit', () => {
  // Enough to get as far as the stage that it is to end.
  const limit = { timeoutMs: 1_000 };

  it('ends a name that never resolves', async () => {
    const stuck = client({ resolve: () => new Promise(() => {}) });
    const error = await failure(post(stuck, 'https://receiver.test/', limit));
    expect(error).toMatchObject({ class: 'dns', code: 'ETIMEDOUT' });
  });

  it('ends a TLS handshake that is never answered', async () => {
    const { port, ended } = await far(startRaw((socket) => socket.resume()));
    const error = await failure(post(client(), `https://receiver.test:${port}/`, limit));
    expect(error).toMatchObject({ class: 'timeout', message: expect.stringContaining('the TLS handshake') });
    await ended;
  });

  it.each([
    ['headers that never come', ''],
    ['interim answers without end', 'HTTP/1.1 102 Processing\r\n\r\n'],
  ])('ends %s', async (_what, start) => {
    const { port, ended } = await far(startRaw((socket) => drip(socket, start, start)));
    const error = await failure(post(client(), `http://localhost:${port}/`, limit));
    expect(error).toMatchObject({
      class: 'timeout',
      message: expect.stringContaining('headers'),
    });
    await ended;
  });

  it.each([
    ['never comes', ''],
    ['drips in', 'x'],
  ])('ends a body that %s, and the status counts', async (_what, drop) => {
    const { port, ended } = await far(
      startRaw((socket) => drip(socket, `${HEAD}content-length: 5000\r\n\r\n`, drop)),
    );
    expect(await post(client(), `http://localhost:${port}/`, limit)).toMatchObject({
      statusCode: 200,
      truncated: true,
    });
    await ended;
  });

  it('of headers leaves the body alone', async () => {
    const { port } = await far(
      startHttp((_request, response) => {
        response.flushHeaders();
        finish = () => response.end('late');
      }),
    );
    let finish = () => {};
    const limits = { method: 'GET', headersTimeoutMs: 1_000, timeoutMs: 10_000 };
    const { message } = await client().open({ ...limits, url: `http://localhost:${port}/` });
    const silent = await far(startRaw(() => {}));
    const error = await failure(client().open({ ...limits, url: `http://localhost:${silent.port}/` }));
    expect(error).toMatchObject({ class: 'timeout', message: expect.stringContaining('1000 ms') });
    finish();
    expect(await text(message)).toBe('late');
  });

  it('ends the wait for one of the bounded connections to an origin, and other origins have their own', async () => {
    const busy = await far(startHttp(() => {}));
    const free = await far(startHttp((_request, response) => response.end('free')));
    const safeHttp = client();
    const controller = new AbortController();
    const stalled = Array.from({ length: 64 }, () =>
      failure(post(safeHttp, `http://localhost:${busy.port}/`, { signal: controller.signal })),
    );
    const error = await failure(post(safeHttp, `http://localhost:${busy.port}/`, limit));
    expect(error).toMatchObject({ class: 'timeout', message: expect.stringContaining('a free connection') });
    expect((await post(safeHttp, `http://localhost:${free.port}/`)).body.toString()).toBe('free');
    controller.abort();
    await Promise.all(stalled);
    expect(busy.connections()).toBe(64);
  });
});

describe('a connection', () => {
  it('that is refused has another class than one that is reset', async () => {
    const gone = await startHttp(() => {});
    gone.close();
    const error = await failure(post(client(), `https://receiver.test:${gone.port}/`));
    expect(error).toMatchObject({ class: 'connect_refused', code: 'ECONNREFUSED' });
  });

  it('that is reset within the TLS handshake', async () => {
    const { port } = await far(startRaw((socket) => socket.once('data', () => socket.resetAndDestroy())));
    expect(await failure(post(client(), `https://receiver.test:${port}/`))).toMatchObject({ class: 'reset' });
  });

  it.each([
    ['before the headers', ''],
    ['within the status line', 'HTTP/1.1 20'],
  ])('that is closed %s', async (_when, sent) => {
    const { port } = await far(startRaw((socket) => socket.once('data', () => socket.end(sent))));
    const error = await failure(post(client(), `http://localhost:${port}/`));
    expect(error).toMatchObject({ class: 'reset' });
  });

  it.each([
    ['within the headers', `${HEAD}content-le`, ''],
    ['within a body with a length', `${HEAD}content-length: 100\r\n\r\nhalf`, 'half'],
    ['within a chunked body', `${HEAD}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n`, 'half'],
  ])('that is closed %s leaves the status and what came of the body', async (_when, sent, body) => {
    const { port } = await far(startRaw((socket) => socket.once('data', () => socket.end(sent))));
    const answer = await post(client(), `http://localhost:${port}/`);
    expect(answer).toMatchObject({ statusCode: 200, truncated: true });
    expect(String(answer.body)).toBe(body);
  });

  it.each([
    ['before the headers', ''],
    ['within the status line', 'HTTP/1.1 20'],
  ])('that is reset %s', async (_when, sent) => {
    const { port } = await far(
      startRaw((socket) => socket.once('data', () => socket.write(sent, () => socket.resetAndDestroy()))),
    );
    const error = await failure(post(client(), `http://localhost:${port}/`));
    expect(error).toMatchObject({ class: 'reset' });
  });

  it('that is reset within the body', async () => {
    const { open, reset } = await halfAnswer();
    const { message, explain } = await open();
    const [half] = await once(message, 'data');
    expect(String(half)).toBe('half');
    reset();
    expect(await text(message).catch(explain)).toMatchObject({ class: 'reset' });
  });

  it.each([
    ['before any byte of the answer', ''],
    ['after the first byte', 'HTTP/1.1 2'],
  ])('that was kept alive and is closed %s is not used again', async (_when, sent) => {
    const { port, connections } = await far(
      startRaw((socket) => {
        socket.once('data', () => {
          socket.write(`${HEAD}content-length: 2\r\n\r\nok`);
          socket.once('data', () => socket.end(sent));
        });
      }),
    );
    const safeHttp = client();
    await post(safeHttp, `http://localhost:${port}/`);
    expect(await failure(post(safeHttp, `http://localhost:${port}/`))).toMatchObject({ class: 'reset' });
    expect(connections()).toBe(1);
    await post(safeHttp, `http://localhost:${port}/`);
    expect(connections()).toBe(2);
  });

  it('whose answer is no HTTP is a protocol error', async () => {
    const sent = 'SSH-2.0-OpenSSH_9.6\r\n';
    const { port } = await far(startRaw((socket) => socket.once('data', () => socket.write(sent))));
    expect(await failure(post(client(), `http://localhost:${port}/`))).toMatchObject({ class: 'protocol' });
  });

  it.each([
    ['has too many headers', `${HEAD}${'x-long: 0123456789abcdef\r\n'.repeat(2_000)}\r\n`],
    [
      'has both a length and chunks',
      `${HEAD}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['has a broken chunk', `${HEAD}transfer-encoding: chunked\r\n\r\nzz\r\n`],
    ['has two lengths', `${HEAD}content-length: 4\r\ncontent-length: 5\r\n\r\nbody`],
    ['comes after an interim one', `HTTP/1.1 103 Early Hints\r\n\r\n${HEAD}content-length: x\r\n\r\n`],
  ])('whose answer %s is answered by its status line, and not used again', async (_what, sent) => {
    const { port, ended } = await far(startRaw((socket) => socket.once('data', () => socket.write(sent))));
    expect(await post(client(), `http://localhost:${port}/`)).toMatchObject({ statusCode: 200 });
    await ended;
  });

  it('that is switched to another protocol fails', async () => {
    const sent = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: raw\r\n\r\n';
    const { port, ended } = await far(startRaw((socket) => socket.once('data', () => socket.write(sent))));
    expect(await failure(post(client(), `http://localhost:${port}/`))).toMatchObject({ class: 'protocol' });
    await ended;
  });

  it('is never begun with a header that would split the request', async () => {
    const { port, connections } = await far(startHttp((_request, response) => response.end()));
    const error = await failure(
      post(client(), `http://localhost:${port}/`, { headers: { 'x-a': 'b\r\nx-c: d' } }),
    );
    expect(error).toMatchObject({ class: 'protocol', code: 'ERR_INVALID_CHAR' });
    expect(connections()).toBe(0);
  });
});

describe('a certificate', () => {
  it.each([
    ['is signed by an unknown issuer', 'receiver.test', {}, { ca: undefined }],
    ['is for another name', 'other.test', {}, {}],
    ['is for the name in a custom host header only', 'other.test', { Host: 'receiver.test' }, {}],
  ])('that %s is refused before a byte is sent', async (_what, host, headers, options) => {
    let asked = false;
    const { port } = await far(
      startHttps((_request, response) => {
        asked = true;
        response.end();
      }),
    );
    const error = await failure(post(client(options), `https://${host}:${port}/`, { headers }));
    expect(error.class).toBe('tls');
    expect(asked).toBe(false);
  });

  it('is missed where the far side speaks no TLS', async () => {
    const { port } = await far(startHttp((_request, response) => response.end()));
    expect(await failure(post(client(), `https://receiver.test:${port}/`))).toMatchObject({ class: 'tls' });
  });
});

describe('an error', () => {
  it('gives away neither path nor query nor headers nor body nor answer', async () => {
    const secret = 's3cr3t';
    const raw = (sent: string) =>
      far(startRaw((socket) => socket.once('data', () => socket.write(sent, () => socket.end()))));
    const garbage = await raw(`${secret}\r\n\r\n`);
    const silent = await far(startRaw(() => {}));
    const targets = [
      `http://localhost:${garbage.port}`,
      `http://localhost:${silent.port}`,
      `https://receiver.test:${garbage.port}`,
      'https://10.0.0.1',
      `https://me:${secret}@receiver.test`,
    ];
    for (const target of targets) {
      const error = await failure(
        post(client(), `${target}/${secret}?sig=${secret}`, {
          headers: { authorization: secret },
          body: secret,
          timeoutMs: 200,
        }),
      );
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    }
  });
});

/** A far side that answers with half a body, and resets the connection when told to. */
async function halfAnswer() {
  let reset = () => {};
  const { port } = await far(
    startRaw((socket) => {
      reset = () => socket.resetAndDestroy();
      socket.once('data', () => socket.write(`${HEAD}content-length: 100\r\n\r\nhalf`));
    }),
  );
  const exchange = { method: 'GET', url: `http://localhost:${port}/`, timeoutMs: 10_000 };
  return { open: () => client().open(exchange), reset: () => reset() };
}

/** Answers the first bytes with `start`, and then with one `drop` after the other. */
function drip(socket: Socket, start: string, drop: string): void {
  socket.once('data', () => {
    socket.write(start);
    const timer = setInterval(() => socket.write(drop), 10);
    socket.on('close', () => clearInterval(timer));
  });
}

async function text(message: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
