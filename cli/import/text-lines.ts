import { Failure, usageError } from '../frame/failure.ts';

/** A line of a text, without its end; the first has the number 1. */
export type TextLine = { readonly number: number; readonly text: string };

/** More than any registration has, characters. */
const MAX_LINE = 1_048_576;

/**
 * The lines of a text in UTF-8. A byte order mark is left out; lines end with LF, CR LF or CR.
 *
 * @param name of the text, for errors
 * @throws {Failure} it is not UTF-8, or a line has no end
 */
export async function* textLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<TextLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let number = 0;
  let rest = '';
  for await (const chunk of chunks) {
    rest += decoded(() => decoder.decode(chunk, { stream: true }), name);
    // A CR at the end may be the first half of CR LF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? '';
    for (const text of lines) yield { number: ++number, text };
    if (rest.length > MAX_LINE) throw new Failure(`${name}: line ${number + 1} is longer than 1 MiB.`);
  }
  rest += decoded(() => decoder.decode(), name);
  if (rest !== '') yield { number: ++number, text: rest.replace(/\r$/, '') };
}

function decoded(decode: () => string, name: string): string {
  try {
    return decode();
  } catch (cause) {
    throw Object.assign(usageError(`${name} is not text in UTF-8: save it again as UTF-8.`), { cause });
  }
}
