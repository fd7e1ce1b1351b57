/** The invocations of all functions of an account that may run at a time. */
export class ConcurrencyLimit {
  readonly limit: number;
  private running = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes a place, if one is free: call what is returned to give it back. */
  enter(): (() => void) | undefined {
    if (this.running >= this.limit) return undefined;
    this.running++;
    return () => {
      this.running--;
    };
  }
}
