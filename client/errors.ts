import type { ProblemDetails } from './types.ts';

/** The API refused a call, or failed. `message` is its problem's `detail`, which says what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** What was called, such as `GET /v1/requests`. */
  readonly call: string;
  /** The answer's body; of an answer without problem details (a gateway's, say), made from what it has. */
  readonly problem: ProblemDetails;
  /** How long the API asked to wait, ms. */
  readonly retryAfterMs: number | undefined;

  constructor(call: string, problem: ProblemDetails, retryAfterMs?: number) {
    super(problem.detail);
    this.call = call;
    this.status = problem.status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}

/** No answer came: the API cannot be reached, or took longer than a call may. `cause` says more. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';
  /** What was called, such as `GET /v1/requests`. */
  readonly call: string;

  constructor(call: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`The bridge did not answer (${reason}). Check its address and your connection.`, { cause });
    this.call = call;
  }
}
