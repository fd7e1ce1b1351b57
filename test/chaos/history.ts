import type { Received } from './receivers.ts';

/** What users can see of a run when all is quiet, and what the checker knows besides: what upstream said. */
export type History = {
  /** The most that a worker's clock was off, ms. */
  readonly clocksApartMs: number;
  /** Within this time an event reaches an endpoint that always answers well, ms. */
  readonly promptMs: number;
  /** Whether nothing happened that lets a webhook come again that was answered well. */
  readonly sendsOnce: boolean;
  /** Virtual time at which faults stopped, and at which all was quiet; undefined when it never was. */
  readonly calmAt: number;
  readonly quietAt: number | undefined;
  readonly requests: readonly RequestStory[];
  readonly endpoints: readonly EndpointStory[];
  readonly received: readonly Received[];
  readonly bucket: {
    readonly objects: readonly {
      readonly key: string;
      readonly size: number;
      readonly sha256: string;
      /** What the bucket itself knows of it; undefined when it has none. */
      readonly checksum: string | undefined;
    }[];
    readonly uploads: readonly string[];
  };
  /** Each `video.stored` that a receiver got, and whether its object was there at that moment. */
  readonly storedWhenReceived: readonly { readonly webhook: string; readonly there: boolean }[];
  /** Rows that still have work, or an owner, though all should be done. */
  readonly unfinishedRows: readonly Row[];
  /** Rows that nobody took up within two minutes, when there were no faults any more. */
  readonly lateRows: readonly (RowName & { readonly lane: string; readonly lateMs: number })[];
  /** Keys of all rows. */
  readonly rows: readonly RowName[];
  /** Everything that was written where others may read it: logs, lists, errors, pages. */
  readonly said: readonly { readonly where: string; readonly text: string }[];
  /** What must not be in any of it. */
  readonly secrets: readonly Secret[];
  /** Everything that is in the table, each row by its key. */
  readonly stored: readonly { readonly where: string; readonly text: string }[];
};

/** `rows` is a pattern of the keys of the rows that hold it; without it none may. */
type Secret = { readonly name: string; readonly value: string; readonly rows?: string };

type RowName = { readonly pk: string; readonly sk: string };
export type Row = Readonly<Record<string, unknown>> & RowName;

/** A person's command to the bridge that was carried out; `at` is when it was answered. */
export type Command = { readonly at: number; readonly kind: 'restart' | 'stop' | 'purge' };

export type RequestStory = {
  readonly requestId: string;
  /** When upstream entered each status, in virtual ms since epoch. */
  readonly script: readonly (readonly [status: string, at: number])[];
  /** Whether upstream said the statuses of the script only, each in its time. */
  readonly isOrderly: boolean;
  readonly copy: boolean;
  readonly video: { readonly size: number; readonly sha256: string };
  /** Whether upstream named a source at once, which served the video each time. */
  readonly isServed: boolean;
  /** What the user said of it, if anything. */
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly commands: readonly Command[];
  readonly callbacks: readonly {
    readonly url: string;
    readonly events: readonly string[];
    readonly at: number;
  }[];
  /** `GET /v1/requests/{requestId}`; undefined for 404. */
  readonly view: RequestView | undefined;
  readonly events: readonly EventView[];
};

export type RequestView = {
  readonly state: string;
  readonly status: string;
  readonly sequence: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly callbacks: readonly {
    readonly endpointId: string;
    readonly url: string;
    readonly events: readonly string[];
  }[];
  readonly video: { readonly state: string; readonly key?: string; readonly size?: number } | null;
  readonly parked?: { readonly reason: string };
};

export type EventView = {
  readonly id: string;
  readonly type: string;
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>> & {
    readonly sequence?: number;
    readonly status?: string;
    readonly previousStatus?: string | null;
    readonly skipped?: readonly string[];
  };
};

export type EndpointStory = {
  readonly id: string;
  readonly kind: string;
  readonly url: string;
  readonly filter: readonly string[];
  readonly ordered: boolean;
  /** Whether it answered well all the time and was never changed. */
  readonly steady: boolean;
  readonly createdAt: number;
  /** From when on a person ordered its deletion, if ever. */
  readonly deletedAt: number | undefined;
  readonly secrets: readonly string[];
  readonly deliveries: readonly DeliveryView[];
};

export type DeliveryView = {
  readonly id: string;
  readonly eventId: string;
  readonly requestId?: string;
  readonly type: string;
  readonly state: string;
  readonly attemptCount: number;
  readonly attempts: readonly {
    readonly at: string;
    readonly statusCode?: number;
    readonly error?: string;
  }[];
};
