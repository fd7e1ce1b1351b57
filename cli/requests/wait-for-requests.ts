import type { Client, VideoRequest } from '../../client/client.ts';
import { timeLeft } from '../../client/time-left.ts';
import type { Session } from '../command/session.ts';
import { throughOutages } from '../command/through-outages.ts';
import { EXIT, Failure } from '../frame/failure.ts';
import { printable, table } from '../frame/text.ts';
import { endText, hasEnded, progressLine } from './request-text.ts';

const LOOK_EVERY_MS = 2_000;
/** Each further request makes a round longer by this, so that many do not load the bridge, ms. */
const PER_REQUEST_MS = 50;
const AT_ONCE = 5;
/** Jobs take hours, and an outage in between may, too. */
const LONGEST_OUTAGE_MS = 12 * 3_600_000;

/**
 * Shows how requests go until all have ended: drawn in place on a terminal, and one line per change otherwise.
 *
 * @returns the requests as they ended
 * @throws {Failure} `timeoutMs` passed, with the exit code of a time-out
 */
export async function waitForRequests(
  session: Session,
  bridge: Client,
  ids: readonly string[],
  timeoutMs = Number.POSITIVE_INFINITY,
): Promise<VideoRequest[]> {
  const { out, sleep } = session;
  const until = Date.now() + timeoutMs;
  const seen = new Map<string, VideoRequest>();
  const said = new Map<string, string>();
  const lineOf = (request: VideoRequest) => progressLine(request, timeLeft(request, Date.now()));
  const live = out.terminal ? out.live() : undefined;
  const call = throughOutages(session, {
    atMostMs: Math.min(timeoutMs, LONGEST_OUTAGE_MS),
    note: (text) => {
      live?.clear();
      out.note(text);
    },
  });
  try {
    for (;;) {
      const open = ids.filter((id) => !hasEndedIn(seen, id));
      for (let at = 0; at < open.length; at += AT_ONCE) {
        const found = await call(() =>
          Promise.all(open.slice(at, at + AT_ONCE).map((id) => bridge.requests.get(id))),
        );
        for (const request of found) {
          seen.set(request.requestId, request);
          if (!live) report(request);
        }
      }
      live?.draw(ids.flatMap((id) => seen.get(id) ?? []).map(lineOf));
      if (ids.every((id) => hasEndedIn(seen, id))) break;
      if (Date.now() >= until)
        throw new Failure('Not all have ended in this time; the bridge goes on tracking them.', EXIT.timeout);
      await sleep(Math.min(LOOK_EVERY_MS + open.length * PER_REQUEST_MS, Math.max(0, until - Date.now())));
    }
  } finally {
    live?.clear();
  }
  const ended = ids.flatMap((id) => seen.get(id) ?? []);
  for (const line of table(
    ['REQUEST', 'STATE', 'STATUS', 'OUTCOME'],
    ended.map((each) => [each.requestId, each.state, each.status, endText(each)]),
  ))
    out.line(line);
  return ended;

  function report(request: VideoRequest): void {
    const withTime = lineOf(request);
    // The time left changes all the time.
    const line = progressLine(request);
    if (said.get(request.requestId) === line) return;
    said.set(request.requestId, line);
    out.value(request);
    out.line(printable(withTime));
  }
}

function hasEndedIn(seen: ReadonlyMap<string, VideoRequest>, id: string): boolean {
  const request = seen.get(id);
  return request !== undefined && hasEnded(request);
}
