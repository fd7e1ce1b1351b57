import type { Timeline, VideoRequest } from '../../client/client.ts';
import { command } from '../command/command.ts';
import { one } from '../frame/arguments.ts';
import { bytesText, durationText, printable, table, timeText } from '../frame/text.ts';

export const show = command<object, [string]>({
  brief: "Show a request's timeline: statuses, copy, events and deliveries",
  examples: [['show 4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34', 'All that happened to a request']],
  args: one('ID', 'The id of the request'),
  async run({ connect, out }, _flags, requestId) {
    const bridge = await connect();
    const [request, timeline] = await Promise.all([
      bridge.requests.get(requestId),
      bridge.requests.timeline(requestId),
    ]);
    out.value({ request, timeline });
    for (const line of story(request, timeline)) out.line(line);
  },
});

/** The story as lines for people. */
function story(request: VideoRequest, timeline: Timeline): string[] {
  const { requestId, state, status, progress, registeredAt, metadata, callbacks, lastError, parked } =
    request;
  const facts: [string, string | undefined][] = [
    ['state', `${state}, ${status}${progress === null ? '' : `, ${progress} %`}`],
    ['registered', `${timeText(registeredAt)} UTC, polled ${timeline.polls} times`],
    [
      'metadata',
      Object.entries(metadata)
        .map(([name, value]) => `${name}=${value}`)
        .join(', '),
    ],
    ['callbacks', callbacks.map(({ url, endpointId }) => `${url} (${endpointId})`).join(', ')],
    ['message', request.message],
    ['last error', lastError && `${timeText(lastError.at)}: ${lastError.reason}`],
    ['parked', parked && `${parked.reason}; topaz-bridge poll ${requestId} takes it up again`],
  ];
  return [
    printable(requestId),
    ...facts.flatMap(([name, value]) => (value ? [`  ${name.padEnd(11)} ${printable(value)}`] : [])),
    ...section('Statuses', statusLines(timeline)),
    ...section('Copy', copyLines(request, timeline)),
    ...section(
      'Events',
      timeline.events.map(({ at, sequence, type, id }) => `${timeText(at)}  #${sequence} ${type}  ${id}`),
    ),
    ...section('Deliveries', deliveryLines(timeline)),
  ];
}

const section = (head: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : ['', head, ...lines.map((line) => `  ${printable(line)}`)];

function statusLines({ statuses }: Timeline): string[] {
  return statuses.flatMap(({ status, at, until, skipped = [] }) => [
    ...skipped.map((name) => `${' '.repeat(19)}  ${name}  (passed unseen between two polls)`),
    `${timeText(at)}  ${status}${until ? `  for ${durationText(Date.parse(until) - Date.parse(at))}` : ''}`,
  ]);
}

function copyLines({ video }: VideoRequest, { copy }: Timeline): string[] {
  if (!copy) return [];
  const { state, startedAt, storedAt, copiedBytes, size, error } = copy;
  const amount = size === undefined ? '' : `, ${bytesText(copiedBytes ?? 0)} of ${bytesText(size)}`;
  const took =
    startedAt && storedAt ? ` in ${durationText(Date.parse(storedAt) - Date.parse(startedAt))}` : '';
  return [
    `${state}${amount}${took}`,
    ...(video?.key ? [`s3://${video.bucket}/${video.key}`] : []),
    ...(video?.checksum ? [`${video.checksum.algorithm} ${video.checksum.value}`] : []),
    ...(error ? [error] : []),
    ...(video?.lastError ? [`last failure ${timeText(video.lastError.at)}: ${video.lastError.reason}`] : []),
  ];
}

function deliveryLines({ deliveries }: Timeline): string[] {
  if (deliveries.length === 0) return [];
  return table(
    ['STATE', 'TYPE', 'ATTEMPTS', 'ENDPOINT', 'DELIVERY', 'REASON'],
    deliveries.map(({ state, type, attemptCount, endpointId, id, reason }) => [
      state,
      type,
      String(attemptCount),
      endpointId,
      id,
      reason ?? '',
    ]),
  );
}
