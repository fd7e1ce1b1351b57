/** At most `bytes` bytes of UTF-8, cut between characters; half surrogate pairs are replaced. */
export function truncateUtf8(text: string, bytes: number): string {
  const encoded = Buffer.from(text.toWellFormed());
  return new TextDecoder().decode(encoded.subarray(0, bytes), { stream: true });
}

/** Text whose JSON form has at most `bytes` bytes, quotes included: escaping makes a byte up to six. */
export function truncateJson(text: string, bytes: number): string {
  const whole = text.toWellFormed();
  if (jsonBytes(whole) <= bytes) return whole;
  let left = bytes - 2;
  let end = 0;
  for (const char of whole) {
    left -= jsonBytes(char) - 2;
    if (left < 0) break;
    end += char.length;
  }
  return whole.slice(0, end);
}

/** The bytes of a value's JSON form. */
export const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
