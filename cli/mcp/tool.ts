import type { Tool as ShownTool } from '@modelcontextprotocol/server';
import * as z from 'zod/mini';
import type { CallOptions, Client } from '../../client/client.ts';

type Described<S extends z.ZodMiniType> = {
  readonly title: string;
  readonly description: string;
  readonly input: S;
  /** What it changes, if anything: `adds` can be undone or harms nothing, `ends` stops something. */
  readonly changes?: 'adds' | 'ends';
  /** @throws any error, of which the model reads a sentence */
  readonly run: (bridge: Client, input: z.output<S>, call: CallOptions) => Promise<object>;
};

/** What a model may call. */
export type Tool = Described<z.ZodMiniType> & { readonly name: string };

export const tool = <S extends z.ZodMiniType>(name: string, described: Described<S>): Tool =>
  ({ name, ...described }) as unknown as Tool;

/** A tool as `tools/list` shows it. */
export function shownTool({ name, title, description, input, changes }: Tool): ShownTool {
  const { $schema: _, ...inputSchema } = z.toJSONSchema(input, { io: 'input' });
  const annotations = {
    readOnlyHint: changes === undefined,
    destructiveHint: changes === 'ends',
    openWorldHint: changes !== undefined,
  };
  return { name, title, description, inputSchema: inputSchema as ShownTool['inputSchema'], annotations };
}

/** The input as the tool takes it. @throws {Error} it is wrong; names each field and what it takes */
export function inputOf({ name, input }: Tool, given: unknown): unknown {
  const result = input.safeParse(given);
  if (result.success) return result.data;
  const reasons = result.error.issues.map((issue) => {
    const path = issue.path.map(String).join('.');
    return `${path === '' ? '' : `${path}: `}${wordsOf(issue)}`;
  });
  throw new Error(`${name} does not take this. ${reasons.join(' ')}`);
}

function wordsOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'unrecognized_keys':
      return `There is no ${issue.keys.join(', ')}: remove it or correct its name.`;
    case 'invalid_value':
      return `Give one of ${issue.values.map(String).join(', ')}.`;
    case 'invalid_type':
      return `Give this as ${issue.expected}.`;
    case 'too_big':
      return `Give at most ${issue.maximum}.`;
    case 'too_small':
      return issue.origin === 'string' ? 'This is empty.' : `Give at least ${issue.minimum}.`;
    default:
      return issue.message;
  }
}
