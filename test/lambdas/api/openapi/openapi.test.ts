import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { metaKey, requestKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { runInstalled } from '../../../support/installed-tool.ts';
import { type Answer, createClient, uuid } from '../call-api.ts';
import { createConformance, createValidator } from './conformance.ts';

const database = useDatabase();
let document: Answer['body'];
let differences: ReturnType<typeof createConformance>;
/** The document, for validators that are programs. */
let file: string;
const run = promisify(execFile);

beforeAll(async () => {
  document = (await createClient(database(), { shared: true }).call('GET', '/v1/openapi.json')).body;
  differences = createConformance(document);
  file = join(mkdtempSync(join(tmpdir(), 'openapi-')), 'openapi.json');
  writeFileSync(file, JSON.stringify(document));
});
afterAll(() => rmSync(dirname(file), { recursive: true }));

describe('the document', () => {
  test('is valid OpenAPI 3.1, by the rules of Redocly', async () => {
    const cli = createRequire(import.meta.url)
      .resolve('@redocly/cli/package.json')
      .replace('package.json', 'bin/cli.js');
    const { stdout } = await run(process.execPath, [cli, 'lint', '--format=json', file], {
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    });
    expect(JSON.parse(stdout)).toMatchObject({ totals: { errors: 0, warnings: 0 }, problems: [] });
  });

  test('is valid by openapi-spec-validator, which is not installed everywhere', ({ skip }) => {
    const found = runInstalled('openapi-spec-validator', [file]);
    skip(!found, 'openapi-spec-validator is not installed');
    expect(found?.stdout).toContain('OK');
  });

  test('names every call of the contract that the function serves', () => {
    const calls = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(calls).toEqual(expect.arrayContaining(CALLS));
  });

  test('describes every parameter and field in words', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods as object));
    const parameters = operations.flatMap(({ operationId, parameters: own }) =>
      own
        .filter((each: Schema & { schema: Schema }) => !each.description && !each.schema.description)
        .map(({ name }: { name: string }) => `${operationId} ${name}`),
    );
    const bodies = operations.flatMap(({ operationId, requestBody }) =>
      undescribed(requestBody?.content['application/json'].schema, operationId),
    );
    const answers = Object.entries<Schema>(document.components.schemas).flatMap(([name, schema]) =>
      undescribed(schema, name),
    );
    expect([...parameters, ...bodies, ...answers]).toEqual([]);
  });

  test('gives a valid example of each body and answer', () => {
    const { schemas } = document.components;
    const faults = createValidator(document);
    for (const [name, { examples }] of Object.entries<{ examples?: unknown[] }>(schemas))
      if (name !== 'OpenApi')
        expect(faults(`openapi#/components/schemas/${name}`, examples?.[0]), name).toBeNull();
    for (const methods of Object.values<Record<string, Operation>>(document.paths))
      for (const { operationId, requestBody } of Object.values(methods)) {
        const { schema, example } = requestBody?.content['application/json'] ?? {};
        if (schema) expect(faults(schema, example), operationId).toBeNull();
      }
    for (const [type, { post }] of Object.entries<{ post: Operation }>(document.webhooks)) {
      const { schema = {}, example } = post.requestBody?.content['application/json'] ?? {};
      expect(example).toMatchObject({ type });
      expect(faults(schema, example), type).toBeNull();
      expect(undescribed(schema, type)).toEqual([]);
      const shown = Object.keys((example as { data: object }).data);
      expect(Object.keys(schema.properties?.data?.properties ?? {}), type).toEqual(shown);
    }
  });

  test('describes a request with everything that it can have', async () => {
    const api = createClient(database());
    const requestId = uuid('full');
    await api.call('POST', '/v1/requests', { body: { requestId } });
    const at = api.clock.now;
    await database().table.write({
      update: requestKey(requestId),
      set: {
        status: 'complete',
        progress: 100,
        estimates: { cost: [10, 12], time: [600, 700] },
        averageFps: 12.5,
        combinedFps: 25,
        outputSize: '12 MB',
        message: 'done',
        errorCode: 'none',
        lastError: { at, reason: 'timed out' },
        lastPolledAt: at,
        video: {
          state: 'stored',
          copiedBytes: 5,
          bytesPerSecond: 1,
          bucket: 'b',
          key: 'k',
          size: 5,
          contentType: 'video/mp4',
          checksum: { algorithm: 'CRC32', value: 'x' },
          storedAt: at,
        },
        lane: 'parked',
        parked: { reason: 'broken', since: at, lane: 'poll' },
      },
    });
    await database().table.write({
      update: metaKey(requestId),
      set: { processingJobs: [{ chunkIndex: 0, status: 'complete' }] },
    });
    const answer = await api.call('GET', `/v1/requests/${requestId}`);
    const { properties } = document.components.schemas.Request;
    const { expectedEndAt, ...ofOneThatIsParked } = properties;
    expect(Object.keys(answer.body).sort()).toEqual(Object.keys(ofOneThatIsParked).sort());
    expect(differences('GET', '/v1/requests/{requestId}', answer)).toBeNull();
  });

  test('describes every type of event as a webhook', () => {
    expect(Object.keys(document.webhooks)).toEqual(document.components.schemas.Event.properties.type.enum);
    expect(document.webhooks['video.stored'].post.summary).toMatch(/in your bucket/);
  });

  test('describes the bodies that are wanted', () => {
    const { schema } = document.paths['/v1/requests'].post.requestBody.content['application/json'];
    expect(schema).toMatchObject({ required: ['requestId'], additionalProperties: false });
    const batch = document.paths['/v1/requests/batch'].post.requestBody.content['application/json'].schema;
    expect(batch.properties.items).toMatchObject({
      type: 'array',
      items: schema,
      minItems: 1,
      maxItems: 100,
    });
  });
});

