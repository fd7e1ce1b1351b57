import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type CommandLine, openCommandLine, valuesOf } from './command-line.ts';

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const KEY = pathOf('../lambdas/adapters/http/test-only-key.pem');
/** For localhost and 127.0.0.1, self-signed. */
const CERT = pathOf('../lambdas/adapters/http/test-only-cert.pem');
/** The same, of the year 2020. */
const EXPIRED = pathOf('./expired-test-only-cert.pem');

let cli: CommandLine;
const servers: Server[] = [];

beforeAll(async () => {
  cli = await openCommandLine();
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});
afterAll(() => cli?.close());

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server);
  await once(server.listen(0, host), 'listening');
  return (server.address() as AddressInfo).port;
}

const overTls = (cert: string, host?: string) =>
  listening(
    createHttpsServer({ key: readFileSync(KEY), cert: readFileSync(cert) }, (_request, response) =>
      response.end('{"items": []}'),
    ),
    host,
  );
const overHttp = (listener: RequestListener) => listening(createHttpServer(listener));
const json =
  (status: number, body: unknown): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

/** Runs a command against an address, which is to fail with one sentence and no stack trace. */
async function failing(url: string, args: readonly string[], env: Record<string, string> = {}) {
  const { code, stdout, stderr } = await cli.run([...args, '--url', url, '--key', 'k'], { env });
  expect(stdout).toBe('');
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  return { code, said: stderr.trimEnd() };
}

test('an expired certificate is named', async () => {
  const url = `https://127.0.0.1:${await overTls(EXPIRED)}`;
  expect(await failing(url, ['requests'], { NODE_EXTRA_CA_CERTS: EXPIRED })).toEqual({
    code: 1,
    said: `${url} cannot be reached. Its certificate has expired: renew it.`,
  });
});

test('a self-signed certificate is named, and is trusted by NODE_EXTRA_CA_CERTS', async () => {
  const url = `https://127.0.0.1:${await overTls(CERT)}`;
  expect(await failing(url, ['requests'])).toEqual({
    code: 1,
    said: `${url} cannot be reached. Its certificate is self-signed: name the file of its issuer in NODE_EXTRA_CA_CERTS.`,
  });
  const trusting = await cli.run(['requests', '--url', url, '--key', 'k'], {
    env: { NODE_EXTRA_CA_CERTS: CERT },
  });
  expect(trusting).toMatchObject({ code: 0, stderr: '' });
});

test('a certificate for another host is named', async () => {
  const url = `https://127.0.0.2:${await overTls(CERT, '127.0.0.2')}`;
  expect((await failing(url, ['requests'], { NODE_EXTRA_CA_CERTS: CERT })).said).toContain(
    'Its certificate is for another host name: check the address.',
  );
});

test('https where http is spoken is named, and the reverse is a closed connection', async () => {
  const plain = await overHttp(json(200, { items: [] }));
  expect((await failing(`https://127.0.0.1:${plain}`, ['requests'])).said).toContain('does not speak TLS');
  const tls = await overTls(CERT);
  expect((await failing(`http://127.0.0.1:${tls}`, ['requests'])).said).toContain(
    'cannot be reached: other side closed. Check the address',
  );
});

test('a host that is not there is named', async () => {
  const { code, said } = await failing('https://bridge.invalid', ['requests']);
  expect(code).toBe(1);
  expect(said).toMatch(/^https:\/\/bridge\.invalid cannot be reached\. .*(host)/);
});

test('a wrong key is named, with where to give another one', async () => {
  const port = await overHttp(json(401, { type: 'about:blank', title: 'Unauthorized', detail: 'No.' }));
  expect(await failing(`http://127.0.0.1:${port}`, ['requests'])).toEqual({
    code: 4,
    said: `http://127.0.0.1:${port} does not know the key. Give another one by --key or BRIDGE_API_KEY, or run topaz-bridge login.`,
  });
});

test.each<[string, string[], RequestListener]>([
  [
    'lacks a call',
    ['login', 'old'],
    json(404, { type: 'about:blank', title: 'Not Found', status: 404, detail: 'There is no /v1/whoami.' }),
  ],
  ['answers in another form', ['requests'], json(200, { requests: [] })],
  ['answers with less', ['show', randomUUID()], json(200, {})],
])('a bridge of another version that %s is recognized', async (_name, args, listener) => {
  const port = await overHttp(listener);
  const { said } = await failing(`http://127.0.0.1:${port}`, args);
  expect(said).toContain('may be of another version than this command line: update the older one');
});

