import fc from 'fast-check';
import { expect, test } from 'vitest';
import { useDatabase } from '../../../support/dynamodb.ts';
import { ADMIN, createClient, READER, uuid } from '../call-api.ts';
import { createConformance } from './conformance.ts';
import { callOf, type Operation } from './generate-calls.ts';

const database = useDatabase();
/** `GENERATED_CALLS=20000 npx vitest run generated-calls` takes some minutes and prints what was answered; `SEED=…` repeats a run. */
const CALLS = Number(process.env.GENERATED_CALLS ?? 400);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const CALLS_PER_STORY = 40;
const MAX_KNOWN = 60;

test(`calls that are generated from the document get documented answers and no 5xx (SEED=${SEED})`, async () => {
  const api = createClient(database());
  const document = (await api.call('GET', '/v1/openapi.json')).body;
  const differences = createConformance(document);
  const operations = Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => [method, path, operation] as const),
  );
  let known = await someIds(api);
  const seen = new Map<string, number>();

  for (let story = 0; story * CALLS_PER_STORY < CALLS; story++) {
    const call = fc.oneof(
      ...operations.map((each) => callOf(each, known, [...Array(8).fill(ADMIN), READER, null])),
    );
    for (const each of fc.sample(call, { numRuns: CALLS_PER_STORY, seed: SEED + story })) {
      const { method, path, url, body, key, headers, operation } = each;
      const answer = await api.call(method, url, { body, key, headers });
      const made = `SEED=${SEED}: ${method} ${url} ${JSON.stringify(body)?.slice(0, 2_000)}`;
      expect(answer.status, made).toBeLessThan(500);
      // An id that is empty or has a slash names another path, whose answer is another operation's.
      if (!(answer.status === 404 || answer.status === 405))
        expect(differences(method, path, answer), made).toBeNull();
      known = [...new Set([...idsIn(answer.body), ...known])].slice(0, MAX_KNOWN);
      const outcome = `${operation.operationId} ${Math.floor(answer.status / 100)}xx`;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      api.clock.now += 50;
    }
  }
  if (process.env.GENERATED_CALLS) console.log(Object.fromEntries([...seen].sort()));
  // Calls that are all refused would prove little.
  const answered = new Set(
    [...seen.keys()].filter((each) => /[23]xx$/.test(each)).map((each) => each.split(' ')[0]),
  );
  expect(answered.size).toBeGreaterThan(operations.length / 5);
}, 1_800_000);

/** Ids of every kind that can be made by calls alone. */
async function someIds(api: ReturnType<typeof createClient>): Promise<string[]> {
  const requestId = uuid(`generated ${SEED}`);
  await api.call('POST', '/v1/requests', { body: { requestId, callbackUrl: 'https://hooks.example.com/g' } });
  const { id } = (await api.call('POST', '/v1/endpoints', { body: { kind: 'pull' } })).body;
  const { eventId } = (await api.call('POST', `/v1/endpoints/${id}/test`)).body;
  const since = '2026-11-01T00:00:00Z';
  const { replayId } = (await api.call('POST', `/v1/endpoints/${id}/replay`, { body: { since } })).body;
  return [requestId, id, eventId, replayId];
}

/** The ids that an answer names. */
function idsIn(body: unknown): string[] {
  if (typeof body === 'string')
    return /^(ep_|msg_|dlv_|rpl_|prk_|[0-9a-f]{8}-)[\w-]+$/.test(body) ? [body] : [];
  return typeof body === 'object' && body !== null ? Object.values(body).flatMap(idsIn) : [];
}
