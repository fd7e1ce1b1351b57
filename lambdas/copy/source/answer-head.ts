/** Status line and headers of an HTTP/1.1 answer; names in lower case. */
export type AnswerHead = { readonly status: number; readonly headers: Readonly<Record<string, string>> };

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: [^\r\n]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*([^\r\n]*?)[ \t]*$/;
/** Fields that say where the body ends: two of them would be two answers to that. */
const FRAMING = new Set(['content-length', 'transfer-encoding', 'content-range']);

/**
 * Parses a head, without its closing empty line. Undefined for whatever is not plain HTTP/1.1:
 * folded lines, malformed names, framing given twice.
 */
export function parseHead(head: string): AnswerHead | undefined {
  const [first = '', ...lines] = head.split('\r\n');
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) return undefined;
  const headers: Record<string, string> = Object.create(null);
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) return undefined;
    const lower = name.toLowerCase();
    const earlier = headers[lower];
    if (earlier !== undefined && FRAMING.has(lower)) return undefined;
    headers[lower] = earlier === undefined ? value : `${earlier}, ${value}`;
  }
  return { status: Number(status), headers };
}
