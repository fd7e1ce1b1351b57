import { describe, expect, it } from 'vitest';
import {
  asExchangeError,
  ExchangeError,
  type Stage,
  timeoutError,
} from '../../../../lambdas/adapters/http/exchange-error.ts';

const nodeError = (code: string) => Object.assign(new Error('https://example.com/?sig=s3cr3t'), { code });

describe('an exchange error', () => {
  it.each<[string, Stage, string]>([
    ['ECONNREFUSED', 'connect', 'connect_refused'],
    ['ETIMEDOUT', 'connect', 'connect_timeout'],
    ['ENETUNREACH', 'connect', 'unreachable'],
    ['EHOSTUNREACH', 'connect', 'unreachable'],
    ['ECONNRESET', 'connect', 'reset'],
    ['ECONNRESET', 'tls', 'reset'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls', 'tls'],
    ['CERT_HAS_EXPIRED', 'tls', 'tls'],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'headers', 'tls'],
    ['EPIPE', 'headers', 'reset'],
    ['ETIMEDOUT', 'body', 'reset'],
    ['HPE_INVALID_CONSTANT', 'headers', 'protocol'],
    ['HPE_INVALID_CHUNK_SIZE', 'body', 'protocol'],
  ])('of %s at the stage %s has the class %s', (code, stage, failure) => {
    const error = asExchangeError(nodeError(code), 'example.com', stage);
    expect(error).toMatchObject({ name: 'ExchangeError', class: failure, code });
    expect(error.what).toMatch(/example\.com.* \([A-Z0-9_]+\)$/);
    expect(error.message).toMatch(/example\.com.*: .*\.$/);
    expect(error.message).not.toContain('s3cr3t');
  });

  it('stays the same when it is explained again', () => {
    const error = new ExchangeError('aborted', 'the exchange was aborted');
    expect(asExchangeError(error, 'example.com', 'body')).toBe(error);
  });

  it('takes over no code that is not one', () => {
    const error = asExchangeError(nodeError('see ?sig=s3cr3t'), 'example.com', 'headers');
    expect(error).toMatchObject({ class: 'protocol', code: 'UNKNOWN' });
    expect(asExchangeError('s3cr3t', 'example.com', 'headers').code).toBe('UNKNOWN');
  });

  it.each<[Stage, string, RegExp]>([
    ['queue', 'timeout', /lower the rate\.$/],
    ['dns', 'dns', /DNS records\.$/],
    ['connect', 'connect_timeout', /firewall\.$/],
    ['tls', 'timeout', /TLS set-up\.$/],
    ['headers', 'timeout', /answer faster\.$/],
    ['body', 'timeout', /answer faster\.$/],
  ])('of a time-out at the stage %s has the class %s and the remedy %s', (stage, failure, remedy) => {
    expect(timeoutError('example.com', stage, 15_000)).toMatchObject({
      class: failure,
      message: expect.stringMatching(/^example\.com took more than 15000 ms/),
    });
    expect(timeoutError('example.com', stage, 15_000).message).toMatch(remedy);
  });
});

it.each([
  ['CERT_HAS_EXPIRED', /has expired/],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', /is self-signed/],
  ['SELF_SIGNED_CERT_IN_CHAIN', /is self-signed/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', /is for another host than example\.com/],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /intermediate certificates/],
  ['CERT_REVOKED', /was revoked/],
  ['CERT_NOT_YET_VALID', /not valid yet/],
  ['INVALID_PURPOSE', /is not accepted/],
  ['CA_MD_TOO_WEAK', /is not accepted/],
  ['CERT_CHAIN_TOO_LONG', /is not accepted/],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /TLS with example\.com failed/],
  ['EPROTO', /TLS 1\.2/],
])('what is wrong with TLS by %s is said in words', (code, words) => {
  const error = asExchangeError(Object.assign(new Error('x'), { code }), 'example.com', 'tls');
  expect(error.class).toBe('tls');
  expect(error.message).toMatch(words);
});

it('a port that speaks no TLS is called so, without what it sent', () => {
  const found =
    'write EPROTO 40CD:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:x.c:77:';
  const error = asExchangeError(Object.assign(new Error(found), { code: 'EPROTO' }), 'example.com', 'tls');
  expect(error.message).toBe(
    'example.com does not speak TLS on this port (EPROTO): use the port that takes https.',
  );
});
