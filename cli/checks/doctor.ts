import type { Doctor } from '../../client/client.ts';
import { ConnectionError } from '../../client/errors.ts';
import { command } from '../command/command.ts';
import type { Session } from '../command/session.ts';
import { Failure, failureOf } from '../frame/failure.ts';
import { printable } from '../frame/text.ts';
import { FROM_SOURCES, version } from '../frame/version.ts';

type Check = Doctor['checks'][number];

/** Signatures are refused when the clocks of sender and receiver differ by five minutes, ms. */
const MAX_SKEW_MS = 60_000;
const ANSWER_WITHIN_MS = 10_000;
const MARKS = { ok: 'ok', warning: '! ', failed: 'x ' } as const;
const STYLES = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

export const doctor = command({
  brief: 'Check the connection and the bridge; each problem comes with its remedy',
  description: `Check the connection and the bridge; each problem comes with its remedy.

From this machine: the address, its clock, the key and the versions. By the bridge: whether Topaz answers and takes the
key, the secrets, the table, the bucket, the queues and their dead letters, alarms, late and parked work, and endpoints.
The exit code is 0 unless a check has failed; a warning (!) is no failure.`,
  examples: [
    ['doctor', 'What is wrong, and what to do'],
    ['doctor --json', 'The checks as JSON, one per line'],
  ],
  async run(session) {
    const { out } = session;
    let failed = 0;
    const say = (check: Check) => {
      const { name, state, detail, remedy } = check;
      if (state === 'failed') failed++;
      out.value(check);
      out.line(`${out.paint(STYLES[state], MARKS[state])} ${printable(`${name.padEnd(9)} ${detail}`)}`);
      if (remedy && state !== 'ok') out.line(printable(`             ${remedy}`));
    };
    /** A failure that prevents all later checks is shown as the last check, and ends the command. */
    const orStop = async <T>(name: string, work: Promise<T>): Promise<T> => {
      try {
        return await work;
      } catch (error) {
        session.signal.throwIfAborted();
        const failure = failureOf(error, session.url());
        say({ name, state: 'failed', ...inTwo(failure.message) });
        throw new Failure('1 check has failed, and the others depend on it.', failure.exitCode, {
          cause: failure,
        });
      }
    };
    const { url } = await session.connection();
    for (const check of await orStop('address', addressChecks(session))) say(check);
    const bridge = await session.connect();
    const { id, role } = await orStop('key', bridge.whoami());
    say({ name: 'key', state: 'ok', detail: `The key "${id}" is known, with the role ${role}.` });
    const { checks, version: deployed } = await orStop('bridge', bridge.doctor());
    say(versionCheck(deployed));
    for (const check of checks) say(check);
    if (failed > 0)
      throw new Failure(`${failed} ${failed === 1 ? 'check has' : 'checks have'} failed at ${url}.`);
  },
});

/** The first sentence of a message says what is wrong, and the rest what to do. */
function inTwo(message: string): { detail: string; remedy?: string } {
  const [, detail = message, remedy] = /^(.+?\.) (.+)$/.exec(message) ?? [];
  return remedy === undefined ? { detail } : { detail, remedy };
}

async function addressChecks({ connection, signal }: Session): Promise<Check[]> {
  const { url, from } = await connection();
  const before = Date.now();
  const response = await fetch(`${url}/healthz`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
  }).catch((error: unknown) => {
    throw new ConnectionError('GET /healthz', error);
  });
  await response.body?.cancel();
  const skew = Date.parse(response.headers.get('date') ?? '') - (before + Date.now()) / 2;
  return [{ name: 'address', state: 'ok', detail: `${url} (from ${from}) answers.` }, clockCheck(skew)];
}

/** @param skew how far the bridge's clock is ahead, ms; NaN when it does not tell its time */
function clockCheck(skew: number): Check {
  const name = 'clock';
  if (Number.isNaN(skew))
    return {
      name,
      state: 'warning',
      detail: 'The bridge does not tell its time, so the clocks are not compared.',
      remedy: 'A proxy in between may remove the header Date.',
    };
  if (Math.abs(skew) <= MAX_SKEW_MS)
    return { name, state: 'ok', detail: "This machine's clock agrees with the bridge's." };
  return {
    name,
    state: 'warning',
    detail: `This machine's clock differs from the bridge's by ${Math.round(Math.abs(skew) / 1000)} s.`,
    remedy: 'Let this machine set its clock by NTP: signatures hold for five minutes.',
  };
}

function versionCheck(deployed: string): Check {
  const name = 'version';
  const detail = `The bridge has the version ${deployed}, this command line ${version}.`;
  if (deployed === version || version === FROM_SOURCES) return { name, state: 'ok', detail };
  const remedy =
    'Update the older one of the two: deploy the bridge again, or install topaz-video-webhooks again.';
  return { name, state: 'warning', detail, remedy };
}