type Schema = {
  readonly $ref?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
};
type Operation = {
  readonly operationId: string;
  readonly requestBody?: {
    readonly content: { readonly 'application/json': { readonly schema: Schema; readonly example: unknown } };
  };
};

/** The fields in a schema of which nothing is said, those of inner objects included. */
function undescribed(schema: Schema | boolean | undefined, path: string): string[] {
  if (typeof schema !== 'object') return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, field]) => [
    ...(isDescribed(field) ? [] : [`${path}.${name}`]),
    ...undescribed(field, `${path}.${name}`),
  ]);
  const inner = [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])];
  return [...own, ...inner.flatMap((each) => undescribed(each, path))];
}

const isDescribed = ({ $ref, description, anyOf = [] }: Schema): boolean =>
  $ref !== undefined || description !== undefined || anyOf.some(isDescribed);

const CALLS = [
  'GET /healthz',
  'GET /v1/openapi.json',
  'POST /v1/requests',
  'GET /v1/requests',
  'POST /v1/requests/batch',
  'GET /v1/requests/{requestId}',
  'DELETE /v1/requests/{requestId}',
  'GET /v1/requests/{requestId}/events',
  'GET /v1/requests/{requestId}/video',
  'POST /v1/requests/{requestId}/poll',
  'POST /v1/endpoints',
  'GET /v1/endpoints',
  'GET /v1/endpoints/{id}',
  'PATCH /v1/endpoints/{id}',
  'DELETE /v1/endpoints/{id}',
  'GET /v1/endpoints/{id}/secret',
  'POST /v1/endpoints/{id}/secret/rotate',
  'POST /v1/endpoints/{id}/test',
  'GET /v1/endpoints/{id}/deliveries',
  'GET /v1/deliveries/{id}',
  'POST /v1/deliveries/{id}/retry',
  'GET /v1/events',
  'GET /v1/events/{id}',
  'GET /v1/callback-secret',
  'POST /v1/callback-secret/rotate',
  'GET /v1/stats',
  'GET /v1/links/{token}',
];
