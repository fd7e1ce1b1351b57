import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, test } from 'vitest';

const STAGES = ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver'];
const root = join(import.meta.dirname, '..');

/** Every import between files of the project, as `[from, to]`, both relative to the root. */
function imports(pattern: string): [string, string][] {
  return globSync(pattern, { cwd: root }).flatMap((from) => {
    const text = readFileSync(join(root, from), 'utf8');
    return specifiers(text).flatMap((to): [string, string][] =>
      to.startsWith('.') ? [[from, normalize(join(dirname(from), to))]] : [],
    );
  });
}

function packages(pattern: string): [string, string][] {
  return globSync(pattern, { cwd: root }).flatMap((from) =>
    specifiers(readFileSync(join(root, from), 'utf8')).flatMap((to): [string, string][] =>
      to.startsWith('.') ? [] : [[from, to]],
    ),
  );
}

const specifiers = (text: string): string[] =>
  [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => specifier);
const within = (path: string, ...folders: string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`));
const stageOf = (path: string): string | undefined =>
  STAGES.find((stage) => within(path, `lambdas/${stage}`));

test('no stage imports another', () => {
  const across = imports('lambdas/**/*.ts').filter(([from, to]) => {
    const [a, b] = [stageOf(from), stageOf(to)];
    return a !== undefined && b !== undefined && a !== b;
  });
  expect(across).toEqual([]);
});

test('adapters and the runtime import no stage', () => {
  const upward = [...imports('lambdas/adapters/**/*.ts'), ...imports('lambdas/engine/**/*.ts')];
  expect(upward.filter(([, to]) => stageOf(to) !== undefined)).toEqual([]);
});

test('the domain imports nothing but itself, and does no I/O', () => {
  expect(imports('lambdas/domain/**/*.ts').filter(([, to]) => !within(to, 'lambdas/domain'))).toEqual([]);
  const allowed = ['node:crypto', 'node:zlib', 'ipaddr.js'];
  expect(packages('lambdas/domain/**/*.ts').filter(([, to]) => !allowed.includes(to))).toEqual([]);
});

test('the domain has no clock and no chance', () => {
  const impure = globSync('lambdas/domain/**/*.ts', { cwd: root }).filter((path) =>
    /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID|randomBytes\(|performance\.now/.test(
      readFileSync(join(root, path), 'utf8'),
    ),
  );
  expect(impure).toEqual([]);
});

test('what is deployed knows of what runs only the names in the domain', () => {
  const known = imports('lib/**/*.ts').filter(([, to]) => within(to, 'lambdas', 'local', 'test', 'bench'));
  expect(known.filter(([, to]) => !within(to, 'lambdas/domain'))).toEqual([]);
});

test('the local runtime knows the template and the wire, not the code of the stages', () => {
  const known = imports('local/**/*.ts').filter(([, to]) => within(to, 'lambdas'));
  expect(known).toEqual([]);
});

test('nothing that is deployed knows of the local runtime', () => {
  const known = imports('lambdas/**/*.ts').filter(([, to]) => within(to, 'local', 'lib', 'test', 'bench'));
  expect(known).toEqual([]);
});

test('no file imports itself by a circle', () => {
  const graph = Map.groupBy(imports('{lib,lambdas,local}/**/*.ts'), ([from]) => from);
  const done = new Set<string>();
  const circles: string[] = [];
  function visit(file: string, path: string[]): void {
    if (path.includes(file)) {
      circles.push([...path.slice(path.indexOf(file)), file].join(' > '));
      return;
    }
    if (done.has(file)) return;
    for (const [, to] of graph.get(file) ?? []) visit(to, [...path, file]);
    done.add(file);
  }
  for (const file of graph.keys()) visit(file, []);
  expect(circles).toEqual([]);
});

test('no file hides behind a name that says nothing', () => {
  const vague = globSync('{lib,lambdas,local,bench,test}/**/{utils,helpers,common,misc}*', { cwd: root });
  expect(vague).toEqual([]);
});
