import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';
import type { Display, Running, ShownEvent, ShownVideo } from './display.ts';

interface ShownRequest {
  state: 'active' | 'parked' | 'done' | 'stopped';
  progress?: number;
  video: ShownVideo | null;
}

const lookEveryMs = 400;

/** Registers a request and shows what becomes of it, until nothing more will or `signal` is aborted. */
export async function runDemo(
  api: ApiClient,
  display: Display,
  running: Running,
  signal: AbortSignal,
): Promise<void> {
  const requestId = randomUUID();
  await api.post('/v1/requests', { requestId, callbackUrl: `${running.receiverUrl}/webhooks` });
  display.registered(requestId);

  let shownEvents = 0;
  let shownProgress: number | undefined;
  let shownBytes: number | undefined;
  while (!signal.aborted) {
    // The request first: events that are there when it is done are all that it will have.
    const { state, progress, video } = await api.get<ShownRequest>(`/v1/requests/${requestId}`);
    const { items } = await api.get<{ items: ShownEvent[] }>(`/v1/requests/${requestId}/events`);

    for (const event of items.slice(shownEvents)) display.transition(event);
    if (items.length === shownEvents && progress && progress !== shownProgress) display.progress(progress);
    shownEvents = items.length;
    shownProgress = progress;
    if (video?.copiedBytes !== undefined && video.copiedBytes !== shownBytes) {
      display.copying(video);
      shownBytes = video.copiedBytes;
    }
    if (state !== 'active') {
      if (video?.state === 'stored') display.stored(requestId, video, running);
      else display.problem(`The request ended as ${state}, without a stored video.`);
      return;
    }
    await pause(lookEveryMs, undefined, { signal }).catch(() => {});
  }
}
