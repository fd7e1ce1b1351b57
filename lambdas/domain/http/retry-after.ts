/** Larger numbers are times since 1970: in seconds, or from the second bound on in milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;
const NUMBER = /^\d{1,17}(\.\d{1,9})?$/;
/** An HTTP date (`Mon, 23 Nov 2026 20:02:00 GMT`) or an ISO 8601 time; `Date.parse` takes nearly anything. */
const DATE = /^([A-Za-z]{3,9},? |\d{4}-\d\d-\d\dT)/;

/**
 * The wait that a `Retry-After` header asks for, ms. Understands seconds and HTTP dates (RFC 9110,
 * 10.2.3), and what servers send besides: fractions of seconds, ISO 8601 times, and times since 1970 in
 * seconds or milliseconds. Undefined when absent or unreadable.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  if (NUMBER.test(text)) {
    const number = Number(text);
    if (number < EPOCH_SECONDS) return Math.ceil(number * 1000);
    return Math.max(0, Math.ceil(number < EPOCH_MS ? number * 1000 : number) - now);
  }
  if (text.length > 64 || !DATE.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
