import { beforeEach, expect, test } from 'vitest';
import { signLink } from '../../../../lambdas/domain/copying/link-token.ts';
import { metaKey, outboxKey, requestKey } from '../../../../lambdas/domain/rows.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { type Client, createClient, LINK_SECRET, uuid } from '../call-api.ts';

const VIDEO = { state: 'stored', bucket: 'videos', key: 'v.mp4' };
const database = useDatabase();
let api: Client;
let requestId: string;
let tests = 0;

beforeEach(async () => {
  api = createClient(database());
  requestId = uuid(`linked ${++tests}`);
  await api.call('POST', '/v1/requests', { body: { requestId } });
  await database().table.write({
    update: requestKey(requestId),
    set: { video: VIDEO },
  });
});

const link = (secret = LINK_SECRET) =>
  `/v1/links/${signLink({ requestId, issuedAt: api.clock.now, expiresAt: api.clock.now + 60_000 }, secret)}`;
const follow = (path: string) => api.call('GET', path, { key: null });

test('a link leads to the video without a key, by a URL that is good for 15 minutes', async () => {
  const { status, headers } = await follow(`${link()}?from=mail`);
  expect([status, headers['cache-control']]).toEqual([302, 'no-store']);
  const location = new URL(headers.location ?? '');
  expect(location.pathname).toBe('/v.mp4');
  expect(location.searchParams.get('response-content-disposition')).toBe('attachment');
  expect(Number(location.searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(900);
});

test('an expired or forged link leads nowhere', async () => {
  const path = link();
  expect((await follow(link('another secret'))).status).toBe(404);
  expect((await follow('/v1/links/abc')).status).toBe(404);
  api.clock.now += 60_000;
  expect((await follow(path)).status).toBe(404);
});

test('a link to a purged request leads nowhere', async () => {
  await api.call('DELETE', `/v1/requests/${requestId}?purge=true`);
  expect((await follow(link())).status).toBe(404);
});

test('a link to a purged request stays dead when the request is registered and stored again', async () => {
  const path = link();
  const keys = [requestKey(requestId), metaKey(requestId), outboxKey({ kind: 'request', requestId })];
  for (const key of keys) await database().table.write({ delete: key });
  api.clock.now += 1_000;
  await api.call('POST', '/v1/requests', { body: { requestId } });
  await database().table.write({ update: requestKey(requestId), set: { video: VIDEO } });
  expect((await follow(path)).status).toBe(404);
  expect((await follow(link())).status).toBe(302);
});

test('HEAD says where a link leads, too', async () => {
  const answer = await api.call('HEAD', link(), { key: null });
  expect([answer.status, answer.body]).toEqual([302, undefined]);
  expect(answer.headers.location).toContain('/v.mp4');
});

test('HEAD leads to a URL that is signed for HEAD, of the same type and disposition', async () => {
  await database().table.write({ update: requestKey(requestId), set: { 'video.contentType': 'video/mp4' } });
  const paths = [link(), `/v1/requests/${requestId}/video`];
  for (const path of paths) {
    const [got, headed] = await Promise.all([api.call('GET', path), api.call('HEAD', path)]);
    const [get, head] = [got, headed].map(({ headers }) => new URL(headers.location ?? '').searchParams);
    expect(head?.get('X-Amz-Signature')).not.toBe(get?.get('X-Amz-Signature'));
    expect(head?.get('response-content-type')).toBe('video/mp4');
    expect(head?.get('response-content-disposition')).toBe('attachment');
  }
});

test('a link to a video that is not stored leads nowhere', async () => {
  await database().table.write({ update: requestKey(requestId), set: { video: { state: 'failed' } } });
  expect((await follow(link())).status).toBe(404);
});