test('an address that ends with /v1 is named, with the one to give', async () => {
  const detail = 'There is no /v1/v1/requests.';
  const port = await overHttp(json(404, { type: 'about:blank', title: 'Not Found', status: 404, detail }));
  const url = `http://127.0.0.1:${port}/v1`;
  expect((await failing(url, ['requests'])).said).toBe(
    `${url} is not the ApiUrl of a bridge: give it without /v1.`,
  );
});

test('the key is in a header of calls, and in no address', async () => {
  const calls: { url: string | undefined; authorization: string | undefined }[] = [];
  const port = await overHttp(({ url, headers }, response) => {
    calls.push({ url, authorization: headers.authorization });
    response.end('{"items": []}');
  });
  const here = ['--url', `http://127.0.0.1:${port}`, '--key', 'a-secret-key', '--json'];
  for (const args of [['deliveries', 'ep_x', '--state', 'failed'], ['requests'], ['endpoints', 'list']])
    expect(await cli.run([...args, ...here])).toMatchObject({ code: 0, stderr: '' });
  expect(new Set(calls.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer a-secret-key']));
  expect(calls.map(({ url }) => url)).toEqual([
    '/v1/endpoints/ep_x/deliveries?state=failed&limit=100',
    '/v1/requests?limit=100',
    '/v1/endpoints?limit=100',
  ]);
});

test('the doctor warns of a bridge of another version', async () => {
  const answers: Record<string, unknown> = {
    '/healthz': { status: 'ok' },
    '/v1/whoami': { id: 'ada', role: 'admin' },
    '/v1/doctor': { checks: [], version: '99.1.0' },
  };
  const port = await overHttp((request, response) =>
    json(200, answers[request.url ?? ''])(request, response),
  );
  const here = ['--url', `http://127.0.0.1:${port}`, '--key', 'k', '--json'];
  const { code, stdout } = await cli.run(['doctor', ...here]);
  expect(code).toBe(0);
  expect(valuesOf(stdout)).toContainEqual({
    name: 'version',
    state: 'warning',
    detail: expect.stringMatching(/^The bridge has the version 99\.1\.0, this command line \d/),
    remedy: expect.stringContaining('Update the older one'),
  });
});

test('a page of HTML where JSON was expected is recognized', async () => {
  const port = await overHttp((_request, response) => response.end('<html>Sign in to the Wi-Fi</html>'));
  expect(await failing(`http://127.0.0.1:${port}`, ['show', randomUUID()])).toEqual({
    code: 1,
    said: `http://127.0.0.1:${port} answered with something other than JSON. Check that the address is the ApiUrl of a bridge.`,
  });
});

test('what a gateway refuses in a word is said in a sentence', async () => {
  const port = await overHttp(json(403, { message: 'Forbidden' }));
  expect(await failing(`http://127.0.0.1:${port}`, ['requests'])).toMatchObject({
    code: 4,
    said: expect.stringContaining('answered 403 (Forbidden) to GET /v1/requests. See topaz-bridge doctor.'),
  });
});

test('only --debug shows where an error comes from', async () => {
  const url = `https://127.0.0.1:${await overTls(CERT)}`;
  const { stderr } = await cli.run(['requests', '--url', url, '--key', 'k', '--debug']);
  expect(stderr).toMatch(/^ {4}at /m);
  expect(stderr).toContain('caused by: Error: self-signed certificate');
  expect(stderr.trimEnd().split('\n').at(-1)).toContain('is self-signed');
});

test.each([
  [['lisen'], 'listen'],
  [['endpoints', 'lst'], 'list'],
  [['endpoints', 'add', '--evnts', 'x'], '--events'],
  [['track', 'x', '--calback', 'y'], '--callback'],
  [['requests', '--profil', 'x'], '--profile'],
])('%j is met by the nearest name', async (args, nearest) => {
  const { code, stdout, stderr } = await cli.run(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(nearest);
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
});
