/** What the reference uses of the API's document (OpenAPI 3.1). */
export type Schema = {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly examples?: readonly unknown[];
};

type Content = Readonly<Record<string, { readonly schema: Schema; readonly example?: unknown }>>;

type Parameter = {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Schema;
};

type Operation = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security?: readonly unknown[];
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly content: Content; readonly required?: boolean };
  readonly responses: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>;
};

export type Document = {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly webhooks: Readonly<Record<string, { readonly post: { readonly summary: string } }>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
};

export type Call = { readonly method: string; readonly path: string; readonly operation: Operation };

/** The calls by what they are about, in the document's order. */
export function callsByTopic({ paths }: Document): Map<string, Call[]> {
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  return Map.groupBy(
    calls,
    ({ path }) => TOPICS.find(([start]) => path.startsWith(start))?.[1] ?? 'The bridge',
  );
}

const TOPICS = [
  ['/v1/requests', 'Requests'],
  ['/v1/links', 'Requests'],
  ['/v1/endpoints', 'Endpoints'],
  ['/v1/callback-secret', 'Endpoints'],
  ['/v1/deliveries', 'Deliveries'],
  ['/v1/replays', 'Deliveries'],
  ['/v1/events', 'Events'],
] as const;

/** A call as a shell makes it, with the document's example of the body. */
export function curlOf({ method, path, operation: { security, requestBody } }: Call): string {
  const body = requestBody?.content['application/json']?.example;
  return [
    `curl -s${method === 'GET' ? '' : ` -X ${method}`} ${location.origin}${path}`,
    // Calls that need no key say so.
    security === undefined && '-H "authorization: Bearer $KEY"',
    body !== undefined && "-H 'content-type: application/json'",
    body !== undefined && `-d '${JSON.stringify(body, null, 2)}'`,
  ]
    .filter(Boolean)
    .join(' \\\n  ');
}

/** The name of what a schema refers to. */
export const refName = ({ $ref }: Schema): string | undefined => $ref?.split('/').at(-1);

/** A schema's type in a few words, such as `list of text`. */
export function typeInWords(schema: Schema): string {
  const name = refName(schema);
  if (name) return name;
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeInWords))].join(' or ');
  if (schema.type === 'array') return `list of ${typeInWords(schema.items ?? {})}`;
  if (schema.type === 'object' && !schema.properties && typeof schema.additionalProperties === 'object')
    return `map of ${typeInWords(schema.additionalProperties)}`;
  if (schema.format) return FORMATS[schema.format] ?? schema.format;
  return [schema.type ?? 'anything'].flat().join(' or ');
}

const FORMATS: Record<string, string> = { 'date-time': 'time (ISO 8601)', uuid: 'UUID' };

/** The bounds of a value, such as `1 to 100`. */
export function boundsInWords({
  minimum,
  maximum,
  minLength,
  maxLength,
  minItems,
  maxItems,
}: Schema): string {
  const range = (from: number | undefined, to: number | undefined, unit: string) =>
    to === undefined ? '' : `${from === undefined ? 'at most' : `${from} to`} ${to}${unit}`;
  return [
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
  ]
    .filter(Boolean)
    .join(', ');
}
