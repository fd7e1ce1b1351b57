/** Text that any store takes: at most so many bytes of UTF-8, cut between characters. */
export function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text.toWellFormed());
  return new TextDecoder().decode(encoded.subarray(0, bytes), { stream: true });
}
