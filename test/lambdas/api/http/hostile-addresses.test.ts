import { describe, expect, test } from 'vitest';
import { guardedLookup } from '../../../../lambdas/adapters/http/guarded-lookup.ts';
import { createRedirects } from '../../../../lambdas/copy/source/redirects.ts';
import { SourceError } from '../../../../lambdas/copy/source/source-error.ts';
import { isPublicAddress } from '../../../../lambdas/domain/http/public-address.ts';
import { useDatabase } from '../../../support/dynamodb.ts';
import { HOSTILE_URLS } from '../../domain/http/hostile-urls.ts';
import { createClient, uuid } from '../call-api.ts';

const database = useDatabase();
const URLS = [...new Set(HOSTILE_URLS.flatMap(({ urls }) => urls))];
/** Those whose host is not public: a server's URL may have what a person's may not, such as blanks or a fragment. */
const INWARD = HOSTILE_URLS.filter(({ reason }) => /not public|private/.test(reason.source)).flatMap(
  ({ urls }) => urls,
);
const PUBLIC = '93.184.215.14';

/** Addresses in the forms that DNS answers in, each of a block that is not public. */
const ADDRESSES = [
  ...['0', '10', '127', '100.64', '169.254', '172.16', '172.31', '192.168', '198.18', '224', '240', '255']
    .map((block) => block.split('.'))
    .flatMap((block) =>
      ['0', '1', '254'].map((last) => [...block, '0', '0', '0'].slice(0, 3).concat(last).join('.')),
    ),
  ...['::', '::1', 'fc00::1', 'fd00:ec2::254', 'fe80::1', 'ff02::1', '64:ff9b::a00:1', '2001:db8::1'],
  ...['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.1.1'].flatMap((v4) => [`::ffff:${v4}`, `::${v4}`]),
];

describe('a hostile address', () => {
  test('is refused as a callback and as an endpoint', async () => {
    const api = createClient(database());
    for (const url of URLS) {
      const callback = await api.call('POST', '/v1/requests', {
        body: { requestId: uuid('hostile'), callbackUrl: url },
      });
      expect([callback.status, callback.body.errors[0].path], url).toEqual([400, 'callbackUrl']);
      const endpoint = await api.call('POST', '/v1/endpoints', { body: { url } });
      expect([endpoint.status, endpoint.body.errors[0].path], url).toEqual([400, 'url']);
    }
    expect((await api.call('GET', '/v1/endpoints')).body.items).toEqual([]);
    expect((await api.call('GET', `/v1/requests/${uuid('hostile')}`)).status).toBe(404);
    console.info(`${URLS.length} hostile URLs, ${ADDRESSES.length} hostile addresses`);
    expect(URLS.length + ADDRESSES.length).toBeGreaterThanOrEqual(200);
  });

  test.each(ADDRESSES)('behind a name is not dialed, whatever was dialed before: %s', async (address) => {
    const answers = [[PUBLIC], [address], [address, address]];
    const lookup = guardedLookup(async () => answers.shift() ?? [], isPublicAddress);
    const dialed = () =>
      new Promise((resolve) => {
        lookup('rebinding.example', { all: true }, (error, found) => resolve(error ? error.message : found));
      });
    expect(await dialed()).toEqual([{ address: PUBLIC, family: 4 }]);
    for (let again = 0; again < 2; again++) {
      expect(await dialed()).toContain('no address that the bridge may dial');
    }
  });

  test('is not fetched as a download URL, nor where one redirects to', async () => {
    for (const url of INWARD) {
      const fetched: string[] = [];
      const following = createRedirects({ allowLoopback: false });
      const fetch = async (target: string) => {
        fetched.push(target);
        throw new SourceError({ kind: 'moved', reason: 'moved', location: url });
      };
      await expect(following(url, fetch), url).rejects.toThrow();
      expect(fetched, url).toEqual([]);
      await expect(following('https://videos.example.com/a', fetch), url).rejects.toThrow();
      expect(fetched, url).toEqual(['https://videos.example.com/a']);
    }
  });
});
