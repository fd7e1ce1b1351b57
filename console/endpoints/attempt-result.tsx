import type { Attempt } from '../../client/client.ts';
import { Badge } from '../parts/badge.tsx';
import { isTaken } from '../parts/is-taken.ts';
import { Json } from '../parts/json.tsx';
import { Time } from '../parts/time.tsx';
import { span } from '../parts/words.ts';

/** One try at sending in full: when, what was answered, or why nothing was. */
export function AttemptResult({ attempt }: { readonly attempt: Attempt }) {
  const { at, durationMs, statusCode, error, reason, body } = attempt;
  const taken = isTaken(attempt);
  return (
    <>
      <div>
        <Badge tone={taken ? 'good' : 'bad'}>
          {statusCode === undefined ? (taken ? 'acknowledged' : 'no answer') : String(statusCode)}
        </Badge>{' '}
        <Time at={at} /> <span class="subtle">after {span(durationMs)}</span>
      </div>
      {reason && <div>{reason}</div>}
      {error && <div class="subtle mono">{error}</div>}
      {body && <Json value={body} label="The beginning of the answer" />}
    </>
  );
}
