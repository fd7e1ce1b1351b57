import { get, type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { startTopaz, type TopazOptions } from '../../../local/topaz/server.ts';
import type { StatusBody } from '../../../local/topaz/status-body.ts';

export const API_KEY = 'topaz-key';
export const REQUEST_ID = 'cc5940bf-42b5-489d-a2dd-601d7848b1a0';

/** A job as generated from what public documents say of Topaz jobs. */
export const SIMULATED_TRACE = {
  requestId: REQUEST_ID,
  outcome: 'complete',
  statuses: [
    ['requested', 0],
    ['accepted', 0.94],
    ['initializing', 4.17],
    ['preprocessing', 55.7],
    ['processing', 87.1],
    ['postprocessing', 162],
    ['complete', 165.46],
  ],
  progress: [
    [0, 0],
    [128.14, 50],
    [162, 100],
  ],
  estimates: { time: [206, 234] },
  nodes: 1,
  outputBytes: 78031629,
};

/** A trace that is at its end from the start. */
export const finished = (status = 'complete') => ({ statuses: [[status, 0]], progress: [[0, 100]] });

type HttpAnswer = { status: number; headers: IncomingHttpHeaders; body: Buffer; broken: boolean };

/** A simulated Topaz API whose clock stands still until `wait` moves it; closed when the test ends. */
export async function simulatedTopaz(options: Partial<TopazOptions> = {}) {
  let now = Date.parse('2026-11-23T20:00:00Z');
  const topaz = await startTopaz({ apiKey: API_KEY, now: () => now, ...options });
  onTestFinished(() => topaz.close());

  const post = (path: string, body: unknown) =>
    fetch(topaz.url + path, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });
  const ask = (requestId = REQUEST_ID, key = API_KEY) =>
    fetch(`${topaz.url}/video/${requestId}/status`, { headers: { 'x-api-key': key } });
  const status = async (requestId = REQUEST_ID) => (await (await ask(requestId)).json()) as StatusBody;

  return {
    url: topaz.url,
    now: () => now,
    wait(seconds: number) {
      now += seconds * 1000;
    },
    post,
    ask,
    status,
    async set(job: Record<string, unknown> = {}) {
      const answer = await post('/_sim/jobs', { requestId: REQUEST_ID, ...job });
      if (answer.status !== 201) throw new Error(await answer.text());
    },
    async downloadUrl(requestId = REQUEST_ID): Promise<string> {
      const { download } = await status(requestId);
      if (!download) throw new Error('The job gives no download.');
      return download.url;
    },
  };
}

/** A plain HTTP call that follows nothing, decodes nothing, and returns what came even if the connection broke. */
export function http(url: string, headers: Record<string, string> = {}, method = 'GET'): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const call = request(url, { method, headers, agent: false }, (response) => {
      const { statusCode = 0, headers } = response;
      const chunks: Buffer[] = [];
      const settle = (broken: boolean) =>
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks), broken });
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => settle(false));
      response.on('error', () => settle(true));
    });
    call.on('error', reject).end();
  });
}

/** Reads a body up to `bytes`, then hangs up: for answers that never end. */
export function readFirst(url: string, bytes: number, headers: Record<string, string> = {}): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const call = get(url, { agent: false, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) {
        chunks.push(chunk);
        if (Buffer.concat(chunks).length >= bytes) break;
      }
      resolve(Buffer.concat(chunks));
    });
    call.on('error', reject);
  });
}
