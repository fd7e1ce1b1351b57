import { useSignal } from '@preact/signals';
import { Link, useSearch } from 'wouter-preact';
import { navigate } from 'wouter-preact/use-browser-location';
import { ApiError, type Delivery, type Endpoint } from '../../client/client.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { Ago, DueIn, For, Time } from '../parts/time.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { plural } from '../parts/words.ts';
import { api, isAdmin } from '../session/session.ts';
import { DeliveryLog } from './delivery-log.tsx';
import { EndpointForm } from './endpoint-form.tsx';
import { KINDS } from './endpoint-kinds.ts';
import { healthLabel, healthTone, isSigned, nameOf, whyNot } from './endpoint-words.ts';
import { ReplayDialog } from './replay-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';
import { TestDialog } from './test-dialog.tsx';

/** Of what waits, at most so many are counted. */
const COUNTED = 100;

const byLastAttempt = (a: Delivery, b: Delivery): number =>
  (a.attempts.at(-1)?.at ?? '') < (b.attempts.at(-1)?.at ?? '') ? 1 : -1;

/** One endpoint: how it is, what it was sent, and what may be done. */
export function EndpointPage({ id }: { readonly id: string }) {
  const chosen = new URLSearchParams(useSearch()).get('delivery') ?? undefined;
  const { data, error, reload } = useLive(
    async (signal) => {
      const { endpoints } = api();
      const endpoint = await endpoints.get(id, { signal });
      const isWell = endpoint.health.state === 'healthy';
      const page = (state: Delivery['state'], limit: number) =>
        endpoints.deliveries(id, { state }).page({ limit, signal });
      const [held, pending, failed] = await Promise.all([
        page('held', COUNTED),
        isWell ? undefined : page('pending', 20),
        isWell ? undefined : page('failed', 1),
      ]);
      const tried = [...(pending?.items ?? []), ...(failed?.items ?? [])];
      return {
        endpoint,
        held: held.items.length,
        lastFailed: tried.filter(({ attempts }) => attempts.length > 0).sort(byLastAttempt)[0],
        nextAttemptAt: tried.flatMap((each) => each.nextAttemptAt ?? []).sort()[0],
      };
    },
    4_000,
    [id],
  );
  useTitle(data.value ? nameOf(data.value.endpoint) : 'Endpoint');
  if (error.value instanceof ApiError && error.value.status === 404)
    return (
      <section class="page">
        <Empty title="This endpoint no longer exists">
          <p>
            If it was deleted, what it was sent is listed below. Other endpoints are on the page{' '}
            <Link href="/endpoints">Endpoints</Link>.
          </p>
        </Empty>
        <DeliveryLog endpointId={id} chosen={chosen} />
      </section>
    );
  if (!data.value)
    return (
      <section class="page">
        <ErrorNote error={error.value} />
        {!error.value && <Loading />}
      </section>
    );
  const { endpoint, held, lastFailed, nextAttemptAt } = data.value;
  const reason = lastFailed && whyNot(lastFailed);
  return (
    <article class="page">
      <p class="crumbs">
        <Link href="/endpoints">Endpoints</Link> /
      </p>
      <div class="page-head">
        <h1 class="break">{nameOf(endpoint)}</h1>
        <Badge tone={healthTone(endpoint)}>{healthLabel(endpoint)}</Badge>
        {isAdmin.value && <Buttons endpoint={endpoint} onDone={reload} />}
      </div>
      <ErrorNote error={error.value} />
      <section class="panel">
        <h2>Health</h2>
        <Health endpoint={endpoint} reason={reason} nextAttemptAt={nextAttemptAt} />
        {held > 0 && (
          <p>
            {held === COUNTED
              ? `At least ${COUNTED} deliveries wait`
              : plural(held, 'delivery waits', 'deliveries wait')}{' '}
            until {endpoint.enabled ? 'the endpoint answers again' : 'it is enabled'}.
          </p>
        )}
        <dl class="facts">
          {endpoint.url && (
            <>
              <dt>URL</dt>
              <dd class="mono break">{endpoint.url}</dd>
            </>
          )}
          <dt>Kind</dt>
          <dd>{endpoint.kind}</dd>
          <dt>Events</dt>
          <dd>{endpoint.events.join(', ')}</dd>
          <dt>Rate limit</dt>
          <dd>{endpoint.rateLimit === undefined ? 'none' : `${endpoint.rateLimit} a second`}</dd>
          <dt>Order</dt>
          <dd>{endpoint.ordered ? 'one after the other' : 'as they come'}</dd>
          {Object.keys(endpoint.headers).length > 0 && (
            <>
              <dt>Headers</dt>
              <dd>{Object.keys(endpoint.headers).join(', ')} (their values are never shown)</dd>
            </>
          )}
          <dt>Created</dt>
          <dd>
            <Time at={endpoint.createdAt} />
          </dd>
          <dt>Id</dt>
          <dd class="mono break">{endpoint.id}</dd>
        </dl>
      </section>
      <DeliveryLog endpointId={id} chosen={chosen} />
    </article>
  );
}

