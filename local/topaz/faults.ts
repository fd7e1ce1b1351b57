import * as z from 'zod';

/** When a fault strikes; without any of these, always. Seconds are the server's clock's, not sped up. */
const limits = {
  /** Lets this many pass that it could have struck. */
  skip: z.int().nonnegative().optional(),
  /** Strikes this many times. */
  times: z.int().positive().optional(),
  /** Begins this long after it was set. */
  afterSeconds: z.number().nonnegative().optional(),
  /** Ends this long after it began. */
  forSeconds: z.number().positive().optional(),
};

const bytes = z.int().nonnegative();
const at = <Place extends 'status' | 'download'>(place: Place) =>
  function kind<Kind extends string, Shape extends z.ZodRawShape>(name: Kind, shape: Shape) {
    return z.strictObject({ at: z.literal(place), kind: z.literal(name), ...shape, ...limits });
  };
const status = at('status');
const download = at('download');

const http = {
  status: z.int().min(300).max(599),
  message: z.string().optional(),
  /** Seconds, or text that is sent as it stands (an HTTP date). */
  retryAfter: z.union([z.int().nonnegative(), z.string()]).optional(),
};
const drip = { bytesPerSecond: z.int().positive() };

const statusFault = z.discriminatedUnion('kind', [
  status('http', http),
  /** No answer, the connection stays open. */
  status('hang', {}),
  status('reset', {}),
  status('drip', drip),
  /** 200 with an HTML page. */
  status('notJson', {}),
  status('wrongTypes', {}),
  status('huge', { bytes: bytes.default(64 * 1024 * 1024) }),
  status('unknownStatus', { status: z.string().default('paused') }),
  /** The answer of so many statuses ago, as from a replica that lags. */
  status('backwards', { steps: z.int().positive().default(1) }),
  status('noProgress', {}),
  /** `complete`, but without `download`. */
  status('noDownload', {}),
]);

const downloadFault = z.discriminatedUnion('kind', [
  download('http', http),
  download('hang', {}),
  /** Resets the connection after so many bytes of the body. */
  download('reset', { afterBytes: bytes.default(0) }),
  download('drip', drip),
  /** New URLs live this long. */
  download('expiry', { seconds: z.number().nonnegative() }),
  /** URLs issued before the fault began are refused, newer ones work. */
  download('revoked', { status: z.union([z.literal(403), z.literal(410)]).default(403) }),
  /** Other bytes of the same size under another ETag. */
  download('changed', {}),
  /** `Range` is ignored: 200 and the whole video. */
  download('noRange', {}),
  /** Chunked, no `Content-Length`. */
  download('noLength', {}),
  /** Ends the connection so many bytes early. */
  download('short', { missing: bytes.positive().default(1) }),
  /** Sends so many bytes more than the range asked for. */
  download('long', { extra: bytes.positive().default(1) }),
  /** Sends so many bytes, then nothing more; the connection stays open. */
  download('stall', { afterBytes: bytes.default(0) }),
  /** To a fresh URL of this server, or to `location`. */
  download('redirect', {
    status: z.union([z.literal(301), z.literal(302), z.literal(307), z.literal(308)]).default(302),
    location: z.string().optional(),
  }),
  download('gzip', {}),
  /** An error page with status 200. */
  download('html', {}),
]);

export const faultSchema = z.discriminatedUnion('at', [statusFault, downloadFault]);
type Fault = z.output<typeof faultSchema>;
type Faults = { status: z.output<typeof statusFault>; download: z.output<typeof downloadFault> };
export type Place = keyof Faults;

/**
 * The fault of this kind that strikes the request at hand, and counts it: ask only where it could take effect.
 * `applies` gets when the fault began (ms since epoch) and may exempt the request without counting.
 */
export type Strike<P extends Place> = <K extends Faults[P]['kind']>(
  kind: K,
  applies?: (begins: number) => boolean,
) => Extract<Faults[P], { kind: K }> | undefined;

type Armed = { fault: Fault; begins: number; ends: number; passed: number; struck: number };

/** The faults set for one job, or for all of them, and how often each has struck. */
export class FaultSet {
  #armed: Armed[];

  constructor(faults: Fault[], now: number) {
    this.#armed = faults.map((fault) => {
      const begins = now + (fault.afterSeconds ?? 0) * 1000;
      return { fault, begins, ends: begins + (fault.forSeconds ?? Infinity) * 1000, passed: 0, struck: 0 };
    });
  }

  get faults(): Fault[] {
    return this.#armed.map(({ fault }) => fault);
  }

  /** Of several faults of one kind the first that is not used up strikes. */
  strikes<P extends Place>(place: P, now: number): Strike<P> {
    return <K extends Faults[P]['kind']>(kind: K, applies: (begins: number) => boolean = () => true) => {
      for (const armed of this.#armed) {
        const { fault, begins, ends } = armed;
        if (fault.at !== place || fault.kind !== kind || now < begins || now >= ends) continue;
        if (armed.struck >= (fault.times ?? Infinity) || !applies(begins)) continue;
        if (armed.passed < (fault.skip ?? 0)) {
          armed.passed += 1;
          continue;
        }
        armed.struck += 1;
        return fault as Extract<Faults[P], { kind: K }>;
      }
      return undefined;
    };
  }
}
