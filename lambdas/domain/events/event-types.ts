/** Every type of event that the bridge sends, and when. */
export const EVENT_DESCRIPTIONS = {
  'video.requested': 'Topaz has the request.',
  'video.accepted': 'Topaz accepted the request.',
  'video.initializing': 'The job is being prepared.',
  'video.preprocessing': 'The input is being prepared.',
  'video.processing': 'The video is being enhanced.',
  'video.postprocessing': 'The output is being put together.',
  'video.complete': 'The job is complete.',
  'video.canceling': 'The job is being canceled.',
  'video.canceled': 'The job was canceled.',
  'video.failed': 'The job failed; `message` and `errorCode` say why, where Topaz gives them.',
  'video.status_unrecognized': 'Topaz reports a status that the bridge does not know; sent once per status.',
  'video.stored': 'The video is in your bucket and its checksum is verified.',
  'video.store_failed': 'The video could not be copied; `reason` says why.',
  'video.unavailable': 'The job is complete, but Topaz offers no download.',
  'video.lost': 'Topaz no longer knows the request, or it was pending for too long; `reason` says which.',
  'progress.updated': 'The progress changed; only for filters that name it, at most every 10 s per request.',
  'endpoint.test': 'You asked for a test of this endpoint.',
  'endpoint.disabled': 'An endpoint failed for five days or answered 410, and is disabled.',
  'endpoint.recovered': 'An endpoint that had failed answers again.',
} as const;

export type EventType = keyof typeof EVENT_DESCRIPTIONS;

export const EVENT_TYPES = Object.keys(EVENT_DESCRIPTIONS) as EventType[];
