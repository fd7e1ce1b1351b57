import type * as z from 'zod/mini';
import type { Caller } from './auth.ts';
import type { Commit, Effect, Kept, KeyReused } from './idempotency.ts';

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/**
 * Which callers are admitted besides admins: with `public` all, with `read` keys of that role, with `consumer` keys of that
 * role that are bound to the endpoint in the path, with `admin` no others.
 */
export type Access = 'public' | 'read' | 'consumer' | 'admin';

/** An item of a batch. Its idempotency key is made of the call's key and the item's id. */
export type KeyedItem = { readonly id: string; readonly content: unknown };

/** A call that was authenticated and parsed. */
export type Call<Q, B> = {
  readonly caller: Caller;
  /** Whether it came by HEAD: the body of the answer is left out. */
  readonly headersOnly: boolean;
  readonly path: string;
  /** The parameters in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Q;
  readonly body: B;
  /** The `Accept` header. */
  readonly accept: string;
  /**
   * Runs an effect once per `Idempotency-Key`, if there is one. A batch gives each item's identity
   * and content, so that each is kept separately.
   */
  readonly once: (effect: (commit: Commit) => Promise<Effect>, item?: KeyedItem) => Promise<Effect>;
  /** What the key stands for, for each item of a batch. */
  readonly findKept: (items: readonly KeyedItem[]) => Promise<(Kept | KeyReused)[]>;
};

export type Answer = {
  readonly status: number;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

/** One call of the contract: the router serves it, and the OpenAPI document describes it. */
export type Route<Q = unknown, B = unknown> = {
  /** What clients that are generated from the document call it. */
  readonly name: string;
  readonly method: Method;
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  /** The query's parameters; without it there are none. */
  readonly query?: z.ZodMiniType<Q>;
  /** The JSON body; without it there is none. */
  readonly body?: z.ZodMiniType<B>;
  /** The body as the document shows it, where `body` leaves some checks to the handler. */
  readonly describedBody?: z.ZodMiniType;
  /** Whether the body may be left out, and counts as `{}`. */
  readonly bodyOptional?: boolean;
  /** Bytes; by default 256 KiB. */
  readonly maxBodyBytes?: number;
  /** Statuses of refusals besides those that follow from the other fields. */
  readonly refusals?: readonly number[];
  /** What the answers hold, by status: the name of a schema in the document, or nothing. */
  readonly answers: Readonly<Record<number, string | null>>;
  readonly handle: (call: Call<Q, B>) => Promise<Answer>;
};

/** Lets a route's handler see the types that its schemas give. */
export const route = <Q = Record<string, never>, B = undefined>(definition: Route<Q, B>): Route =>
  definition as unknown as Route;

export const ok = (body: unknown): Answer => ({ status: 200, body });
