import { expect, test } from 'vitest';
import { useDatabase } from '../../../support/dynamodb.ts';
import { ADMIN, createClient, READER, uuid } from '../call-api.ts';

const database = useDatabase();
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

type Operation = { readonly security?: readonly unknown[] };

/** Each value of `Authorization` that is refused. */
const WRONG = [
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearer null',
  'Bearer undefined',
  `Bearer ${ADMIN}x`,
  `Bearer ${ADMIN.slice(0, -1)}`,
  `Bearer ${ADMIN.toUpperCase()}x`,
  `Bearer ${ADMIN} ${ADMIN}`,
  `Bearer ${ADMIN},Bearer ${ADMIN}`,
  `Bearer x${ADMIN}`,
  `Basic ${Buffer.from(`admin:${ADMIN}`).toString('base64')}`,
  `Token ${ADMIN}`,
  ADMIN,
  'Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.',
  'Bearer __proto__',
  'Bearer constructor',
  `Bearer ${'a'.repeat(8_000)}`,
];

test('every route refuses every wrong credential', async () => {
  const api = createClient(database());
  const document = (await api.call('GET', '/v1/openapi.json')).body;
  const closed = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([method, { security }]) => METHODS.includes(method) && security?.length !== 0)
      .map(([method]) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, uuid('somebody'))] as const),
  );
  let tried = 0;
  for (const [method, path] of closed) {
    for (const authorization of WRONG) {
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
      const answer = await api.call(method, path, { key: null, headers });
      expect(answer.status, `${method} ${path} with ${authorization}`).toBe(401);
      expect(JSON.stringify(answer.body)).not.toContain(ADMIN);
      tried++;
    }
  }
  console.info(`${tried} calls with wrong credentials, of ${closed.length} routes`);
  expect(closed.length).toBeGreaterThan(30);
});

test('no key that only reads changes anything', async () => {
  const api = createClient(database());
  const document = (await api.call('GET', '/v1/openapi.json')).body;
  for (const [path, operations] of Object.entries<Record<string, Operation>>(document.paths)) {
    for (const method of Object.keys(operations).filter((each) => METHODS.includes(each) && each !== 'get')) {
      const url = path.replaceAll(/\{\w+\}/g, uuid('somebody'));
      const { status } = await api.call(method.toUpperCase(), url, { key: READER, body: {} });
      expect(status, `${method} ${path}`).toBe(403);
    }
  }
});
