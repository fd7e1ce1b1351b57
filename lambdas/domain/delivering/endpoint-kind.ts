import type { FieldError } from '../field-error.ts';

/** The kinds of endpoints that can be created; callbacks come from requests. */
export const CREATED_KINDS = ['http', 'pull', 'eventbridge'] as const;
export type CreatedKind = (typeof CREATED_KINDS)[number];

/** Fields that only some kinds have. */
const FIELDS = {
  http: ['url', 'headers', 'rateLimit'],
  pull: [],
  eventbridge: ['busName', 'rateLimit'],
} as const satisfies Record<CreatedKind, string[]>;
const OF_SOME = ['url', 'busName', 'headers', 'rateLimit'] as const;
const REQUIRED = { http: 'url', pull: undefined, eventbridge: 'busName' } as const;

type Given = Readonly<Partial<Record<(typeof OF_SOME)[number] | 'ordered', unknown>>>;

const PULL_ORDER = {
  path: 'ordered',
  message: 'An endpoint of the kind pull cannot keep an order, whoever fetches does: remove it.',
};

/** The fields given that the kind does not have, or cannot keep. */
export function refusedFields(kind: CreatedKind, given: Given): FieldError[] {
  const has: readonly string[] = FIELDS[kind];
  const wrong = OF_SOME.filter((field) => given[field] !== undefined && !has.includes(field));
  return [
    ...wrong.map((path) => ({ path, message: `An endpoint of the kind ${kind} has none: remove it.` })),
    ...(kind === 'pull' && given.ordered === true ? [PULL_ORDER] : []),
  ];
}

/** What is wrong with the fields of a new endpoint, by its kind. */
export function kindErrors(kind: CreatedKind, given: Given): FieldError[] {
  const required = REQUIRED[kind];
  const missing = required !== undefined && given[required] === undefined;
  return [
    ...refusedFields(kind, given),
    ...(missing ? [{ path: required, message: `The kind ${kind} needs it: give one.` }] : []),
  ];
}
