/** Sets this process's clock (`Date`) off by `ms`. Returns the true one, in ms since epoch. */
export function skewClock(ms: number): () => number {
  const RealDate = Date;
  const trueNow = RealDate.now.bind(RealDate);
  if (ms === 0) return trueNow;
  class SkewedDate extends RealDate {
    // biome-ignore lint/suspicious/noExplicitAny: Date has many constructors, and this passes all of them on.
    constructor(...given: any[]) {
      if (given.length === 0) super(trueNow() + ms);
      else super(...(given as [number]));
    }

    static override now(): number {
      return trueNow() + ms;
    }
  }
  globalThis.Date = SkewedDate as DateConstructor;
  return trueNow;
}
