import { Link } from 'wouter-preact';
import type { Timeline, VideoRequest } from '../../client/client.ts';
import { Ago, DueIn, Time } from '../parts/time.tsx';
import { bytes, span } from '../parts/words.ts';
import { timeTaken } from './time-taken.ts';

type FactsProps = { readonly request: VideoRequest; readonly timeline: Timeline | undefined };

/** What was estimated against what it took, and what registration said. */
export function Facts({ request, timeline }: FactsProps) {
  const { estimates, averageFps, combinedFps, outputSize, polls, nextPollAt, lastPolledAt, sequence } =
    request;
  const took = timeline && timeTaken(timeline);
  return (
    <section class="panel">
      <h2>Facts</h2>
      <dl class="facts">
        <dt>Registered</dt>
        <dd>
          <Time at={request.registeredAt} />
        </dd>
        <dt>Time</dt>
        <dd>
          {estimates?.time
            ? `estimated ${range(estimates.time.map((seconds) => span(seconds * 1000)))}`
            : 'no estimate'}
          {took !== undefined && `, took ${span(took)}`}
        </dd>
        {estimates?.cost && (
          <>
            <dt>Cost</dt>
            <dd>estimated {range(estimates.cost.map(String))} credits</dd>
          </>
        )}
        {averageFps !== undefined && (
          <>
            <dt>Speed</dt>
            <dd>
              {averageFps.toFixed(1)} fps a node
              {combinedFps !== undefined && `, ${combinedFps.toFixed(1)} fps in all`}
            </dd>
          </>
        )}
        {outputSize !== undefined && (
          <>
            <dt>Output</dt>
            <dd>{typeof outputSize === 'number' ? bytes(outputSize) : outputSize}</dd>
          </>
        )}
        <dt>Polls</dt>
        <dd>
          {polls}
          {lastPolledAt && (
            <>
              , last <Ago at={lastPolledAt} />
            </>
          )}
          {nextPollAt && (
            <>
              , next <DueIn at={nextPollAt} />
            </>
          )}
        </dd>
        <dt>Events</dt>
        <dd>{sequence}</dd>
      </dl>
      <Metadata metadata={request.metadata} />
      <Callbacks request={request} />
    </section>
  );
}

function Metadata({ metadata }: Pick<VideoRequest, 'metadata'>) {
  const pairs = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) return null;
  return (
    <>
      <h3>Metadata</h3>
      <dl class="facts">
        {pairs.map(([name, value]) => (
          <div key={name} class="pair">
            <dt class="break">{name}</dt>
            <dd class="break">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Callbacks({ request: { callbacks } }: { readonly request: VideoRequest }) {
  if (callbacks.length === 0) return null;
  return (
    <>
      <h3>Callbacks</h3>
      <ul class="plain">
        {callbacks.map(({ endpointId, url, events }) => (
          <li key={endpointId}>
            <Link href={`/endpoints/${endpointId}`} class="break">
              {url}
            </Link>{' '}
            <span class="subtle">{events.join(', ')}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

const range = (values: readonly string[]): string => [...new Set(values)].join(' to ');
