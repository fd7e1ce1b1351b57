import { Link } from 'wouter-preact';
import type { Doctor, Endpoint, History, Parked, Stats } from '../../client/client.ts';
import { nameOf } from '../endpoints/endpoint-words.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Choices } from '../parts/choices.tsx';
import { Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { useInQuery } from '../parts/query.ts';
import { ScrollX } from '../parts/scroll-x.tsx';
import { Ago, For, Time } from '../parts/time.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { capital, plural, span, whole } from '../parts/words.ts';
import { api, isAdmin } from '../session/session.ts';
import { Chart } from './chart.tsx';

const REFRESH_MS = 5_000;
const HISTORY_MS = 60_000;
/** The checks ask Topaz, S3, SQS and CloudWatch. */
const DOCTOR_MS = 30_000;
const RANGES = [
  ['1h', 'Hour'],
  ['24h', 'Day'],
  ['7d', 'Week'],
] as const;

/** The state of the deployment: what needs a person comes first. */
export function OverviewPage() {
  useTitle('Overview');
  const { data, error, reload } = useLive(
    async (signal) => {
      const client = api();
      const [stats, parked, endpoints] = await Promise.all([
        client.stats({ signal }),
        client.parked.list().page({ limit: 50, signal }),
        // There are no more than that.
        client.endpoints.list().page({ limit: 100, signal }),
      ]);
      return {
        stats,
        parked: parked.items,
        isMoreParked: parked.cursor !== undefined,
        endpoints: endpoints.items,
      };
    },
    REFRESH_MS,
    [],
  );
  const doctor = useLive((signal) => api().doctor({ signal }), DOCTOR_MS, []);
  const loaded = data.value;
  const checks = doctor.data.value?.checks;
  const reloadAll = () => {
    reload();
    doctor.reload();
  };
  return (
    <section class="page">
      <h1>Overview</h1>
      <ErrorNote error={error.value ?? doctor.error.value} />
      {!loaded && !error.value && <Loading />}
      {loaded && (
        <>
          <Attention {...loaded} checks={checks} onDone={reloadAll} />
          <Requests stats={loaded.stats} />
          <Charts />
          <Lanes lanes={loaded.stats.lanes} />
          {checks && <Checks checks={checks} />}
        </>
      )}
    </section>
  );
}

type AttentionProps = {
  readonly stats: Stats;
  /** Missing until they are made. */
  readonly checks: Doctor['checks'] | undefined;
  readonly parked: readonly Parked[];
  /** Whether there is more than `parked` holds. */
  readonly isMoreParked: boolean;
  readonly endpoints: readonly Endpoint[];
  readonly onDone: () => void;
};

function Attention({ stats, checks, parked, isMoreParked, endpoints, onDone }: AttentionProps) {
  const { upstream } = stats;
  const lost = stats.requests.byStatus.lost ?? 0;
  const ill = endpoints.filter(({ health, enabled }) => health.state === 'failing' || !enabled);
  // The other checks are told in full by what follows.
  const isToldApart = (name: string) =>
    TOLD_APART.has(name) && !(name === 'upstream' && upstream.state === 'ok');
  const others = (checks ?? []).filter(({ name, state }) => state !== 'ok' && !isToldApart(name));
  const isWell =
    upstream.state === 'ok' && parked.length === 0 && ill.length === 0 && others.length === 0 && lost === 0;
  if (isWell && !checks) return null;
  if (isWell)
    return (
      <p class="note good">
        <Badge tone="good">Nothing needs you</Badge> Topaz is being polled, no work is parked and no endpoint
        fails.
      </p>
    );
  return (
    <section class="panel attention">
      <h2>Needs you</h2>
      <ul class="plain">
        {upstream.state === 'paused' && (
          <li>
            <Badge tone="bad">polling is paused</Badge> {capital(upstream.reason ?? '')}. Since{' '}
            <Time at={upstream.since} />, next probe <Ago at={upstream.until} />.
            <p class="subtle">
              If Topaz refuses the key, correct the secret of the output <code>TopazApiKeySecretArn</code>,
              then poll any request from its page: that ends the pause.
            </p>
          </li>
        )}
        {parked.map((each) => (
          <li key={each.id}>
            <Badge tone="bad">parked</Badge> {capital(each.kind)}: {each.reason}{' '}
            <span class="subtle">
              <For since={each.since} />
            </span>{' '}
            {each.requestId && <Link href={`/requests/${each.requestId}`}>its request</Link>}{' '}
            {each.endpointId && <Link href={`/endpoints/${each.endpointId}`}>its endpoint</Link>}
            {isAdmin.value && (
              <Action class="quiet" run={() => api().parked.release(each.id).then(onDone)}>
                Try again
              </Action>
            )}
          </li>
        ))}
        {isMoreParked && (
          <li class="subtle">
            More work is parked than these {parked.length}. The rest is shown once these are released.
          </li>
        )}
        {ill.map((endpoint) => (
          <li key={endpoint.id}>
            <Badge tone={endpoint.enabled ? 'bad' : 'warn'}>
              {endpoint.enabled ? 'endpoint fails' : 'endpoint is disabled'}
            </Badge>{' '}
            <Link href={`/endpoints/${endpoint.id}`} class="break">
              {nameOf(endpoint)}
            </Link>{' '}
            <span class="subtle">
              {endpoint.health.failingSince ? (
                <For since={endpoint.health.failingSince} />
              ) : (
                endpoint.disabledReason
              )}
            </span>
          </li>
        ))}
        {lost > 0 && (
          <li>
            <Badge tone="warn">lost</Badge>{' '}
            <Link href="/requests?status=lost">{plural(lost, 'request')}</Link>
            <p class="subtle">
              Topaz no longer knows them. Look into your account there; then purge or restart them.
            </p>
          </li>
        )}
        {others.map(({ name, state, detail, remedy }) => (
          <li key={name}>
            <Badge tone={state === 'failed' ? 'bad' : 'warn'}>{name}</Badge> {detail}
            {remedy && <p class="subtle">{remedy}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}

const TOLD_APART = new Set(['parked', 'endpoints', 'upstream']);
const STATES = [
  ['active', 'Active'],
  ['parked', 'Need you'],
  ['done', 'Done'],
  ['stopped', 'Stopped'],
] as const;

function Requests({ stats: { requests } }: { readonly stats: Stats }) {
  return (
    <ul class="tiles">
      {STATES.map(([state, name]) => (
        <li key={state}>
          <Link href={`/requests?state=${state}`}>
            <strong>{whole.format(requests.byState[state] ?? 0)}</strong> {name}
          </Link>
        </li>
      ))}
    </ul>
  );
}

const SERIES = [
  ['polls', 'Polls', '--stage-early', 'good'],
  ['transitions', 'Changes of status', '--stage-work', 'good'],
  ['copies', 'Videos stored', '--stage-copy', 'good'],
  ['deliveries', 'Deliveries', '--stage-done', 'good'],
  ['failures', 'Failed for good', '--stage-failed', 'bad'],
] as const;

function Charts() {
  const range = useInQuery<History['range']>('range', '1h');
  const { data, error } = useLive((signal) => api().history(range.value, { signal }), HISTORY_MS, [
    range.value,
  ]);
  return (
    <section class="panel">
      <div class="panel-head">
        <h2>Activity</h2>
        <Choices
          label="Range"
          options={RANGES}
          value={range.value}
          onChange={(each) => {
            range.value = each;
          }}
        />
      </div>
      <ErrorNote error={error.value} />
      {!data.value && !error.value && <Loading />}
      <div class="charts">
        {data.value &&
          SERIES.map(([key, name, color, kind]) => (
            <Chart key={key} name={name} points={data.value?.series[key] ?? []} color={color} kind={kind} />
          ))}
      </div>
    </section>
  );
}

const LANE_NAMES: Record<string, string> = {
  poll: 'Polls',
  copy: 'Copies',
  dispatch: 'Sending events to endpoints',
  deliver: 'Deliveries',
  'deliver-slow': 'Deliveries to slow endpoints',
};

function Lanes({ lanes }: Pick<Stats, 'lanes'>) {
  return (
    <section class="panel">
      <h2>Work</h2>
      <ScrollX label="Work">
        <table>
          <thead>
            <tr>
              <th scope="col">Kind of work</th>
              <th scope="col">Scheduled</th>
              <th scope="col">Overdue</th>
              <th scope="col">Oldest overdue</th>
              <th scope="col">Parked</th>
            </tr>
          </thead>
          <tbody>
            {Object.entries(lanes).map(
              ([lane, { waiting, overdue, oldestOverdueSeconds, parked, capped }]) => (
                <tr key={lane}>
                  <th scope="row">{LANE_NAMES[lane] ?? lane}</th>
                  <td class="number">
                    {whole.format(waiting)}
                    {capped && '+'}
                  </td>
                  <td class="number">{whole.format(overdue)}</td>
                  <td class="number">
                    {overdue === 0
                      ? '–'
                      : oldestOverdueSeconds === 0
                        ? 'less than 1 s'
                        : span(oldestOverdueSeconds * 1000)}
                  </td>
                  <td class="number">{parked > 0 ? <Badge tone="bad">{String(parked)}</Badge> : '0'}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </ScrollX>
    </section>
  );
}

function Checks({ checks }: Pick<Doctor, 'checks'>) {
  const tones = { ok: 'good', warning: 'warn', failed: 'bad' } as const;
  return (
    <section class="panel">
      <h2>Doctor</h2>
      <p class="subtle">{plural(checks.length, 'check')} of the deployment, made again every 30 s.</p>
      <ul class="plain checks">
        {checks.map(({ name, state, detail, remedy }) => (
          <li key={name}>
            <Badge tone={tones[state]}>{name}</Badge> {detail}{' '}
            {remedy && <span class="subtle">{remedy}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
