import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { NewReplay, Replay } from '../../client/client.ts';
import { TypeSelect } from '../events/type-select.tsx';
import { Choices } from '../parts/choices.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { TimeField, timeIn } from '../parts/time-field.tsx';
import { plural } from '../parts/words.ts';
import { api } from '../session/session.ts';

type ReplayDialogProps = { readonly endpointId: string; readonly onClose: () => void };
type Which = 'failed' | 'all';
/** How many deliveries a replay would send, as far as they are counted. */
type Count = { readonly count: number; readonly isWhole: boolean };

const HOUR_MS = 3_600_000;
const LOOK_MS = 1_000;
const TYPING_MS = 200;

const WHICH = [
  ['failed', 'Those that failed'],
  ['all', 'All that have ended'],
] as const;

/** Sends earlier deliveries again: how many there are before, how far it is after. */
export function ReplayDialog({ endpointId, onClose }: ReplayDialogProps) {
  const since = useSignal(localInput(Date.now() - 24 * HOUR_MS));
  const until = useSignal('');
  const state = useSignal<Which>('failed');
  const type = useSignal('');
  const count = useSignal<Count | undefined>(undefined);
  /** What was counted: the replay asks for exactly this. */
  const wanted = useSignal<NewReplay | undefined>(undefined);
  const replayId = useSignal<string | undefined>(undefined);
  const replay = useSignal<Replay | undefined>(undefined);
  const error = useSignal<unknown>(undefined);

  /** What the fields say; undefined while they name no range of time. */
  function givenReplay(): NewReplay | undefined {
    const from = timeIn(since.value);
    const to = timeIn(until.value) ?? new Date().toISOString();
    if (from === undefined || from >= to) return undefined;
    return { since: from, until: to, state: state.value, ...(type.value ? { type: type.value } : {}) };
  }

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    wanted.value = undefined;
    count.value = undefined;
    error.value = undefined;
    const timer = setTimeout(async () => {
      wanted.value = givenReplay();
      if (!wanted.value) return;
      try {
        for await (const each of counted(endpointId, wanted.value, signal)) count.value = each;
      } catch (thrown) {
        if (!signal.aborted) error.value = thrown;
      }
    }, TYPING_MS);
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [since.value, until.value, state.value, type.value]);

  useEffect(() => {
    const id = replayId.value;
    if (!id) return;
    async function look(id: string): Promise<void> {
      try {
        replay.value = await api().replays.get(id);
        error.value = undefined;
      } catch (thrown) {
        error.value = thrown;
      }
      if (replay.value?.state === 'done') clearInterval(timer);
    }
    const timer = setInterval(() => void look(id), LOOK_MS);
    void look(id);
    return () => clearInterval(timer);
  }, [replayId.value]);

  async function start(): Promise<void> {
    const asked = wanted.value;
    if (!asked) return;
    // A second click must not start a second replay.
    wanted.value = undefined;
    error.value = undefined;
    try {
      replayId.value = (await api().endpoints.replay(endpointId, asked)).replayId;
    } catch (thrown) {
      error.value = thrown;
      wanted.value = asked;
    }
  }

  if (replayId.value) return <Progress replay={replay.value} error={error.value} onClose={onClose} />;
  const isWrong = givenReplay() === undefined;
  return (
    <Dialog title="Replay deliveries" onClose={onClose}>
      <div class="two">
        <TimeField label="Since" value={since} />
        <TimeField label="Until" hint="now, if empty" value={until} />
      </div>
      <TypeSelect value={type} />
      <Choices
        label="Which deliveries"
        options={WHICH}
        value={state.value}
        onChange={(each) => {
          state.value = each;
        }}
      />
      <p role="status">
        {isWrong ? 'Choose a time for “Since” that is before “Until”.' : inWords(count.value)}
      </p>
      <ErrorNote error={error.value} />
      <div class="buttons">
        <button
          type="button"
          class="primary"
          disabled={!wanted.value || (count.value?.isWhole && count.value.count === 0)}
          onClick={() => void start()}
        >
          Replay
        </button>
      </div>
    </Dialog>
  );
}

type ProgressProps = {
  /** Undefined until it was read once. */
  readonly replay: Replay | undefined;
  readonly error: unknown;
  readonly onClose: () => void;
};

function Progress({ replay, error, onClose }: ProgressProps) {
  const { state, matched, done } = replay ?? { state: 'queueing', matched: 0, done: 0 };
  return (
    <Dialog title="Replay deliveries" onClose={onClose}>
      <progress value={done} max={Math.max(1, matched)} aria-label="Replayed" />
      <p role="status">
        {state === 'done'
          ? `Done: ${plural(done, 'delivery', 'deliveries')} ended. The log shows how.`
          : `${done} of ${matched} ${state === 'queueing' ? 'found so far ' : ''}ended.`}
      </p>
      <ErrorNote error={error} />
      {state !== 'done' && <p class="subtle">It continues when you close this.</p>}
      <div class="buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  );
}

function inWords(counted: Count | undefined): string {
  if (!counted) return 'Counting …';
  const { count, isWhole } = counted;
  if (!isWhole) return `Counting … ${plural(count, 'delivery', 'deliveries')} so far.`;
  if (count === 0) return 'There is nothing to send again: choose an earlier time, or all that have ended.';
  return `${plural(count, 'delivery', 'deliveries')} will be sent again, with the same ids.`;
}

/** Counts what a replay would send. */
async function* counted(endpointId: string, replay: NewReplay, signal: AbortSignal): AsyncGenerator<Count> {
  let count = 0;
  const list = api().endpoints.toReplay(endpointId, replay);
  for await (const { items, cursor } of list.pages({ limit: 100, signal })) {
    count += items.length;
    yield { count, isWhole: cursor === undefined };
  }
}

/** A time as `datetime-local` takes it, in the viewer's zone. */
function localInput(at: number): string {
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}