type HealthProps = {
  readonly endpoint: Endpoint;
  /** Why the last attempt failed. */
  readonly reason: string | undefined;
  readonly nextAttemptAt: string | undefined;
};

function Health({ endpoint, reason, nextAttemptAt }: HealthProps) {
  const { health, enabled, disabledReason, kind } = endpoint;
  const next = [nextAttemptAt, health.nextProbeAt].flatMap((at) => at ?? []).sort()[0];
  if (!enabled)
    return (
      <p class="note warn">
        It is off: {disabledReason ?? 'a person disabled it'}. Its deliveries are held. Repair the receiver if
        it failed, then press “Enable”.
      </p>
    );
  if (health.state === 'failing')
    return (
      <div class="note bad">
        <p>
          It has failed <For since={health.failingSince} />
          {reason && `: ${reason}`}
        </p>
        <p>
          The bridge tries again with growing pauses
          {next && (
            <>
              {' '}
              (next <DueIn at={next} />)
            </>
          )}{' '}
          and holds new deliveries back.
        </p>
        <p>Repair the receiver. Then you can replay what failed for good.</p>
      </div>
    );
  if (!health.lastDeliveredAt)
    return (
      <p>
        {KINDS[kind].isFetched
          ? 'No message was acknowledged yet.'
          : 'Nothing was delivered yet. Send a test to see whether it answers.'}
      </p>
    );
  return (
    <p>
      It answers. The last delivery arrived <Ago at={health.lastDeliveredAt} />.
    </p>
  );
}

type ButtonsProps = { readonly endpoint: Endpoint; readonly onDone: () => void };

function Buttons({ endpoint, onDone }: ButtonsProps) {
  const { id, enabled } = endpoint;
  const dialog = useSignal<'edit' | 'test' | 'replay' | undefined>(undefined);
  const secret = useSignal<string | undefined>(undefined);
  const { endpoints } = api();
  const close = () => {
    dialog.value = undefined;
  };
  return (
    <div class="buttons">
      <button type="button" class="primary" onClick={() => (dialog.value = 'test')}>
        Send a test
      </button>
      <button type="button" onClick={() => (dialog.value = 'replay')}>
        Replay
      </button>
      <button type="button" onClick={() => (dialog.value = 'edit')}>
        Edit
      </button>
      <Action run={() => endpoints.change(id, { enabled: !enabled }).then(onDone)}>
        {enabled ? 'Disable' : 'Enable'}
      </Action>
      {isSigned(endpoint) && (
        <Action
          run={async () => {
            secret.value = (await endpoints.rotateSecret(id)).secret;
          }}
          confirm={{
            title: 'Rotate the signing secret?',
            text: 'The bridge signs with the new and the old secret for 24 hours. Until then give the new one to your receiver.',
            button: 'Rotate',
          }}
        >
          Rotate secret
        </Action>
      )}
      <Action
        class="danger-quiet"
        run={() => endpoints.delete(id).then(() => navigate('/console/endpoints'))}
        confirm={{
          title: 'Delete this endpoint?',
          text: 'Its deliveries that have not arrived are canceled. What it was sent can still be looked at.',
          button: 'Delete',
        }}
      >
        Delete
      </Action>
      {dialog.value === 'edit' && (
        <EndpointForm
          title="Edit the endpoint"
          endpoint={endpoint}
          onClose={close}
          onSubmit={async (change) => {
            await endpoints.change(id, change);
            close();
            onDone();
          }}
        />
      )}
      {dialog.value === 'test' && <TestDialog endpoint={endpoint} onClose={close} />}
      {dialog.value === 'replay' && <ReplayDialog endpointId={id} onClose={close} />}
      {secret.value && (
        <SecretDialog
          title="The new secret"
          endpoint={endpoint}
          secret={secret.value}
          onClose={() => {
            secret.value = undefined;
          }}
        />
      )}
    </div>
  );
}
