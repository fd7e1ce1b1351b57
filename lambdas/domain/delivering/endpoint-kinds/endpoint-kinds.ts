import type { FieldError } from '../../field-error.ts';
import * as all from './all-kinds.ts';
import { type EndpointKindTraits, type OwnField, SHARED_FIELDS } from './traits.ts';

export type EndpointKind = keyof typeof all;

const kinds: Record<EndpointKind, EndpointKindTraits> = { ...all };

export const ENDPOINT_KINDS = Object.keys(kinds) as EndpointKind[];
/** The kind of an endpoint that is created without one. */
export const DEFAULT_KIND: EndpointKind = 'http';

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

type KindOf<N extends EndpointKind> = (typeof all)[N];

/** The names of the fields that a single kind has. */
export type OwnFieldName = { [N in EndpointKind]: keyof KindOf<N>['ownFields'] }[EndpointKind];

/** The fields that a single kind has, of an endpoint of any kind. */
export type OwnFields = { readonly [N in OwnFieldName]?: string };

export const OWN_FIELDS = Object.assign(
  {},
  ...Object.values(kinds).map(({ ownFields }) => ownFields),
) as Record<OwnFieldName, OwnField>;
const OWN_FIELD_NAMES = Object.keys(OWN_FIELDS) as OwnFieldName[];

/** The given fields that only one kind has. */
export const ownFieldsOf = (given: OwnFields): OwnFields =>
  Object.fromEntries(
    OWN_FIELD_NAMES.filter((name) => given[name] !== undefined).map((name) => [name, given[name]]),
  );

type Field = (typeof SHARED_FIELDS)[number] | OwnFieldName;
type Given = Readonly<Partial<Record<Field, unknown>>>;

/** The fields given that the kind does not have; `ordered: false` is accepted, since that is the case anyway. */
export function refusedFields(kind: EndpointKind, given: Given): FieldError[] {
  const { fields, ownFields } = kinds[kind];
  const has = [...fields, ...Object.keys(ownFields)];
  const isGiven = (field: Field) => given[field] !== undefined && given[field] !== false;
  return [...SHARED_FIELDS, ...OWN_FIELD_NAMES]
    .filter((field) => isGiven(field) && !has.includes(field))
    .map((path) => ({ path, message: `\`${path}\` is not allowed for kind \`${kind}\`; remove it.` }));
}

/** What is wrong with the fields of a new endpoint, by its kind. */
export function kindErrors(kind: EndpointKind, given: Given): FieldError[] {
  const { required, ownFields } = kinds[kind];
  const needed = [...required, ...OWN_FIELD_NAMES.filter((name) => ownFields[name]?.required)];
  const missing = needed.filter((field) => given[field] === undefined);
  return [
    ...refusedFields(kind, given),
    ...missing.map((path) => ({ path, message: `Kind \`${kind}\` needs \`${path}\`; add it.` })),
  ];
}
