import { absent, equals } from '../../adapters/dynamodb/expression.ts';
import { writeIf } from '../../adapters/dynamodb/write-if.ts';
import { iso } from '../../domain/iso.ts';
import { mustAsk, type UpstreamAnswer, type UpstreamCheckRow } from '../../domain/polling/upstream-check.ts';
import { pauseReason, type UpstreamPause } from '../../domain/polling/upstream-pause.ts';
import { upstreamCheckKey } from '../../domain/rows.ts';
import { wake } from '../../engine/wake.ts';
import type { ApiContext } from '../http/context.ts';
import { waitFor } from '../http/wait-for.ts';
import { readPause } from '../stats/upstream-state.ts';
import type { Finding } from './check.ts';

/** The poll stage gives up after 10 s. */
const WAIT = { forMs: 12_000, everyMs: 300 };

/**
 * The check of upstream. The poll stage asks it, which alone holds the key and may call it; this stage wakes
 * it by a row, and waits for what it writes there.
 */
export function createUpstreamCheck(context: Pick<ApiContext, 'table' | 'hints' | 'now' | 'sleep'>) {
  const { table, hints, now } = context;
  const read = () => table.get<UpstreamCheckRow>(upstreamCheckKey);

  /** What upstream answered a moment ago, or answers now; undefined when that is not known in time. */
  async function answer(): Promise<UpstreamAnswer | undefined> {
    const last = await read();
    if (mustAsk(last, now())) await ask(last);
    return waitFor(async () => (await read())?.answer, WAIT, context);
  }

  async function ask(last: UpstreamCheckRow | undefined): Promise<void> {
    const at = now();
    const { write, due } = wake({ ...upstreamCheckKey, dueAt: last?.dueAt }, 'poll', at, {
      set: { askedAt: at },
      remove: ['answer'],
      if: [last ? equals('askedAt', last.askedAt) : absent('pk')],
    });
    // Of two who ask at once, one does, and both get the answer.
    if (await writeIf(table, write)) await hints.send(due);
  }

  return async (): Promise<Finding> => {
    const [found, pause] = await Promise.all([answer(), readPause(table)]);
    if (found && found.outcome !== 'accepted') return failing(found);
    if (pause) return paused(pause, found !== undefined);
    if (found)
      return { state: 'ok', detail: `Topaz answers in ${found.durationMs} ms, and accepts the key.` };
    return {
      state: 'warning',
      detail: 'The poll stage has not asked Topaz within 12 s.',
      remedy:
        'Check again in a minute. If it happens again, see the log and the throttles of the function poll.',
    };
  };
}

function failing({ outcome, detail = '' }: UpstreamAnswer): Finding {
  if (outcome === 'fault')
    return {
      state: 'failed',
      detail: `Topaz does not answer as it should: ${detail}.`,
      remedy: 'Wait if Topaz is down; otherwise check its address (the setting topazBaseUrl).',
    };
  if (outcome === 'throttled')
    return { state: 'warning', detail: sentence(detail), remedy: 'Wait: polling slows down and continues.' };
  return {
    state: 'failed',
    detail: sentence(detail),
    remedy: 'Put a valid key into the secret of the output TopazApiKeySecretArn, then check again.',
  };
}

function paused(pause: UpstreamPause, isAccepted: boolean): Finding {
  const reason = `polling is paused until ${iso(pause.until)}: ${pauseReason(pause)}`;
  return {
    state: isAccepted || pause.reason === 'throttled' ? 'warning' : 'failed',
    detail: isAccepted ? `Topaz accepts the key now, but ${reason}.` : sentence(reason),
    remedy: isAccepted
      ? 'Wait, or end the pause by a probe: POST /v1/requests/{requestId}/poll.'
      : 'Correct the key, or wait. POST /v1/requests/{requestId}/poll ends the pause by a probe.',
  };
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
