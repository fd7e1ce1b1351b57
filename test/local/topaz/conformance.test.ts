import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { API_KEY, finished, REQUEST_ID, SIMULATED_TRACE, simulatedTopaz } from './simulated-topaz.ts';

const document = JSON.parse(
  readFileSync(new URL('topaz-video-status.openapi.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv({ strict: false, allErrors: true });
addFormats.default(ajv);
ajv.addSchema(document, 'topaz');

const RESPONSES: Record<number, string> = {
  200: 'paths/~1video~1{requestId}~1status/get/responses/200',
  401: 'components/responses/Unauthorized',
  403: 'components/responses/Forbidden',
  404: 'components/responses/NotFound',
  500: 'components/responses/InternalServerError',
};

async function expectConformance(answer: Response, status: number): Promise<Record<string, unknown>> {
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toBe('application/json');
  const body = (await answer.json()) as Record<string, unknown>;
  const pointer = `topaz#/${RESPONSES[status]}/content/application~1json/schema`;
  const validate = ajv.compile({ $ref: encodeURI(pointer) });
  validate(body);
  expect(validate.errors).toBeNull();
  return body;
}

function expectDocumentedFields(body: Record<string, unknown>) {
  const documented = Object.keys(document.components.schemas.StatusResponse.properties);
  // Newer answers add `errorCode`.
  expect([...documented, 'errorCode']).toEqual(expect.arrayContaining(Object.keys(body)));
}

describe('what the document allows', () => {
  test('holds for every status of a job, from its request to its download', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: SIMULATED_TRACE });
    const seen: unknown[] = [];
    for (const seconds of [0, 1, 5, 50, 40, 50, 16, 4]) {
      topaz.wait(seconds);
      const body = await expectConformance(await topaz.ask(), 200);
      expectDocumentedFields(body);
      seen.push(body.status);
    }
    expect([...new Set(seen)]).toEqual(SIMULATED_TRACE.statuses.map(([status]) => status));
  });

  test.each(['failed', 'canceling', 'canceled'])('holds for a job that is %s', async (status) => {
    const topaz = await simulatedTopaz();
    await topaz.set({ trace: finished(status) });
    const body = await expectConformance(await topaz.ask(), 200);
    expectDocumentedFields(body);
    expect(body.status).toBe(status);
    expect(body).not.toHaveProperty('download');
  });

  test.each([
    ['an unknown job', '00000000-0000-4000-8000-000000000000', API_KEY, 404],
    ['an id that is no UUID', 'my-job', API_KEY, 404],
    ['a wrong key', REQUEST_ID, 'wrong', 401],
  ])('holds for %s', async (_, requestId, key, status) => {
    const topaz = await simulatedTopaz();
    const body = await expectConformance(await topaz.ask(requestId, key), status);
    expect(body.message).toEqual(expect.any(String));
  });

  test.each([401, 403, 404, 500])('holds for a simulated %i', async (status) => {
    const topaz = await simulatedTopaz();
    await topaz.set({ faults: [{ at: 'status', kind: 'http', status }] });
    await expectConformance(await topaz.ask(), status);
  });

  test('is broken by wrong types, so that this check can fail', async () => {
    const topaz = await simulatedTopaz();
    await topaz.set({ faults: [{ at: 'status', kind: 'wrongTypes' }] });
    await expect(topaz.ask().then((answer) => expectConformance(answer, 200))).rejects.toThrow();
  });
});
