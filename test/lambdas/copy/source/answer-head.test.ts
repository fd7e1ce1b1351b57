import { expect, test } from 'vitest';
import { parseHead } from '../../../../lambdas/copy/source/answer-head.ts';

test('a plain head gives its status and headers, names in lower case', () => {
  expect(parseHead('HTTP/1.1 206 Partial Content\r\nETag: "a:b"\r\nContent-Length:  5 ')).toEqual({
    status: 206,
    headers: { etag: '"a:b"', 'content-length': '5' },
  });
  expect(parseHead('HTTP/1.1 200\r\nvary: a\r\nVary: b')?.headers).toEqual({ vary: 'a, b' });
});

test.each([
  ['another protocol', 'HTTP/2 200 OK'],
  ['an older version', 'HTTP/1.0 200 OK'],
  ['no status', 'HTTP/1.1 OK'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nx: 1\r\n folded'],
  ['a space before the colon', 'HTTP/1.1 200 OK\r\ncontent-length : 5'],
  ['two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\nContent-Length: 6'],
  ['two framings', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: identity'],
])('%s is refused', (_name, head) => {
  expect(parseHead(head)).toBeUndefined();
});

test('a header named like a property of objects is one like any other', () => {
  expect(parseHead('HTTP/1.1 200 OK\r\n__proto__: x')?.headers.etag).toBeUndefined();
});

test('a million blanks are read as fast as anything else', () => {
  const blanks = ' '.repeat(1e6);
  expect(parseHead(`HTTP/1.1 200 OK\r\nx:${blanks}y${blanks}z${blanks}`)?.headers.x).toBe(`y${blanks}z`);
});
