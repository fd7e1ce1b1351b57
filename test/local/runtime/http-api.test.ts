import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FunctionError } from '../../../local/runtime/functions.ts';
import { HttpApi } from '../../../local/runtime/http-api.ts';

let api: HttpApi;
let lines: string[];
beforeEach(async () => {
  api = await HttpApi.listen(0);
  lines = [];
});
afterEach(() => api.close());

describe('the HTTP API', () => {
  it('turns a request into an event of payload format 2.0', async () => {
    const event = await eventOf('/v1/a%20b?x=1&x=2&y=', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'X-Custom': 'a', cookie: 'a=1; b=2' },
      body: '{"name":"é"}',
    });
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: '$default',
      rawPath: '/v1/a b',
      rawQueryString: 'x=1&x=2&y=',
      queryStringParameters: { x: '1,2', y: '' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-custom': 'a', 'content-type': 'application/json' },
      requestContext: {
        accountId: '000000000000',
        stage: '$default',
        http: { method: 'POST', path: '/v1/a b', sourceIp: '127.0.0.1' },
      },
      body: '{"name":"é"}',
      isBase64Encoded: false,
    });
    expect(event.headers).not.toHaveProperty('cookie');
  });

  it('leaves out what a request does not have', async () => {
    const event = await eventOf('/');
    expect(event).toMatchObject({ rawPath: '/', rawQueryString: '', isBase64Encoded: false });
    for (const absent of ['body', 'cookies', 'queryStringParameters'])
      expect(event).not.toHaveProperty(absent);
  });

  it('takes a path that begins with two slashes as a path', async () => {
    expect(
      await new Promise((resolve) => {
        api.open(async (event) => resolve((event as { rawPath: string }).rawPath), log);
        request(`${api.url}//elsewhere/x`).end();
      }),
    ).toBe('//elsewhere/x');
  });

  it('decodes the path once, and refuses one that cannot be decoded', async () => {
    expect((await eventOf('/v1/a%252Fb%3Fc')).rawPath).toBe('/v1/a%2Fb?c');
    let asked = 0;
    api.open(async () => asked++, log);
    expect((await fetch(`${api.url}/v1/%ff`)).status).toBe(400);
    expect(asked).toBe(0);
  });

  it('joins headers that come twice, the one with the key, too', async () => {
    const event = await new Promise((resolve) => {
      api.open(async (given) => resolve(given), log);
      const headers = ['Host', 'h', 'Authorization', 'Bearer a', 'authorization', 'Bearer b'];
      request(api.url, { headers }).end();
    });
    expect(event).toMatchObject({ headers: { authorization: 'Bearer a,Bearer b' } });
  });

  it('gives parameters of any name, as often as they come', async () => {
    const { queryStringParameters } = await eventOf('/?__proto__=a&constructor=b&__proto__=c');
    expect(JSON.stringify(queryStringParameters)).toBe('{"__proto__":"a,c","constructor":"b"}');
  });

  it.each(['application/octet-stream', 'application/x-www-form-urlencoded', undefined])(
    'encodes a body of type %s as base64',
    async (type) => {
      const body = Uint8Array.of(0, 255, 128);
      const event = await eventOf('/', {
        method: 'POST',
        body,
        headers: type ? { 'content-type': type } : {},
      });
      expect(event).toMatchObject({ body: Buffer.from(body).toString('base64'), isBase64Encoded: true });
    },
  );

  it('answers with status, headers, cookies and body of the result', async () => {
    const response = await answerTo({
      statusCode: 201,
      headers: { 'content-type': 'text/plain', 'x-number': 7 },
      cookies: ['a=1', 'b=2'],
      body: 'é',
    });
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('x-number')).toBe('7');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(await response.text()).toBe('é');
  });

  it('decodes a body that the function encoded', async () => {
    const response = await answerTo({ statusCode: 200, body: 'AP+A', isBase64Encoded: true });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(Uint8Array.of(0, 255, 128));
  });

  it('takes a result without a status as the body of a 200', async () => {
    const response = await answerTo({ hello: 'you' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ hello: 'you' });
  });

  it.each<[string, unknown]>([
    ['throws', new Error('the reason')],
    ['answers with an impossible status', { statusCode: 'many' }],
    ['answers with an impossible header', { statusCode: 200, headers: { 'x-bad': 'a\nb' } }],
  ])('answers 500 and keeps the reason to the log when the function %s', async (_, result) => {
    const response = await answerTo(result);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('{"message":"Internal Server Error"}');
    expect(lines).toHaveLength(1);
  });

  it('answers 503 when the account has no free place for the function', async () => {
    const response = await answerTo(new FunctionError('throttled', 'Rate Exceeded.'));
    expect(response.status).toBe(503);
    expect(lines).toHaveLength(1);
  });

  it('refuses a body of more than 10 MB without asking the function', async () => {
    let asked = 0;
    api.open(async () => asked++, log);
    const post = (bytes: number) => fetch(api.url, { method: 'POST', body: new Uint8Array(bytes) });
    expect((await post(10 * 1024 * 1024)).status).toBe(200);
    const refused = await post(10 * 1024 * 1024 + 1);
    expect(refused.status).toBe(413);
    expect(await refused.json()).toEqual({ message: 'Request Entity Too Large' });
    expect(asked).toBe(1);
  });

  it('refuses headers of more than 10,240 bytes', async () => {
    let asked = 0;
    api.open(async () => asked++, log);
    const get = (bytes: number) => fetch(api.url, { headers: { 'x-long': 'x'.repeat(bytes) } });
    expect((await get(9_000)).status).toBe(200);
    expect((await get(10_240)).status).toBe(431);
    expect(asked).toBe(1);
  });

  it('names the port that is in use, and the remedy', async () => {
    await expect(HttpApi.listen(Number(new URL(api.url).port))).rejects.toThrow(/in use.*--port/);
  });
});

const log = (line: string) => lines.push(line);

/** What the function is given for a request. */
async function eventOf(path: string, init?: RequestInit): Promise<Record<string, unknown>> {
  let event: unknown;
  api.open(async (given) => {
    event = given;
  }, log);
  await fetch(api.url + path, init);
  return event as Record<string, unknown>;
}

/** What a caller gets for a result of the function; an Error is thrown. */
async function answerTo(result: unknown): Promise<Response> {
  api.open(async () => {
    if (result instanceof Error) throw result;
    return result;
  }, log);
  return fetch(api.url);
}
