import { jsonLine, printable } from './text.ts';

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, cyan: 36 } as const;
type Style = keyof typeof STYLES;

/** Where a command writes. With `--json`, standard output has values alone. */
export type Output = ReturnType<typeof createOutput>;

type Streams = Pick<NodeJS.Process, 'stdout' | 'stderr' | 'env'>;

/** @param json whether standard output is for programs */
export function createOutput({ stdout, stderr, env }: Streams, json: boolean) {
  const terminal = stdout.isTTY === true && !json;
  const colored = terminal && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    json,
    /** Whether a person looks at standard output while it is written. */
    terminal,
    /** One value, as a line of JSON. Nothing without `--json`. */
    value(value: unknown): void {
      if (json) stdout.write(jsonLine(value));
    },
    /** A line for people. Nothing with `--json`. */
    line(text = ''): void {
      if (!json) stdout.write(`${text}\n`);
    },
    /** As it is, with or without `--json`: for text that is the outcome, such as a script. */
    raw(text: string): void {
      stdout.write(text);
    },
    /** Notes besides the outcome. */
    note(text: string): void {
      stderr.write(`${text}\n`);
    },
    paint(style: Style, text: string): string {
      return colored ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
    },
    /** Lines that are drawn again in place; on a terminal only. */
    live: () => createLive(stdout),
  };
}

/** Lines at the end of a terminal, drawn again as they change. */
function createLive(stdout: NodeJS.WriteStream) {
  let drawn = 0;
  const clear = () => {
    if (drawn > 0) stdout.write(`\u001b[${drawn}A\u001b[J`);
    drawn = 0;
  };
  return {
    draw(lines: readonly string[]): void {
      const columns = stdout.columns || 80;
      const rows = Math.max(2, (stdout.rows || 24) - 1);
      const more = lines.length - rows;
      const shown = more > 0 ? [...lines.slice(0, rows - 1), `and ${more + 1} more`] : lines;
      // Each line replaces the old one in one write, so that nothing flickers and no old line is left behind.
      const text = shown.map((line) => `${cut(printable(line), columns - 1)}\u001b[K\n`).join('');
      stdout.write(`${drawn > 0 ? `\u001b[${drawn}A` : ''}${text}\u001b[J`);
      drawn = shown.length;
    },
    clear,
  };
}

const cut = (line: string, columns: number): string =>
  [...line].length > columns ? `${[...line].slice(0, columns - 1).join('')}…` : line;
