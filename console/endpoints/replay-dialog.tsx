import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Replay } from '../../client/client.ts';
import { Choices } from '../parts/choices.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { TimeField } from '../parts/time-field.tsx';
import { plural } from '../parts/words.ts';
import { api } from '../session/session.ts';

type ReplayDialogProps = { readonly endpointId: string; readonly onClose: () => void };
type Count = { readonly count: number; readonly isWhole: boolean };

const HOUR_MS = 3_600_000;
const LOOK_MS = 1_000;
/** Deliveries that are counted at most before a replay. */
const COUNTED = 2_000;

const WHICH = [
  ['failed', 'Those that failed'],
  ['all', 'All that have ended'],
] as const;

/** Sends earlier deliveries again: how many there are before, how far it is after. */
export function ReplayDialog({ endpointId, onClose }: ReplayDialogProps) {
  const since = useSignal(localInput(Date.now() - 24 * HOUR_MS));
  const until = useSignal('');
  const state = useSignal<'failed' | 'all'>('failed');
  const count = useSignal<Count | undefined>(undefined);
  const replay = useSignal<Replay | undefined>(undefined);
  const error = useSignal<unknown>(undefined);

  useEffect(() => {
    const controller = new AbortController();
    count.value = undefined;
    const timer = setTimeout(async () => {
      try {
        count.value = await counted(endpointId, rangeOf(), state.value, controller.signal);
      } catch (thrown) {
        if (!controller.signal.aborted) error.value = thrown;
      }
    }, 200);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [since.value, until.value, state.value]);

  const rangeOf = () => ({
    since: new Date(since.value).getTime(),
    until: until.value ? new Date(until.value).getTime() : Date.now(),
  });

  const id = replay.value?.id;
  useEffect(() => {
    if (!id) return;
    const timer = setInterval(async () => {
      replay.value = await api().replays.get(id);
      if (replay.value.state === 'done') clearInterval(timer);
    }, LOOK_MS);
    return () => clearInterval(timer);
  }, [id]);

  async function start(): Promise<void> {
    error.value = undefined;
    try {
      const range = rangeOf();
      const { replayId } = await api().endpoints.replay(endpointId, {
        since: new Date(range.since).toISOString(),
        ...(until.value ? { until: new Date(range.until).toISOString() } : {}),
        state: state.value,
      });
      replay.value = await api().replays.get(replayId);
    } catch (thrown) {
      error.value = thrown;
    }
  }

  if (replay.value) return <Progress replay={replay.value} onClose={onClose} />;
  return (
    <Dialog title="Replay deliveries" onClose={onClose}>
      <div class="two">
        <TimeField label="Since" value={since} />
        <TimeField label="Until" hint="now, if empty" value={until} />
      </div>
      <Choices
        label="Which deliveries"
        options={WHICH}
        value={state.value}
        onChange={(each) => {
          state.value = each;
        }}
      />
      <p role="status">{count.value ? inWords(count.value) : 'Counting …'}</p>
      <ErrorNote error={error.value} />
      <div class="buttons">
        <button
          type="button"
          class="primary"
          disabled={count.value?.count === 0}
          onClick={() => void start()}
        >
          Replay
        </button>
      </div>
    </Dialog>
  );
}

function Progress({ replay, onClose }: { readonly replay: Replay; readonly onClose: () => void }) {
  const { state, matched, done } = replay;
  return (
    <Dialog title="Replay deliveries" onClose={onClose}>
      <progress value={done} max={Math.max(1, matched)} aria-label="Replayed" />
      <p role="status">
        {state === 'done'
          ? `Done: ${plural(done, 'delivery', 'deliveries')} ended. The log shows how.`
          : `${done} of ${matched} ${state === 'queueing' ? 'found so far ' : ''}ended.`}
      </p>
      <p class="subtle">It goes on when you close this.</p>
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function inWords({ count, isWhole }: Count): string {
  if (count === 0) return 'There is nothing to send again: choose an earlier time, or all that have ended.';
  return `${isWhole ? '' : 'More than '}${plural(count, 'delivery', 'deliveries')} will be sent again, with the same ids.`;
}

/** Counts what a replay would send; the events in [since, until), by the time in the order of the list. */
async function counted(
  endpointId: string,
  { since, until }: { since: number; until: number },
  state: 'failed' | 'all',
  signal: AbortSignal,
): Promise<Count> {
  let count = 0;
  const list = api().endpoints.deliveries(endpointId, state === 'failed' ? { state } : {}, { signal });
  for await (const { items } of list.pages({ limit: 100, signal })) {
    for (const { state: ended, attempts } of items) {
      const isMeant = ended === 'failed' || (state === 'all' && ended === 'delivered');
      const at = Date.parse(attempts[0]?.at ?? '');
      if (isMeant && at >= since && at < until) count++;
    }
    if (count >= COUNTED) return { count: COUNTED, isWhole: false };
  }
  return { count, isWhole: true };
}

/** A time as `datetime-local` takes it, in the viewer's zone. */
function localInput(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
