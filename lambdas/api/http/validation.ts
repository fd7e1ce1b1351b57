import type * as z from 'zod/mini';
import type { FieldError } from '../../domain/field-error.ts';
import { invalid } from './problem.ts';

/** The parsed input; throws a problem that names each wrong field and its remedy. */
export function parse<T>(schema: z.ZodMiniType<T>, input: unknown): T {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw invalid(result.error.issues.flatMap((issue) => fieldErrors(issue)));
}

/** Refuses a JSON value with a field named `__proto__`: a schema that takes any names would drop it silently. */
export function refusePrototypes(value: unknown): void {
  const found = prototypesIn(value, '', 0);
  if (found.length > 0) {
    throw invalid(found.map((path) => ({ path, message: 'A field cannot have this name: remove it.' })));
  }
}

function prototypesIn(value: unknown, path: string, depth: number): string[] {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const at = path === '' ? name : `${path}.${name}`;
    return name === '__proto__' ? [at] : prototypesIn(inner, at, depth + 1);
  });
}

/** More levels than any schema describes: what is deeper is refused by the schemas. */
const DEEPEST = 8;

type Issue = z.core.$ZodIssue;

/** What zod/mini says when a schema has no message. */
const UNTOLD = 'Invalid input';

function fieldErrors(issue: Issue): FieldError[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: path === '' ? key : `${path}.${key}`,
      message: 'This field is unknown: remove it or correct its name.',
    }));
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => ({ path, message: `The name is wrong. ${remedy(inner)}` }));
  }
  return [{ path, message: remedy(issue) }];
}

function remedy(issue: z.core.$ZodRawIssue | Issue): string {
  if (issue.message !== undefined && issue.message !== UNTOLD) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return `This is missing: give ${nounOf(issue.expected)}.`;
      return `This has the wrong type: give ${nounOf(issue.expected)}.`;
    case 'too_big':
      return `This is too ${issue.origin === 'number' ? 'large' : 'long'}: at most ${issue.maximum}${unitOf(issue.origin)}.`;
    case 'too_small': {
      const bound = issue.inclusive === false ? 'more than' : 'at least';
      return `This is too ${issue.origin === 'number' ? 'small' : 'short'}: ${bound} ${issue.minimum}${unitOf(issue.origin)}.`;
    }
    case 'invalid_value':
      return `This value is not allowed: use one of ${(issue.values as unknown[]).join(', ')}.`;
    default:
      return 'This has the wrong form: see /v1/openapi.json.';
  }
}

const NOUNS: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};
const nounOf = (expected: unknown): string => NOUNS[String(expected)] ?? String(expected);

const UNITS: Record<string, string> = { string: ' characters', array: ' entries' };
const unitOf = (origin: unknown): string => UNITS[String(origin)] ?? '';
