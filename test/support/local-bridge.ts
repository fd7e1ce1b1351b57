import { randomUUID } from 'node:crypto';
import { startBridge } from '../../local/bridge.ts';
import { synthesize } from '../../local/runtime/synthesize.ts';
import { startTopaz } from '../../local/topaz/server.ts';

export const ADMIN_KEY = 'the-key-of-the-admin';
export const READ_KEY = 'a-key-that-reads';
const TOPAZ_KEY = 'the-key-to-topaz';

/** The local runtime with a simulated upstream, and a key for each of the roles `admin` and `read`. */
export async function startLocalBridge({ speed = 1 } = {}) {
  const topaz = await startTopaz({ apiKey: TOPAZ_KEY, speed });
  const bridge = await startBridge({
    templateDir: await synthesize(),
    tickSeconds: 1,
    env: { TOPAZ_BASE_URL: topaz.url, ALLOW_LOOPBACK: 'true' },
    secrets: {
      TOPAZ_API_KEY_SECRET_ARN: TOPAZ_KEY,
      API_KEYS_SECRET_ARN: JSON.stringify({
        keys: [
          { id: 'ada', key: ADMIN_KEY, role: 'admin' },
          { id: 'guest', key: READ_KEY, role: 'read' },
        ],
      }),
    },
  });

  async function simulate(path: string, body: object): Promise<void> {
    const response = await fetch(`${topaz.url}/_sim/${path}`, { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`The simulation refused: ${await response.text()}`);
  }

  /** Sets a job of the simulated upstream up, and returns its id. */
  async function setJob(job: object = {}): Promise<string> {
    const requestId = randomUUID();
    await simulate('jobs', { requestId, ...job });
    return requestId;
  }

  /** What the simulated upstream does wrong with all jobs. */
  const setTopazFaults = (faults: object[]) => simulate('faults', { faults });

  return {
    ...bridge,
    topaz,
    setJob,
    setTopazFaults,
    stop: async () => {
      await bridge.stop();
      await topaz.close();
    },
  };
}

export type LocalBridge = Awaited<ReturnType<typeof startLocalBridge>>;
