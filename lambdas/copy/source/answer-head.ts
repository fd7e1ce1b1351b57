/** Status line and headers of an HTTP/1.1 answer; names in lower case. */
export type AnswerHead = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)( .*)?$/;
const NAME = /^[!#$%&'*+.^_`|~\w-]+$/;
/** Control characters except tabs: no head may hold one. */
const CONTROL = /[^\P{Cc}\t]/u;
/** Fields that say where the body ends: two of them would be two answers to that. */
const FRAMING = new Set(['content-length', 'transfer-encoding', 'content-range']);

/**
 * Parses a head, without its closing empty line, in time linear in its length. Undefined for whatever
 * is not plain HTTP/1.1: folded lines, malformed names, framing given twice.
 */
export function parseHead(head: string): AnswerHead | undefined {
  const [first = '', ...lines] = head.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined || CONTROL.test(first)) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    const value = trimmed(line, colon + 1);
    if (!NAME.test(name) || CONTROL.test(value)) return undefined;
    const lower = name.toLowerCase();
    const earlier = headers[lower];
    if (earlier !== undefined && FRAMING.has(lower)) return undefined;
    headers[lower] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return { status: Number(status), headers };
}

/** The text from `from` on without blanks and tabs around it, by hand: a pattern could backtrack. */
function trimmed(line: string, from: number): string {
  const isBlank = (at: number) => line[at] === ' ' || line[at] === '\t';
  let start = from;
  let end = line.length;
  while (start < end && isBlank(start)) start++;
  while (end > start && isBlank(end - 1)) end--;
  return line.slice(start, end);
}
