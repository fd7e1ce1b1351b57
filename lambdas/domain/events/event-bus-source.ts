/** The source of the bridge's events on an event bus; rules select by it. */
export const EVENT_BUS_SOURCE = 'topaz-video-webhooks';
