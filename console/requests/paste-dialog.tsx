import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { BatchItem } from '../../client/client.ts';
import { Dialog } from '../parts/dialog.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { plural, whole } from '../parts/words.ts';
import { api } from '../session/session.ts';
import { idsIn, MAX_IDS } from './pasted-ids.ts';

/** Results between two renderings. */
const SHOWN_EVERY = 100;

/** Registers the ids in a pasted text, whatever is around them, and reports on each that was refused. */
export function PasteDialog({ onClose }: { readonly onClose: () => void }) {
  const text = useSignal('');
  const found = useComputed(() => idsIn(text.value));
  const results = useSignal<readonly BatchItem[]>([]);
  const total = useSignal<number | undefined>(undefined);
  const isOver = useSignal(false);
  const error = useSignal<unknown>(undefined);
  const controller = useRef(new AbortController());
  useEffect(() => () => controller.current.abort(), []);

  async function start(): Promise<void> {
    const { ids } = found.value;
    total.value = ids.length;
    const { signal } = controller.current;
    try {
      const registered = api().requests.registerMany(
        ids.map((requestId) => ({ requestId })),
        { signal },
      );
      const soFar: BatchItem[] = [];
      for await (const each of registered) {
        soFar.push(each);
        if (soFar.length % SHOWN_EVERY === 0 || soFar.length === ids.length) results.value = [...soFar];
      }
    } catch (thrown) {
      if (!signal.aborted) error.value = thrown;
    } finally {
      isOver.value = true;
    }
  }

  const { ids, repeated, beyond, otherLines } = found.value;
  if (total.value !== undefined)
    return (
      <Dialog title={isOver.value ? 'Registered' : 'Registering'} onClose={onClose} wide>
        <Report results={results.value} total={total.value} isOver={isOver.value} />
        <ErrorNote error={error.value} />
        <div class="buttons">
          <button type="button" class={isOver.value ? 'primary' : ''} onClick={onClose}>
            {isOver.value ? 'Done' : 'Stop here'}
          </button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title="Paste request ids" onClose={onClose} wide>
      <label>
        Ids, or a text with ids in it (CSV, JSON, a log), up to {plural(MAX_IDS, 'id')}
        <textarea
          rows={10}
          class="mono"
          value={text.value}
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value;
          }}
        />
      </label>
      <p role="status">
        <strong>{plural(ids.length, 'id')}</strong> found
        {repeated > 0 && `, ${plural(repeated, 'repetition')} left out`}
        {otherLines > 0 && `, ${plural(otherLines, 'line')} without an id`}
        {beyond > 0 && `. ${plural(beyond, 'id')} beyond the first ${plural(MAX_IDS, 'id')}: paste them next`}
        .
      </p>
      <div class="buttons">
        <button type="button" class="primary" disabled={ids.length === 0} onClick={() => void start()}>
          Register {plural(ids.length, 'request')}
        </button>
      </div>
    </Dialog>
  );
}

type ReportProps = {
  readonly results: readonly BatchItem[];
  readonly total: number;
  readonly isOver: boolean;
};

function Report({ results, total, isOver }: ReportProps) {
  const refused = results.filter(({ status }) => status >= 400);
  const fresh = results.filter(({ status }) => status === 201).length;
  const tracked = results.filter(({ status }) => status === 200).length;
  return (
    <div class="report">
      <progress value={results.length} max={total} aria-label="Registered" />
      <p role="status">
        {results.length === total ? 'All' : `${whole.format(results.length)} of`} {plural(total, 'id')}
        {isOver && results.length < total ? ' (stopped)' : ''}: {whole.format(fresh)} registered,{' '}
        {whole.format(tracked)} tracked already, {whole.format(refused.length)} refused.
      </p>
      {refused.length > 0 && (
        <ul class="refusals">
          {refused.slice(0, 100).map(({ requestId, error }) => (
            <li key={requestId}>
              <span class="mono">{requestId}</span> {error?.detail}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
