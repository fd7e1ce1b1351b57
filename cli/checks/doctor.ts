import { ConnectionError, type Doctor } from '../../client/client.ts';
import { command } from '../command/command.ts';
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
  examples: [['doctor', 'What is wrong, and what to do']],
  async run(session) {
    const { out, signal } = session;
    const found: Check[] = [];
    const say = (check: Check) => {
      found.push(check);
      out.value(check);
      const { name, state, detail, remedy } = check;
      out.line(`${out.paint(STYLES[state], MARKS[state])} ${printable(`${name.padEnd(10)} ${detail}`)}`);
      if (remedy && state !== 'ok') out.line(printable(`              ${remedy}`));
    };
    const { url, from } = await session.connection();
    try {
      const before = Date.now();
      const response = await fetch(`${url}/healthz`, {
        signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_WITHIN_MS)]),
      });
      await response.text();
      say({ name: 'address', state: 'ok', detail: `${url} (from ${from}) answers.` });
      const skew = Date.parse(response.headers.get('date') ?? '') - (before + Date.now()) / 2;
      if (Math.abs(skew) > MAX_SKEW_MS)
        say({
          name: 'clock',
          state: 'warning',
          detail: `This machine's clock differs from the bridge's by ${Math.round(Math.abs(skew) / 1000)} s.`,
          remedy: 'Let this machine set its clock by NTP: signatures hold for five minutes.',
        });
      else say({ name: 'clock', state: 'ok', detail: "This machine's clock agrees with the bridge's." });
    } catch (error) {
      signal.throwIfAborted();
      throw failureOf(new ConnectionError('GET /healthz', error), url);
    }
    const bridge = await session.connect();
    const { id, role } = await bridge.whoami();
    say({ name: 'key', state: 'ok', detail: `The key "${id}" is known, with the role ${role}.` });
    const { checks, version: deployed } = await bridge.doctor();
    say(versionCheck(deployed));
    for (const check of checks) say(check);
    const { lanes } = await bridge.stats();
    const waiting = Object.values(lanes).reduce((sum, lane) => sum + lane.waiting, 0);
    say({ name: 'lanes', state: 'ok', detail: `${waiting} rows wait for work.` });
    const failed = found.filter(({ state }) => state === 'failed').length;
    if (failed > 0) throw new Failure(`${failed} ${failed === 1 ? 'check has' : 'checks have'} failed.`);
  },
});

function versionCheck(deployed: string): Check {
  const name = 'version';
  const detail = `The bridge has the version ${deployed}, this command line ${version}.`;
  if (deployed === version || version === FROM_SOURCES) return { name, state: 'ok', detail };
  const remedy =
    'Update the older one of the two: deploy the bridge again, or install topaz-video-webhooks again.';
  return { name, state: 'warning', detail, remedy };
}
