import {
  type Aliases,
  type BaseArgs,
  buildCommand,
  type Command,
  type CommandContext,
  type FlagParametersForType,
  type TypedPositionalParameters,
} from '@stricli/core';
import type { ConnectionFlags } from '../connection/find-connection.ts';
import { failureOf } from '../frame/failure.ts';
import type { Session } from './session.ts';

export type CliContext = CommandContext & { readonly process: NodeJS.Process };
type CliCommand = Command<CliContext>;

type Shared = ConnectionFlags & { readonly json?: boolean; readonly debug?: boolean };

type Description<F extends object, A extends BaseArgs> = {
  readonly brief: string;
  readonly description?: string;
  /** Arguments, and what they do. */
  readonly examples: readonly (readonly [args: string, what: string])[];
  readonly flags?: FlagParametersForType<F, CliContext>;
  readonly aliases?: Aliases<keyof F & string>;
  readonly args?: TypedPositionalParameters<A, CliContext>;
  /** Whether the command has no need of a bridge. */
  readonly offline?: boolean;
  /** @throws {Failure} or any error, which is shown as one sentence */
  readonly run: (session: Session, flags: F, ...args: A) => Promise<void>;
};

const text = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, brief, placeholder, optional: true, hidden: true }) as const;

/** Every command takes these; the help shows them with --help-all. */
const CONNECTION_FLAGS = {
  url: text("The bridge's address (or BRIDGE_URL)", 'URL'),
  key: text('The API key (or BRIDGE_API_KEY)', 'KEY'),
  profile: text('A profile of topaz-bridge login; with --stack, one of AWS', 'NAME'),
  stack: text('Read address and key from this CloudFormation stack', 'NAME'),
  region: text('The region of --stack', 'REGION'),
};
const COMMON_FLAGS = {
  json: {
    kind: 'boolean',
    brief: 'Print only JSON, one object per line',
    optional: true,
    withNegated: false,
  },
  debug: {
    kind: 'boolean',
    brief: 'Show the stack trace of an error',
    optional: true,
    hidden: true,
    withNegated: false,
  },
} as const;

/** A command of the line: its flags, its help with examples, and one way in which it fails. */
export function command<F extends object = object, A extends BaseArgs = []>(
  described: Description<F, A>,
): CliCommand {
  const { brief, description, examples, flags, aliases, args, offline, run } = described;
  const shared = { ...COMMON_FLAGS, ...(offline ? {} : CONNECTION_FLAGS) };
  // One that means another address must not be taken for that of the bridge, which gets the key.
  const taken = Object.keys(flags ?? {}).filter((name) => Object.hasOwn(shared, name));
  if (taken.length > 0)
    throw new Error(`A command must not define ${taken.join(', ')}: every command has that.`);
  return buildCommand({
    docs: {
      brief,
      fullDescription: [description ?? brief, ...exampleText(examples)].join('\n'),
    },
    parameters: {
      flags: { ...flags, ...shared },
      aliases,
      positional: args ?? { kind: 'tuple', parameters: [] },
    },
    async func(this: CliContext, given: F & Shared, ...rest: A) {
      // What a help page does not need is not loaded for it.
      const { openSession } = await import('./session.ts');
      const session = openSession(this.process, given);
      try {
        await run(session, own(given, shared), ...rest);
      } catch (error) {
        const reason = session.signal.aborted ? session.signal.reason : error;
        const failure = failureOf(reason, session.url());
        if (given.debug) session.out.note(debugText(reason));
        return failure;
      } finally {
        session.end();
      }
    },
  } as never) as CliCommand;
}

/** The flags of the command itself: a call to the bridge must not be given its key or address as a parameter. */
function own<F extends object>(given: F & Shared, shared: object): F {
  const entries = Object.entries(given).filter(([name]) => !Object.hasOwn(shared, name));
  return Object.fromEntries(entries) as F;
}

const exampleText = (examples: readonly (readonly [string, string])[]): string[] =>
  examples.length === 0
    ? []
    : ['', 'EXAMPLES', ...examples.flatMap(([args, what]) => [`  ${what}:`, `    topaz-bridge ${args}`])];

function debugText(error: unknown): string {
  const lines: string[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause)
    lines.push(each.stack ?? each.message);
  return lines.join('\ncaused by: ');
}
