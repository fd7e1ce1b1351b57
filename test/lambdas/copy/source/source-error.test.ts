import { describe, expect, it } from 'vitest';
import {
  asExchangeError,
  dnsError,
  ExchangeError,
  type Stage,
  timeoutError,
} from '../../../../lambdas/adapters/http/exchange-error.ts';
import { asSourceError, busy } from '../../../../lambdas/copy/source/source-error.ts';

const HOST = 'cdn.example.com';
const STAGES: Stage[] = ['queue', 'dns', 'connect', 'tls', 'headers', 'body'];
const CODES = {
  connect: ['ECONNREFUSED', 'ENETUNREACH', 'ETIMEDOUT'],
  tls: [
    'CERT_HAS_EXPIRED',
    'CERT_NOT_YET_VALID',
    'CERT_REVOKED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    'INVALID_PURPOSE',
    'EPROTO',
  ],
  body: ['ECONNRESET', 'HPE_INVALID_CHUNK_SIZE'],
} satisfies Partial<Record<Stage, string[]>>;

const coded = (code: string) => Object.assign(new Error('https://cdn.example.com/?sig=s3cr3t'), { code });

const failures: ExchangeError[] = [
  ...STAGES.map((stage) => timeoutError(HOST, stage, 10_000)),
  dnsError(HOST, coded('ENOTFOUND')),
  ...Object.entries(CODES).flatMap(([stage, codes]) =>
    codes.map((code) => asExchangeError(coded(code), HOST, stage as Stage)),
  ),
];

describe('an exchange with the source that failed', () => {
  it.each(failures.map((error) => [error.what, error] as const))(
    'is given as a clause, without the remedy for a receiver: %s',
    (what, error) => {
      expect(asSourceError(error, HOST).fault).toEqual({ kind: 'broken', reason: what });
      expect(what).toMatch(/^(cdn\.example\.com|the|TLS) .*\)$/);
      expect(what).not.toContain(': ');
    },
  );

  it('can never be copied when the bridge must not go there', () => {
    const error = new ExchangeError('address_refused', 'the address 10.0.0.1 is not public', {
      remedy: 'use one that the internet can reach',
    });
    expect(asSourceError(error, HOST).fault).toEqual({
      kind: 'unusable',
      reason: 'the address 10.0.0.1 is not public',
    });
  });
});

it('an error of another kind names the host and the code only', () => {
  expect(asSourceError(coded('ECONNRESET'), HOST).fault).toEqual({
    kind: 'broken',
    reason: 'the connection to cdn.example.com failed (ECONNRESET)',
  });
});

it("the source's own fault stays as it is", () => {
  const error = busy('the source answered 503');
  expect(asSourceError(error, HOST)).toBe(error);
});
