/** What the parent sends; `deadline` is in ms since epoch. */
export type Invocation = {
  requestId: string;
  event: unknown;
  deadline: number;
  functionArn: string;
  /** The trace header, which the SDK passes on to what the function calls. */
  trace: string;
};

/** What the host says: once that it is ready or why it is not, then one answer an invocation. */
export type HostAnswer =
  | { ready: true }
  | { initError: InvocationError }
  | { result: unknown }
  | { error: InvocationError };

export type InvocationError = {
  errorType: string;
  errorMessage: string;
  trace: string[];
};

/** Names the variable that holds how far the clock of the function is off, ms. */
export const CLOCK_OFFSET_VARIABLE = 'LOCAL_CLOCK_OFFSET_MS';
