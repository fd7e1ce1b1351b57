/**
 * The pairs of lines such as `order: 42`.
 *
 * @throws when a line has no separator
 */
export function pairsIn(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.search(/[:=]/);
      if (end < 0) throw new Error(`"${line.trim()}" is not a pair: write each line as name: value.`);
      return [line.slice(0, end).trim(), line.slice(end + 1).trim()];
    }),
  );
}
