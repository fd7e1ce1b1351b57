import { useMemo } from 'preact/hooks';
import { Link } from 'wouter-preact';
import { ApiError, type VideoRequest } from '../../client/client.ts';
import { timeLeft } from '../../client/time-left.ts';
import { Action } from '../parts/action.tsx';
import { Badge } from '../parts/badge.tsx';
import { Empty, Loading } from '../parts/empty.tsx';
import { ErrorNote } from '../parts/error-note.tsx';
import { stageOf, videoInWords } from '../parts/stages.ts';
import { Ago, clock, For, Time } from '../parts/time.tsx';
import { useLive } from '../parts/use-live.ts';
import { useTitle } from '../parts/use-title.ts';
import { roughly } from '../parts/words.ts';
import { idsIn } from '../requests/pasted-ids.ts';
import { StageBar } from '../requests/stage-bar.tsx';
import { api, isAdmin } from '../session/session.ts';
import { Chunks } from './chunks.tsx';
import { Deliveries } from './deliveries.tsx';
import { Facts } from './facts.tsx';
import { RequestActions } from './request-actions.tsx';
import { storyOf } from './story.ts';
import { StoryChart } from './story-chart.tsx';
import { StoryList } from './story-list.tsx';
import { VideoPanel } from './video-player.tsx';

const ACTIVE_MS = 2_000;
const ENDED_MS = 10_000;

/** One request's whole story. */
export function RequestPage({ id }: { readonly id: string }) {
  useTitle(`Request ${id.slice(0, 8)}`);
  const { data, error, reload } = useLive(
    async (signal) => {
      const { requests, endpoints } = api();
      const [request, timeline, known] = await Promise.all([
        requests.get(id, { signal }),
        requests.timeline(id, { signal }),
        endpoints.list().page({ limit: 100, signal }),
      ]);
      return { request, timeline, endpoints: known.items };
    },
    (loaded) => (loaded?.request.state === 'active' ? ACTIVE_MS : ENDED_MS),
    [id],
  );
  const loaded = data.value;
  const story = useMemo(
    () => loaded && storyOf(loaded.request, loaded.timeline, loaded.endpoints, Date.now()),
    [loaded],
  );
  if (error.value instanceof ApiError && error.value.status === 404)
    return <Untracked id={id} onRegistered={reload} />;
  if (!loaded || !story)
    return (
      <section class="page">
        <ErrorNote error={error.value} />
        {!error.value && <Loading />}
      </section>
    );
  const { request, timeline } = loaded;
  return (
    <article class="page">
      <p class="crumbs">
        <Link href="/requests">Requests</Link> /
      </p>
      <div class="page-head">
        <h1 class="mono break">{request.requestId}</h1>
        <RequestActions request={request} onDone={reload} />
      </div>
      <ErrorNote error={error.value} />
      <Summary request={request} />
      <section class="panel">
        <h2>Timeline</h2>
        <StoryChart story={story} />
      </section>
      <div class="columns">
        <div>
          <VideoPanel request={request} />
          {(request.processingJobs?.length ?? 0) > 0 && <Chunks chunks={request.processingJobs ?? []} />}
        </div>
        <div>
          <Facts request={request} timeline={timeline} />
          <Deliveries timeline={timeline} story={story} />
        </div>
      </div>
      <StoryList story={story} />
    </article>
  );
}

type UntrackedProps = { readonly id: string; readonly onRegistered: () => void };

function Untracked({ id, onRegistered }: UntrackedProps) {
  const isId = idsIn(id).ids[0] === id.toLowerCase();
  return (
    <section class="page">
      <h1 class="mono break">{id}</h1>
      <Empty title={isId ? 'The bridge does not track this request' : 'This is not the id of a request'}>
        <p>
          {isId
            ? 'It was never registered, or was purged, or has expired.'
            : 'The id is the UUID that Topaz gave the request: check the address.'}
        </p>
        {isId && isAdmin.value && (
          <Action class="primary" run={() => api().requests.register({ requestId: id }).then(onRegistered)}>
            Register it
          </Action>
        )}
        <p>
          <Link href="/requests">All requests</Link>
        </p>
      </Empty>
    </section>
  );
}

/** Where the request stands, in a line, and what stands in its way. */
function Summary({ request }: { readonly request: VideoRequest }) {
  const { status, state, progress, statusSince, parked, lastError, message, errorCode } = request;
  const { label, tone } = stageOf(status);
  const left = timeLeft(request, clock.value);
  const copied = videoInWords(request);
  return (
    <>
      <div class="summary">
        <StageBar request={request} />
        <span>
          <Badge tone={tone}>{label}</Badge> {progress !== null && `${Math.round(progress)} %`}{' '}
          <span class="subtle">
            <For since={statusSince} />
          </span>
        </span>
        {left !== undefined && <span>about {roughly(left)} left</span>}
        {copied && (
          <span>
            Video: <Badge tone={copied.tone}>{copied.label}</Badge>
          </span>
        )}
        {state === 'stopped' && <Badge tone="idle">tracking stopped</Badge>}
      </div>
      {parked && (
        <div class="note bad" role="alert">
          <p>
            <strong>This request needs you.</strong> It was tried eight times without progress (
            <Time at={parked.since} />
            ): {parked.reason}
          </p>
          <p>Remove the cause, then press “Try again now”.</p>
        </div>
      )}
      {(message || errorCode) && (
        <p class={`note ${status === 'failed' ? 'bad' : ''}`}>
          Topaz says: {message} {errorCode && <code>{errorCode}</code>}
        </p>
      )}
      {lastError && (
        <p class="note warn">
          The last poll brought no status (<Ago at={lastError.at} />
          ): {lastError.reason}. The bridge asks again.
        </p>
      )}
    </>
  );
}
