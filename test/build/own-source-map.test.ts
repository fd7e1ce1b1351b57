import { SourceMap, type SourceMapPayload } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';
import { BUNDLE_OPTIONS } from '../../build/bundles.ts';
import { ownSourceMap } from '../../build/own-source-map.ts';

let code: string;
let full: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    ...BUNDLE_OPTIONS,
    stdin: {
      contents: `
        import { string } from 'zod/mini';
        import { endpointId } from './lambdas/domain/ids.ts';
        export const used = [string(), endpointId];`,
      resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
      sourcefile: 'own.ts',
    },
    outfile: 'own.mjs',
    splitting: false,
    chunkNames: undefined,
    write: false,
  });
  [full = '', code = ''] = outputFiles.map(({ text }) => text);
});

/** Where Node finds the source of a place in the bundle, by this map. */
function originsOf(json: string) {
  const map = new SourceMap(JSON.parse(json) as SourceMapPayload);
  return (line: number, column: number) => {
    const entry = map.findEntry(line, column);
    if (!('originalSource' in entry) || entry.originalSource === undefined) return undefined;
    const { originalSource, originalLine, originalColumn } = entry;
    return { source: originalSource, line: originalLine, column: originalColumn };
  };
}

test('each character of own code has the source that it had, and none of a package has one', () => {
  const [before, after] = [full, ownSourceMap(full)].map(originsOf);
  const seen = { own: 0, packaged: 0 };
  for (const [line, text] of code.split('\n').entries()) {
    for (let column = 0; column < text.length; column++) {
      const was = before?.(line, column);
      if (!was) continue;
      const isPackaged = was.source.includes('node_modules');
      seen[isPackaged ? 'packaged' : 'own']++;
      expect(after?.(line, column), `${line}:${column}`).toEqual(isPackaged ? undefined : was);
    }
  }
  expect(Math.min(seen.own, seen.packaged)).toBeGreaterThan(100);
});

test('a map of packages alone names no source', () => {
  const map = JSON.parse(
    ownSourceMap('{"version":3,"sources":["../node_modules/a/b.js"],"names":["x"],"mappings":"AAAAA,CAAC"}'),
  ) as object;
  expect(map).toEqual({ version: 3, sources: [], names: [], mappings: 'A' });
});
