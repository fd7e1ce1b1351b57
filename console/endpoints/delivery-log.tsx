import { type Signal, useComputed } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { Delivery, DeliveryFilter } from '../../client/client.ts';
import { TypeSelect } from '../events/type-select.tsx';
import { Badge } from '../parts/badge.tsx';
import { Choices } from '../parts/choices.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { setQuery, useInQuery } from '../parts/query.ts';
import { Ago, DueIn } from '../parts/time.tsx';
import { TimeField, timeIn } from '../parts/time-field.tsx';
import { deliveryTone } from '../parts/tone.ts';
import { api } from '../session/session.ts';
import { DeliveryDialog } from './delivery-dialog.tsx';
import { createDeliveryList, type DeliveryList } from './delivery-list.ts';
import { whyNot } from './endpoint-words.ts';

type LogProps = {
  readonly endpointId: string;
  /** The delivery that is shown in full; part of the page's address. */
  readonly chosen?: string | undefined;
};
type State = Delivery['state'] | '';

const STATES: readonly (readonly [State, string])[] = [
  ['', 'All'],
  ['failed', 'Failed'],
  ['pending', 'Pending'],
  ['held', 'Held'],
  ['delivered', 'Delivered'],
  ['canceled', 'Canceled'],
];
const REFRESH_MS = 4_000;
/** What the API takes; while another one is typed, it does not count. */
const STATUS_CODE = /^([1-5]\d\d|[1-5]xx|none)$/;
const COMMON_CODES = ['none', '2xx', '3xx', '4xx', '5xx', '400', '401', '403', '404', '410', '413', '429'];

/** What an endpoint was sent, the newest events first. */
export function DeliveryLog({ endpointId, chosen }: LogProps) {
  const state = useInQuery<State>('state', '');
  const code = useInQuery('code', '');
  const type = useInQuery('type', '');
  const since = useInQuery('since', '');
  const until = useInQuery('until', '');
  const filter = useComputed(
    (): DeliveryFilter => ({
      state: state.value || undefined,
      statusCode: STATUS_CODE.test(code.value) ? code.value : undefined,
      type: type.value || undefined,
      since: timeIn(since.value),
      until: timeIn(until.value),
    }),
  );
  const wanted = JSON.stringify(filter.value);
  const list = useMemo(() => createDeliveryList(api(), endpointId, filter.value), [endpointId, wanted]);
  useEffect(() => {
    void list.loadMore();
    const timer = setInterval(() => !document.hidden && void list.refresh(), REFRESH_MS);
    return () => {
      list.stop();
      clearInterval(timer);
    };
  }, [list]);
  const choose = (id = '') => setQuery({ delivery: id });
  const clear = () => {
    state.value = '';
    for (const each of [code, type, since, until]) each.value = '';
  };

  return (
    <section class="panel">
      <h2>Delivery log</h2>
      <div class="filters">
        <Choices
          label="State of deliveries"
          options={STATES}
          value={state.value}
          onChange={(each) => {
            state.value = each;
          }}
        />
        <TypeSelect value={type} class="inline" />
        <CodeField code={code} />
        <span class="filters">
          <TimeField label="Since" value={since} class="inline" />
          <TimeField label="Until" value={until} class="inline" />
        </span>
      </div>
      <ErrorNote error={list.error.value} />
      <Rows list={list} isFiltered={wanted !== '{}'} onOpen={choose} onClear={clear} />
      {chosen && <DeliveryDialog id={chosen} onClose={() => choose()} />}
    </section>
  );
}

function CodeField({ code }: { readonly code: Signal<string> }) {
  const isWrong = code.value !== '' && !STATUS_CODE.test(code.value);
  return (
    <>
      <input
        aria-label="Status code"
        aria-invalid={isWrong}
        aria-describedby="status-code-hint"
        placeholder="Status code"
        title="Such as 404, 5xx, or none for no answer"
        class="short"
        list="status-codes"
        value={code.value}
        onInput={({ currentTarget }) => {
          code.value = currentTarget.value.trim().toLowerCase();
        }}
      />
      <datalist id="status-codes">
        {COMMON_CODES.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <span id="status-code-hint" class="subtle" role="status">
        {isWrong && 'Give a code such as 404, 5xx, or none.'}
      </span>
    </>
  );
}

type RowsProps = {
  readonly list: DeliveryList;
  readonly isFiltered: boolean;
  readonly onOpen: (id: string) => void;
  readonly onClear: () => void;
};

function Rows({ list, isFiltered, onOpen, onClear }: RowsProps) {
  const found = list.found.value;
  const isSearching = list.loading.value && !list.complete.value;
  return (
    <>
      {found.length === 0 && isSearching && <Loading />}
      {found.length === 0 && list.complete.value && (
        <Empty title={isFiltered ? 'No delivery matches' : 'Nothing was sent yet'}>
          {isFiltered ? (
            <button type="button" onClick={onClear}>
              Show all
            </button>
          ) : (
            <p>Send a test, or wait for the next event that its filter matches.</p>
          )}
        </Empty>
      )}
      <ul class="plain log">
        {found.map((delivery) => (
          <li key={delivery.id}>
            <button type="button" class="log-row" onClick={() => onOpen(delivery.id)}>
              <Badge tone={deliveryTone(delivery.state)}>{delivery.state}</Badge>
              <strong>{delivery.type}</strong>
              <span class="number">{delivery.attempts.at(-1)?.statusCode ?? ''}</span>
              <span class="subtle clip">
                {delivery.requestId && <span class="mono">{delivery.requestId.slice(0, 8)}</span>}{' '}
                {whyNot(delivery)}
              </span>
              <span class="subtle">
                {delivery.nextAttemptAt && delivery.attemptCount > 0 ? (
                  <>
                    next try <DueIn at={delivery.nextAttemptAt} />
                  </>
                ) : (
                  <Ago at={delivery.timestamp} />
                )}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {!list.complete.value && found.length > 0 && (
        <button type="button" disabled={isSearching} onClick={() => void list.loadMore()}>
          {isSearching ? 'Looking through older ones …' : 'Load older ones'}
        </button>
      )}
    </>
  );
}
