import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import type { Display, Running, ShownEvent, ShownVideo } from './display.ts';

type ShownRequest = {
  state: 'active' | 'parked' | 'done' | 'stopped';
  progress?: number;
  video: ShownVideo | null;
};

/** What the demonstration uses of the simulated Topaz API. */
type Simulation = {
  /** Sets a job up, as `POST /_sim/jobs` does. */
  setJob(job: object): Promise<void>;
  /** Bytes of the job's video that the simulation has sent. */
  sentBytes(requestId: string): Promise<number>;
};

const LOOK_EVERY_MS = 400;
/** A copy of four seconds: long enough to watch. */
const video = { padding: 20_000_000, bytesPerSecond: 5_000_000 };

/**
 * Registers a request and shows its events and its copy, until it is done or `signal` is aborted. Without a
 * `simulation` upstream is another API, and the request must exist there.
 */
export async function runDemo(
  api: ApiClient,
  display: Display,
  running: Running,
  simulation: Simulation | undefined,
  signal: AbortSignal,
): Promise<void> {
  const requestId = randomUUID();
  const { padding, bytesPerSecond } = video;
  await simulation?.setJob({
    requestId,
    padding,
    faults: [{ at: 'download', kind: 'drip', bytesPerSecond }],
  });
  await api.post('/v1/requests', { requestId, callbackUrl: `${running.receiverUrl}/webhooks` });
  display.registered(requestId);

  let shownEvents = 0;
  let shownProgress: number | undefined;
  let shownBytes: number | undefined;
  while (!signal.aborted) {
    // The request comes first: when it is done, the events read after it are complete.
    const { state, progress, video } = await api.get<ShownRequest>(`/v1/requests/${requestId}`);
    const { items } = await api.get<{ items: ShownEvent[] }>(`/v1/requests/${requestId}/events`);

    for (const event of items.slice(shownEvents)) display.transition(event);
    if (items.length === shownEvents && progress && progress !== shownProgress) display.progress(progress);
    shownEvents = items.length;
    shownProgress = progress;
    if (video?.state === 'copying') {
      // The API counts whole parts, and a small copy has only one or two: the source knows more.
      const sent = (await simulation?.sentBytes(requestId)) ?? 0;
      const copiedBytes = Math.max(video.copiedBytes ?? 0, Math.min(sent, video.size ?? 0));
      if (copiedBytes !== shownBytes) display.copying({ ...video, copiedBytes });
      shownBytes = copiedBytes;
    }
    if (state !== 'active') {
      if (video?.state === 'stored') display.stored(requestId, video, running);
      else display.problem(`The request ended as ${state}, without a stored video.`);
      return;
    }
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => {});
  }
}

/** The simulation behind `topazUrl`. */
export function simulationAt(topazUrl: string): Simulation {
  return {
    async setJob(job) {
      const answer = await fetch(`${topazUrl}/_sim/jobs`, { method: 'POST', body: JSON.stringify(job) });
      if (!answer.ok) throw new Error(`The simulated Topaz API refused a job: ${await answer.text()}`);
    },
    async sentBytes(requestId) {
      const answer = await fetch(`${topazUrl}/_sim/jobs`);
      const { items } = (await answer.json()) as { items: { requestId: string; sentBytes: number }[] };
      return items.find((job) => job.requestId === requestId)?.sentBytes ?? 0;
    },
  };
}
