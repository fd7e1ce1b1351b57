import { expect, test } from 'vitest';
import { headerRefusal } from '../../../../lambdas/domain/delivering/custom-headers.ts';

test.each([
  ['X-Api-Key', 'abc'],
  ['Authorization', 'Bearer a b'],
  ['x', 'a\tb'],
  ['x', '**'],
])('%s: %s is taken', (name, value) => {
  expect(headerRefusal(name, value)).toBeUndefined();
});

test.each([
  'Host',
  'User-Agent',
  'Accept-Encoding',
  'connection',
  'Keep-Alive',
  'Proxy-Authorization',
  'TE',
  'Trailer',
  'Transfer-Encoding',
  'Upgrade',
  'Content-Length',
  'Content-Type',
  'Content-Encoding',
  'Expect',
  'Webhook-Id',
  'webhook-anything',
])("%s is the bridge's own", (name) => {
  expect(headerRefusal(name, 'x')).toMatch(/sets this header itself/);
});

test.each([
  ['', 'x'],
  ['a b', 'x'],
  ['a:', 'x'],
  ['ä', 'x'],
  ['n'.repeat(101), 'x'],
])('%j is no name of a header', (name, value) => {
  expect(headerRefusal(name, value)).toMatch(/not a header name/);
});

test.each(['', ' x', 'x ', 'a\r\nb: c', 'a\nb', 'a\0b', 'ü', 'v'.repeat(1_001)])(
  '%j is no value of a header',
  (value) => {
    expect(headerRefusal('x-a', value)).toMatch(/value/);
  },
);

test('what is shown in place of a value is none, so that a view sent back spoils nothing', () => {
  expect(headerRefusal('x-a', '***')).toMatch(/send the real value/);
});
