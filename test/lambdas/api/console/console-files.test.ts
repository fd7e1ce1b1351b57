import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildConsole } from '../../../../build/console.ts';
import { type ConsoleFiles, createConsoleFiles } from '../../../../lambdas/api/console/console-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'console-'));
let size: number;
let files: ConsoleFiles;

beforeAll(async () => {
  size = (await buildConsole(folder)).bytes;
  files = createConsoleFiles(pathToFileURL(`${folder}/`), { allowLoopback: false });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const get = (rawPath: string, headers: Record<string, string> = {}, method = 'GET') =>
  files({ rawPath, headers, requestContext: { http: { method } } });
const text = (answer: Awaited<ReturnType<typeof get>>) =>
  Buffer.from(answer?.body ?? '', 'base64').toString();

test('all files together are at most 120 kB, compressed', () => {
  expect(size).toBeLessThan(120_000);
});

test('the page is given for each path that is no file, and for nothing outside of /console/', async () => {
  const page = text(await get('/console/'));
  expect(page).toContain('<div id="app">');
  expect(text(await get('/console/requests/9f8b6c1e'))).toBe(page);
  expect(await get('/console')).toMatchObject({ statusCode: 308, headers: { location: '/console/' } });
  expect(get('/v1/requests')).toBeUndefined();
  expect(get('/consoles')).toBeUndefined();
});

test('files are kept by browsers under names that change with them; the page is asked for again', async () => {
  const page = await get('/console/');
  expect(page?.headers).toMatchObject({ 'cache-control': 'no-cache' });
  const names = text(page).match(/\/console\/[\w.-]+/g) ?? [];
  expect(names).toHaveLength(3);
  for (const name of names) {
    const file = await get(name, { 'accept-encoding': 'br, gzip' });
    expect(file).toMatchObject({ statusCode: 200, headers: { 'content-encoding': 'gzip' } });
    expect(file?.headers?.['cache-control']).toContain('immutable');
    const unpacked = gunzipSync(Buffer.from(file?.body ?? '', 'base64')).toString();
    expect(unpacked).toBe(text(await get(name)));
    const again = await get(name, { 'if-none-match': String(file?.headers?.etag) });
    expect(again).toMatchObject({ statusCode: 304 });
    expect(again?.body).toBeUndefined();
  }
});

test('the page may run its own files only, and nothing may frame it', async () => {
  const policy = String((await get('/console/'))?.headers?.['content-security-policy']);
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toMatch(/unsafe|127\.0\.0\.1|data:/);
  expect(text(await get('/console/'))).not.toMatch(/<script>|<style|style=|https?:/);
});

test('what is not there, or is asked for in another way, is refused', async () => {
  for (const path of [
    '/console/none.js',
    '/console/files.json',
    '/console/../index.mjs',
    '/console/__proto__.x',
  ])
    expect(await get(path)).toMatchObject({ statusCode: 404 });
  expect(await get('/console/', {}, 'POST')).toMatchObject({ statusCode: 405 });
  expect(await get('/console/', {}, 'HEAD')).toMatchObject({ statusCode: 200, body: '' });
});
