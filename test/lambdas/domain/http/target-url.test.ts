import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGivenUrl, checkTargetUrl, dialedHost } from '../../../../lambdas/domain/http/target-url.ts';
import { GOOD_URLS } from './good-urls.ts';
import { HOSTILE_URLS } from './hostile-urls.ts';

const deployed = { allowLoopback: false };
const local = { allowLoopback: true };
const reasonFor = (url: string, where = deployed) => {
  const check = checkTargetUrl(url, where);
  return check.ok ? undefined : check.reason;
};

describe('a target URL, deployed', () => {
  it('is tried against at least 150 different hostile and 30 good ones', () => {
    expect(new Set(HOSTILE_URLS.flatMap(({ urls }) => urls)).size).toBeGreaterThanOrEqual(150);
    expect(new Set(GOOD_URLS).size).toBeGreaterThanOrEqual(30);
  });

  describe.each(HOSTILE_URLS)('is refused for $what', ({ reason, urls }) => {
    it.each(urls)('%j', (url) => {
      expect(reasonFor(url)).toMatch(reason);
    });
  });

  it.each(GOOD_URLS)('is accepted when it is ordinary: %s', (url) => {
    expect(checkTargetUrl(url, deployed)).toEqual({ ok: true, url: new URL(url) });
  });

  it('is refused with a reason that gives away neither credentials nor path nor query', () => {
    const secret = 's3cr3t';
    const tails = [
      `/${secret}`,
      `/?token=${secret}`,
      `/#${secret}`,
      `/${secret} `,
      `/${secret}${'a'.repeat(3_000)}`,
    ];
    const hosts = [
      `https://me:${secret}@example.com`,
      'https://127.0.0.1',
      'http://example.com',
      'https://example.com:22',
    ];
    for (const url of hosts.flatMap((host) => tails.map((tail) => host + tail))) {
      expect(reasonFor(url)).toBeDefined();
      expect(reasonFor(url)).not.toContain(secret);
    }
  });

  it('is refused for each way to write a loopback address as one number', () => {
    const suffix = fc.integer({ min: 0, max: 0xff_ff_ff });
    const radix = fc.constantFrom(
      (n: number) => `${n}`,
      (n: number) => `0x${n.toString(16)}`,
      (n: number) => `0${n.toString(8)}`,
    );
    fc.assert(
      fc.property(suffix, radix, (low, write) => {
        expect(reasonFor(`https://${write(0x7f_00_00_00 + low)}/`)).toMatch(/not public/);
      }),
    );
  });

  it('is taken or refused, but never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.webUrl().map((url) => url.replace(/\./g, '。')),
        ),
        (text) => {
          const check = checkTargetUrl(text, deployed);
          expect(check.ok || check.reason.length > 0).toBe(true);
        },
      ),
    );
  });
});

describe('a target URL, locally', () => {
  it.each([
    'http://localhost:8787/hook',
    'http://localhost/',
    'http://receiver.localhost:8787/',
    'http://127.0.0.1:8787/hook?x=1',
    'http://127.9.9.9/',
    'http://[::1]:8787/',
    'https://localhost:8443/',
    'https://127.0.0.1:80/',
    'https://example.com/hook',
  ])('is accepted on loopback: %s', (url) => {
    expect(reasonFor(url, local)).toBeUndefined();
  });

  it.each([
    'http://example.com/',
    'http://0.0.0.0:8787/',
    'http://[::]:8787/',
    'http://10.0.0.1/',
    'http://169.254.169.254/',
    'http://[::ffff:127.0.0.1]:8787/',
    'http://localhost.:8787/',
    'http://localhost.example.com/',
    'http://me@localhost/',
    'http://2130706433:8787/',
    'http://127.1:8787/',
    'https://192.168.0.1/',
    'https://metadata/',
    'https://host.docker.internal/',
    'ftp://localhost/',
  ])('is refused beyond plain loopback: %s', (url) => {
    expect(reasonFor(url, local)).toBeDefined();
  });
});

it('the host to dial is an IPv6 address without brackets, or the name', () => {
  expect(dialedHost(new URL('https://[2606:4700::1111]:8443/'))).toBe('2606:4700::1111');
  expect(dialedHost(new URL('https://example.com/'))).toBe('example.com');
});

describe('a URL that a server gives', () => {
  const base = 'https://videos.example.com/a/b?c';
  const given = (text: string, from?: string) => checkGivenUrl(text, { allowLoopback: false }, from);

  it.each([
    [
      ' https://videos.example.com/My Film.mp4?x=a b#t=1 ',
      undefined,
      'https://videos.example.com/My%20Film.mp4?x=a%20b',
    ],
    [
      'https://videos.example.com/видео',
      undefined,
      'https://videos.example.com/%D0%B2%D0%B8%D0%B4%D0%B5%D0%BE',
    ],
    ['https://videos.example.com./x', undefined, 'https://videos.example.com/x'],
    ['../c d', base, 'https://videos.example.com/c%20d'],
    ['//cdn.example.com/x', base, 'https://cdn.example.com/x'],
  ])('%j is read as browsers read it', (text, from, href) => {
    expect(given(text, from)).toMatchObject({ ok: true, url: { href } });
  });

  it.each([
    ['//10.0.0.1/x', base],
    ['https:\\\\10.0.0.1\\x', undefined],
    ['https://0x7f.1/', undefined],
    ['https://10.0.0.1./', undefined],
    ['https://vault.internal./', undefined],
    ['https://videos.example.com../', undefined],
    ['https://2130706433/', undefined],
    ['https://[::ffff:127.0.0.1]/', undefined],
    ['https://user:pw@videos.example.com/', undefined],
    ['http://videos.example.com/', base],
    ['https://localhost/', undefined],
    ['https://videos.example.com:22/', undefined],
    ['javascript:alert(1)', base],
    ['/relative', undefined],
    ['', undefined],
  ])('%j is refused all the same', (text, from) => {
    expect(given(text, from).ok).toBe(false);
  });
});
