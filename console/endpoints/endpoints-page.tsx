import { useSignal } from '@preact/signals';
import { Link } from 'wouter-preact';
import { navigate } from 'wouter-preact/use-browser-location';
import type { Endpoint, EndpointWithSecret, NewEndpoint } from '../../client/client.ts';
import { Badge } from '../parts/badge.tsx';
import { Choices } from '../parts/choices.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { useInQuery } from '../parts/query.ts';
import { Ago, For } from '../parts/time.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { api, isAdmin } from '../session/session.ts';
import { EndpointForm } from './endpoint-form.tsx';
import { healthLabel, healthTone, isSigned, nameOf } from './endpoint-words.ts';
import { SecretDialog } from './secret-dialog.tsx';

const WHOSE = [
  ['account', 'For all requests'],
  ['callback', 'Callbacks of requests'],
] as const;

/** There are no more account-wide endpoints than this, but there may be more callbacks. */
const SHOWN = 100;

/** All account-wide endpoints, or the callbacks of requests. */
export function EndpointsPage() {
  useTitle('Endpoints');
  const kind = useInQuery<(typeof WHOSE)[number][0]>('kind', 'account');
  const isCreating = useSignal(false);
  const created = useSignal<EndpointWithSecret | undefined>(undefined);
  const { data, error } = useLive(
    async (signal) => {
      const filter = kind.value === 'callback' ? { kind: kind.value } : {};
      return await api().endpoints.list(filter).page({ limit: SHOWN, signal });
    },
    5_000,
    [kind.value],
  );
  const endpoints = data.value?.items;

  return (
    <section class="page">
      <div class="page-head">
        <h1>Endpoints</h1>
        {isAdmin.value && (
          <div class="buttons">
            <button type="button" class="primary" onClick={() => (isCreating.value = true)}>
              Create an endpoint
            </button>
          </div>
        )}
      </div>
      <Choices
        label="Which endpoints"
        options={WHOSE}
        value={kind.value}
        onChange={(each) => {
          kind.value = each;
        }}
      />
      <ErrorNote error={error.value} />
      {!endpoints && !error.value && <Loading />}
      {endpoints?.length === 0 && kind.value === 'account' && (
        <Empty title="No endpoints yet">
          <p>
            An endpoint is told about all requests: by a POST to its URL, an event bus, or messages to fetch.
          </p>
          {isAdmin.value && (
            <button type="button" class="primary" onClick={() => (isCreating.value = true)}>
              Create the first one
            </button>
          )}
        </Empty>
      )}
      {endpoints?.length === 0 && kind.value === 'callback' && (
        <Empty title="No callbacks">
          <p>
            A callback is told about one request. Give a <code>callbackUrl</code> when you register it.
          </p>
        </Empty>
      )}
      <ul class="cards">
        {endpoints?.map((endpoint) => (
          <EndpointCard key={endpoint.id} endpoint={endpoint} />
        ))}
      </ul>
      {data.value?.cursor !== undefined && (
        <p class="subtle">
          These are the first {SHOWN}. The page of a request links its callbacks, and{' '}
          <code>topaz-bridge endpoints list --kind callback</code> lists all.
        </p>
      )}
      {isCreating.value && (
        <EndpointForm
          title="Create an endpoint"
          onClose={() => (isCreating.value = false)}
          onSubmit={async (given) => {
            const endpoint = await api().endpoints.create(given as NewEndpoint);
            if (!isSigned(endpoint)) return navigate(`/console/endpoints/${endpoint.id}`);
            created.value = endpoint;
            isCreating.value = false;
          }}
        />
      )}
      {created.value && (
        <SecretDialog
          title="The endpoint is created"
          endpoint={created.value}
          secret={created.value.secret}
          onClose={() => navigate(`/console/endpoints/${created.value?.id}`)}
        />
      )}
    </section>
  );
}

function EndpointCard({ endpoint }: { readonly endpoint: Endpoint }) {
  const { id, kind, url, events, health } = endpoint;
  return (
    <li class="card">
      <div class="card-head">
        <Link href={`/endpoints/${id}`} class="break">
          {nameOf(endpoint)}
        </Link>
        <Badge tone={healthTone(endpoint)}>{healthLabel(endpoint)}</Badge>
      </div>
      {endpoint.description && url && <p class="subtle break">{url}</p>}
      <p class="subtle">
        {kind} · {events.join(', ')}
      </p>
      <p class="subtle">
        {health.failingSince ? (
          <>
            has failed <For since={health.failingSince} />
          </>
        ) : health.lastDeliveredAt ? (
          <>
            last delivery <Ago at={health.lastDeliveredAt} />
          </>
        ) : (
          'nothing was delivered yet'
        )}
      </p>
    </li>
  );
}
