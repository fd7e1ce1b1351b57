import fc from 'fast-check';

/** A JSON Schema (2020-12), as far as the API's document uses it. */
type Schema = {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: Schema;
};
type Parameter = { readonly name: string; readonly in: string; readonly schema: Schema };
export type Operation = {
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { content: { 'application/json': { schema: Schema } } };
};

/** A call as it is made. */
type GeneratedCall = {
  readonly operation: Operation;
  readonly method: string;
  readonly path: string;
  readonly url: string;
  readonly body: unknown;
  readonly key: string | null;
  readonly headers: Record<string, string>;
};

const AWKWARD_TEXTS = [
  '',
  ' ',
  '\0',
  '\ud800',
  '../..',
  '%00',
  '<script>',
  '__proto__',
  'constructor',
  'toString',
  '𝒳'.repeat(300),
  'x'.repeat(3_000),
  '9'.repeat(400),
];
const awkwardText = fc.constantFrom(...AWKWARD_TEXTS);
/** Made once, since fast-check lists all characters for each that is made. */
const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 1 });
const awkward = fc.oneof(
  awkwardText,
  fc.constantFrom<unknown>(null, true, 0, -1, 1e308, 1e-308, 2 ** 53, [], {}, [[]], { constructor: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** One value in twenty is not what the schema says: a call has some ten of them, and many calls should pass the schema. */
const spoilt = (good: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 19, arbitrary: good }, { weight: 1, arbitrary: awkward });

function arbitraryOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return spoilt(fc.constant(schema.const));
  if (schema.enum) return spoilt(fc.constantFrom(...schema.enum));
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map((each) => arbitraryOf(each, known)));
  const [type] = [schema.type].flat();
  if (type === 'string') return spoilt(textOf(schema, known));
  if (type === 'boolean') return spoilt(fc.boolean());
  if (type === 'number' || type === 'integer') {
    const { minimum: min = -1e6, maximum: max = 1e6 } = schema;
    return spoilt(
      type === 'integer'
        ? fc.integer({ min: Math.ceil(min), max: Math.floor(max) })
        : fc.double({ min, max, noNaN: true }),
    );
  }
  if (type === 'array') {
    const { minItems: minLength = 0, maxItems = 5 } = schema;
    return spoilt(
      fc.array(arbitraryOf(schema.items ?? {}, known), { minLength, maxLength: Math.min(maxItems, 5) }),
    );
  }
  if (type === 'object') return spoilt(objectOf(schema, known));
  return type === 'null' ? fc.constant(null) : awkward;
}

function objectOf(schema: Schema, known: readonly string[]): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames = {} } = schema;
  const named = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, arbitraryOf(each, known)])),
    { requiredKeys: [...required] },
  );
  const values =
    typeof additionalProperties === 'object' ? arbitraryOf(additionalProperties, known) : awkward;
  const names = fc.oneof(awkwardText, textOf(propertyNames, known));
  const most = typeof additionalProperties === 'object' ? 5 : 1;
  const others = fc.dictionary(names, values, { maxKeys: most, noNullPrototype: true });
  const weight = most === 5 ? 4 : 1;
  return fc.oneof(
    { weight: 5 - weight + 1, arbitrary: named },
    { weight, arbitrary: fc.tuple(named, others).map(([a, b]) => ({ ...b, ...a })) },
  );
}

/** Texts by the schema, ids that are known, and what receivers and filters are called. */
function textOf(schema: Schema, known: readonly string[]): fc.Arbitrary<string> {
  if (schema.format === 'uuid') return fc.oneof(fc.uuid(), fc.constantFrom('none', ...known));
  if (schema.format === 'date-time') {
    return fc
      .date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  }
  if (schema.pattern !== undefined) {
    const pattern = new RegExp(schema.pattern);
    const fitting = ['1', '50', '100', '20', 'videos', ...known].filter((text) => pattern.test(text));
    return fc.oneof(fc.constantFrom('', ...fitting), fc.stringMatching(pattern));
  }
  const { minLength = 0, maxLength = 200 } = schema;
  return fc.oneof(
    fc.constantFrom('https://hooks.example.com/a', 'http://127.0.0.1/', 'video.*', 'endpoint.test', ...known),
    fc.string({ unit: character, minLength, maxLength: Math.min(maxLength, 60) }),
  );
}

/**
 * A call of an operation: nearly right, with values that its schema does not allow sprinkled in.
 *
 * @param known ids that answers gave before
 */
export function callOf(
  [method, path, operation]: readonly [string, string, Operation],
  known: readonly string[],
  keys: readonly (string | null)[],
): fc.Arbitrary<GeneratedCall> {
  const segment = fc.oneof(
    fc.constantFrom('none', ...known),
    awkwardText.filter((text) => text.isWellFormed()),
  );
  const inPath = operation.parameters.filter((each) => each.in === 'path').map(({ name }) => name);
  const inQuery = operation.parameters.filter((each) => each.in === 'query');
  const query = fc.record(
    Object.fromEntries(inQuery.map(({ name, schema }) => [name, arbitraryOf(schema, known)])),
    { requiredKeys: [] },
  );
  const schema = operation.requestBody?.content['application/json'].schema;
  return fc
    .record({
      params: fc.record(Object.fromEntries(inPath.map((name) => [name, segment]))),
      query,
      body: schema ? arbitraryOf(schema, known) : fc.constant(undefined),
      key: fc.constantFrom(...keys),
      idempotencyKey: fc.constantFrom(...Array(12).fill(null), 'a', 'b', 'ä', 'k'.repeat(256)),
    })
    .map(({ params, query: asked, body, key, idempotencyKey }) => {
      const filled = inPath.reduce(
        (url, name) => url.replace(`{${name}}`, encodeURIComponent(params[name] ?? '') || '%20'),
        path,
      );
      const search = new URLSearchParams(
        Object.entries(asked).map(([name, value]): [string, string] => [
          name,
          queryText(value).toWellFormed(),
        ]),
      ).toString();
      return {
        operation,
        method: method.toUpperCase(),
        path,
        url: search === '' ? filled : `${filled}?${search}`,
        body,
        key,
        headers: (idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }) as Record<
          string,
          string
        >,
      };
    });
}

/** A value as a query writes it. One that was generated may have a `toString` of its own, or none. */
const queryText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
