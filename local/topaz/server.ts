import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { type Answer, json, send } from './answer.ts';
import { answerDownload } from './download-answers.ts';
import { type Job, Jobs } from './jobs.ts';
import { signPath, verifyPath } from './signed-url.ts';
import { answerSimulation } from './simulation.ts';
import { openState } from './state.ts';
import { answerStatus } from './status-answers.ts';
import type { Download } from './status-body.ts';
import type { Trace } from './trace.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const MOVED = 'moved';

export type TopazOptions = {
  /** 0 takes any free one. */
  port?: number;
  /** The `X-API-Key` that is accepted. */
  apiKey: string;
  /** Seconds of a job's trace that pass in one second, unless the job says otherwise. */
  speed?: number;
  /** The trace of jobs that were not set up. */
  defaultTrace?: Trace;
  /** Keeps the jobs, and the key that signs their URLs, so that a restart changes nothing for clients. */
  stateFile?: string;
  /** ms since epoch. */
  now?: () => number;
};

/** Starts the simulated Topaz Video API on loopback. Rejects when the port is taken. */
export async function startTopaz(options: TopazOptions): Promise<{ url: string; close(): Promise<void> }> {
  const { port = 0, speed = 1, defaultTrace, now = Date.now } = options;
  const state = openState(options.stateFile);
  const jobs = new Jobs({ speed, ...(defaultTrace && { trace: defaultTrace }) }, state.saveJobs);
  jobs.restore(state.jobs);
  const { signingKey } = state;
  let apiKey = options.apiKey;
  let nonce = 0;

  const server = createServer(async (request, response) => {
    try {
      await send(response, await answer(request));
    } catch (error) {
      if (response.headersSent) response.destroy();
      else await send(response, json(500, { message: String(error) }));
    }
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function answer(request: IncomingMessage): Promise<Answer> {
    const target = new URL(request.url ?? '/', url);
    const [root, id = '', name = ''] = target.pathname.split('/').slice(1);
    if (root === '_sim') {
      const call = `${request.method} ${target.pathname}`;
      return answerSimulation({ jobs, setApiKey }, call, await text(request), now());
    }
    if (root === 'download') {
      const validity = verifyPath(target, signingKey);
      const { method = '', headers } = request;
      const download = { method, headers, requestId: id, validity, moved: name === `${MOVED}.mp4` };
      return answerDownload(jobs, download, (job) => issue(job, MOVED).url, now());
    }
    if (request.method !== 'GET' || root !== 'video' || name !== 'status')
      return json(404, { message: 'No such route' });
    if (request.headers['x-api-key'] !== apiKey) return json(401, { message: 'Unauthorized' });
    return answerStatus(jobs, id, issue, now());
  }

  function issue(job: Job, name = 'video'): Download {
    const issuedAt = now();
    const expiry = jobs.strikes(job, 'download', issuedAt)('expiry');
    const expiresIn = expiry ? expiry.seconds * 1000 : DAY_MS;
    const expiresAt = issuedAt + expiresIn;
    nonce += 1;
    const path = signPath(
      `/download/${job.requestId}/${name}.mp4`,
      { issuedAt, expiresAt },
      nonce,
      signingKey,
    );
    return { url: url + path, expiresIn, expiresAt };
  }

  function setApiKey(key: string): void {
    apiKey = key;
  }

  return {
    url,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
