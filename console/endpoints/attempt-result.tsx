import type { Attempt } from '../../client/client.ts';
import { Badge } from '../parts/badge.tsx';
import { Json } from '../parts/json.tsx';
import { Time } from '../parts/time.tsx';
import { span } from '../parts/words.ts';

/** One try at sending in full: when, what was answered, or why nothing was. */
export function AttemptResult({
  attempt: { at, durationMs, statusCode, error, reason, body },
}: {
  readonly attempt: Attempt;
}) {
  const failed = error !== undefined || reason !== undefined;
  return (
    <>
      <div>
        <Badge tone={failed ? 'bad' : 'good'}>
          {statusCode === undefined ? (failed ? 'no answer' : 'acknowledged') : String(statusCode)}
        </Badge>{' '}
        <Time at={at} /> <span class="subtle">after {span(durationMs)}</span>
      </div>
      {reason && <div>{reason}</div>}
      {error && <div class="subtle mono">{error}</div>}
      {body && <Json value={body} label="How the answer began" />}
    </>
  );
}
