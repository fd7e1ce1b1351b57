/** Larger numbers are times since 1970: in seconds, or from the second bound on in milliseconds. */
const EPOCH_SECONDS = 1e9;
const EPOCH_MS = 1e12;
const NUMBER = /^\d{1,17}(\.\d{1,9})?$/;
/**
 * An HTTP date (`Mon, 23 Nov 2026 20:02:00 GMT`), also without its day, or an ISO 8601 time; `Date.parse` takes nearly
 * anything.
 */
const DATE = /^([A-Za-z]{3,9},? |\d{1,2}[ -][A-Za-z]{3}[ -]|\d{4}-\d\d-\d\d[T ])/;
/** A time zone at the end of a date. `Date.parse` takes a date without one as local time; in HTTP it is UTC. */
const ZONE = /(GMT|UTC|Z|[+-]\d\d:?\d\d)$/i;
/** A value of a list; the comma behind the name of a day is part of its date. */
const MEMBER = / {0,9}([A-Za-z]{3,9}, )?[^,]+/g;
const MAX_HEADER = 256;
const MAX_DATE = 64;

/**
 * The wait that a `Retry-After` header asks for, ms. Understands seconds and all three forms of HTTP dates (RFC 9110,
 * 10.2.3 and 5.6.7), and what servers send besides: fractions of seconds, ISO 8601 times, times since 1970 in seconds
 * or milliseconds, and several values, of which the longest wait counts. Undefined when absent or unreadable.
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined || header.length > MAX_HEADER) return undefined;
  const waits = (header.match(MEMBER) ?? [])
    .map((member) => waitOf(member.trim(), now))
    .filter((wait) => wait !== undefined);
  return waits.length > 0 ? Math.max(...waits) : undefined;
}

function waitOf(text: string, now: number): number | undefined {
  if (NUMBER.test(text)) {
    const number = Number(text);
    if (number < EPOCH_SECONDS) return Math.ceil(number * 1000);
    return Math.max(0, Math.ceil(number < EPOCH_MS ? number * 1000 : number) - now);
  }
  if (text.length > MAX_DATE || !DATE.test(text)) return undefined;
  const date = Date.parse(ZONE.test(text) ? text : withZone(text));
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const withZone = (text: string): string => (/^\d{4}-/.test(text) ? `${text}Z` : `${text} GMT`);
