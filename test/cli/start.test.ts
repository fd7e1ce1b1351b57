import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildCommandLine } from '../../build/command-line.ts';

const ENTRY = 'cli/topaz-bridge.ts';
const AFTER_ENTRY = 'cli/main.ts';

let folder: string;
let built: Metafile;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bridge-cli-start-'));
  built = await buildCommandLine(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The files that every start loads: those of the two entries, and what they import at once. */
function loadedAtStart(): Metafile['outputs'][string][] {
  const isEntry = ({ entryPoint }: Metafile['outputs'][string]) =>
    entryPoint === ENTRY || entryPoint === AFTER_ENTRY;
  const loaded = new Set(Object.values(built.outputs).filter(isEntry));
  for (const file of loaded)
    for (const { path, kind } of file.imports) {
      const next = built.outputs[path];
      if (kind === 'import-statement' && next) loaded.add(next);
    }
  return [...loaded];
}

test('a start loads no module of Node but the one that keeps compiled code', () => {
  const external = loadedAtStart().flatMap(({ imports }) =>
    imports.filter(({ external, kind }) => external && kind === 'import-statement'),
  );
  expect(new Set(external.map(({ path }) => path))).toEqual(new Set(['node:module']));
});

test('a start loads three files; else name what they share in cli/at-start.ts', () => {
  expect(loadedAtStart()).toHaveLength(3);
});

test('a start loads stricli, and no other package', () => {
  const inputs = loadedAtStart().flatMap((file) => Object.keys(file.inputs));
  const packages = inputs.flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []);
  expect(new Set(packages)).toEqual(new Set(['@stricli/core']));
});
