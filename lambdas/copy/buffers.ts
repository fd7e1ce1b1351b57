/** The memory that parts pass through. */
export type Buffers = {
  /** A buffer of at least `bytes`. */
  take(bytes: number): Buffer;
  give(buffer: Buffer): void;
};

/**
 * Buffers of one size that are used again, within an invocation and by the next one of the same
 * worker: never more of them than were in use at once.
 */
export function createBuffers(): Buffers {
  let size = 0;
  let free: Buffer[] = [];
  return {
    take(bytes) {
      if (bytes > size) {
        size = bytes;
        free = [];
      }
      return free.pop() ?? Buffer.allocUnsafeSlow(size);
    },
    give(buffer) {
      if (buffer.length === size) free.push(buffer);
    },
  };
}
