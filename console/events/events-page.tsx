import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { Link } from 'wouter-preact';
import type { BridgeEvent } from '../../client/client.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Json } from '../parts/json.tsx';
import { Prose } from '../parts/prose.tsx';
import { useInQuery } from '../parts/query.ts';
import { eventColor } from '../parts/stages.ts';
import { Time } from '../parts/time.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { SchemaView } from '../reference/schema-view.tsx';
import { api } from '../session/session.ts';
import { createEventStream } from './event-stream.ts';
import { eventTypes } from './event-types.ts';
import { TypeSelect } from './type-select.tsx';

const LOOK_MS = 2_000;

/** What happens now, and all that can happen. */
export function EventsPage() {
  useTitle('Events');
  return (
    <section class="page">
      <h1>Events</h1>
      <Stream />
      <Catalog />
    </section>
  );
}

function Stream() {
  const type = useInQuery('type', '');
  const isPaused = useSignal(false);
  const stream = useMemo(() => createEventStream(api(), type.value), [type.value]);
  const isLoaded = useSignal(false);
  const error = useSignal<unknown>(undefined);
  useEffect(() => {
    isLoaded.value = stream.events.peek().length > 0;
    if (isPaused.value) return;
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    async function look(): Promise<void> {
      try {
        if (!document.hidden) await stream.look(controller.signal);
        error.value = undefined;
      } catch (thrown) {
        if (!controller.signal.aborted) error.value = thrown;
      }
      isLoaded.value = true;
      if (!controller.signal.aborted) timer = setTimeout(() => void look(), LOOK_MS);
    }
    void look();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [stream, isPaused.value]);

  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Live</h2>
        <TypeSelect value={type} class="inline" />
        <button
          type="button"
          aria-pressed={isPaused.value}
          onClick={() => (isPaused.value = !isPaused.value)}
        >
          {isPaused.value ? 'Go on' : 'Pause'}
        </button>
      </div>
      <ErrorNote error={error.value} />
      {!isLoaded.value && <Loading />}
      {isLoaded.value && stream.events.value.length === 0 && (
        <Empty title={type.value ? 'No event of this type yet' : 'Nothing happened yet'}>
          <p>
            Events come as requests move on. Register one on the page <Link href="/requests">Requests</Link>.
          </p>
        </Empty>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <ol class="plain stream" tabIndex={0} aria-label="Events, the newest first">
        {stream.events.value.map((event) => (
          <li key={event.id}>
            <details>
              <summary>
                <Time at={event.timestamp} />
                <span class={`type ${eventColor(event.type)}`}>{event.type}</span>
                <span class="subtle mono clip">{event.data.requestId ?? event.data.endpointId}</span>
              </summary>
              <Source event={event} />
              <Json value={event} label={event.type} />
            </details>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A link to what an event is about; a sample for a test is about nothing that exists. */
function Source({ event: { data } }: { readonly event: BridgeEvent }) {
  if (data.endpointId) return <Link href={`/endpoints/${data.endpointId}`}>its endpoint</Link>;
  return data.requestId ? <Link href={`/requests/${data.requestId}`}>its request</Link> : null;
}

function Catalog() {
  const { data, error } = useLive(eventTypes, 3_600_000, []);
  return (
    <section class="panel">
      <h2>Catalog</h2>
      <p class="subtle">
        Endpoints filter by these types, or by a prefix such as <code>video.*</code>. The{' '}
        <Link href="/reference#Event">reference</Link> describes the fields around <code>data</code>.
      </p>
      <ErrorNote error={error.value} />
      {!data.value && !error.value && <Loading />}
      <ul class="plain catalog">
        {data.value?.map(({ type, description, example, data: fields }) => (
          <li key={type}>
            <details>
              <summary>
                <span class={`type ${eventColor(type)}`}>{type}</span> <Prose text={description} />
              </summary>
              <div class="two">
                {fields && <SchemaView schema={fields} />}
                <Json value={example} label={`Example of ${type}`} />
              </div>
            </details>
          </li>
        ))}
      </ul>
    </section>
  );
}
