import type { FieldError } from '../../field-error.ts';
import * as all from './all-kinds.ts';
import { type EndpointKindTraits, KIND_FIELDS, type KindField } from './traits.ts';

export type EndpointKind = keyof typeof all;

const kinds: Record<EndpointKind, EndpointKindTraits> = { ...all };

export const ENDPOINT_KINDS = Object.keys(kinds) as EndpointKind[];

/** What sets the endpoint's kind apart. */
export const traitsOf = ({ kind }: { readonly kind: EndpointKind }): EndpointKindTraits => kinds[kind];

/** The kinds that a person creates; callbacks come from registrations. */
export const CREATED_KINDS = ENDPOINT_KINDS.filter((kind) => kinds[kind].madeBy === 'person');

/** Whether a client fetches the endpoint's messages; the bridge sends nothing then. */
export const isFetched = (endpoint: { readonly kind: EndpointKind }): boolean =>
  traitsOf(endpoint).transport === 'fetched';

/** Whether the endpoint belongs to the registrations that named its URL. */
export const isCallback = (endpoint: { readonly kind: EndpointKind }): boolean =>
  traitsOf(endpoint).madeBy === 'registration';

type Given = Readonly<Partial<Record<KindField, unknown>>>;

/** The fields given that the kind does not have; `ordered: false` is taken, since it is so anyway. */
export function refusedFields(kind: EndpointKind, given: Given): FieldError[] {
  const { fields } = kinds[kind];
  const isGiven = (field: KindField) => given[field] !== undefined && given[field] !== false;
  return KIND_FIELDS.filter((field) => isGiven(field) && !fields.includes(field)).map((path) => ({
    path,
    message: `\`${path}\` is not allowed for kind \`${kind}\`; remove it.`,
  }));
}

/** What is wrong with the fields of a new endpoint, by its kind. */
export function kindErrors(kind: EndpointKind, given: Given): FieldError[] {
  const missing = kinds[kind].required.filter((field) => given[field] === undefined);
  return [
    ...refusedFields(kind, given),
    ...missing.map((path) => ({ path, message: `Kind \`${kind}\` needs \`${path}\`; add it.` })),
  ];
}
