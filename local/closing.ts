/** Collects what must be closed when the bridge stops; the last one is closed first. */
export type Closing = (close: () => unknown) => void;
