/** The source of the bridge's events on an event bus, by which rules select them. */
export const EVENT_SOURCE = 'topaz-video-webhooks';
