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

/** The circles that a graph of imports has, each as its path. */
function circles(graph: ReadonlyMap<string, [string, string][]>): string[] {
  const done = new Set<string>();
  const found: string[] = [];
  function visit(node: string, path: string[]): void {
    if (path.includes(node)) {
      found.push([...path.slice(path.indexOf(node)), node].join(' > '));
      return;
    }
    if (done.has(node)) return;
    for (const [, to] of graph.get(node) ?? []) visit(to, [...path, node]);
    done.add(node);
  }
  for (const node of graph.keys()) visit(node, []);
  return found;
}

test('no stage imports another', () => {
  const across = imports('lambdas/**/*.ts').filter(([from, to]) => {
    const [a, b] = [stageOf(from), stageOf(to)];
    return a !== undefined && b !== undefined && a !== b;
  });
  expect(across).toEqual([]);
});

/** The layers under the stages, from the lowest. */
const LAYERS = ['domain', 'adapters', 'engine', 'rows'];

test('each layer under the stages knows only those below it', () => {
  const layerOf = (path: string) => LAYERS.findIndex((layer) => within(path, `lambdas/${layer}`));
  const upward = imports('lambdas/{domain,adapters,engine,rows}/**/*.ts').filter(
    ([from, to]) => layerOf(to) === -1 || layerOf(to) > layerOf(from),
  );
  expect(upward).toEqual([]);
});

test('the domain imports nothing but itself, and does no I/O', () => {
  expect(imports('lambdas/domain/**/*.ts').filter(([, to]) => !within(to, 'lambdas/domain'))).toEqual([]);
  // Of node:net only what reads addresses and compares them.
  const addresses = 'lambdas/domain/http/public-address.ts';
  const isAllowed = (from: string, to: string) =>
    ['node:crypto', 'node:zlib'].includes(to) || (to === 'node:net' && from === addresses);
  expect(packages('lambdas/domain/**/*.ts').filter(([from, to]) => !isAllowed(from, to))).toEqual([]);
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
  const graph = Map.groupBy(
    imports('{lib,lambdas,local,client,console,cli}/**/*.{ts,tsx}'),
    ([from]) => from,
  );
  expect(circles(graph)).toEqual([]);
});

test('no folder imports itself by a circle', () => {
  const graph = Map.groupBy(
    imports('{lib,lambdas,local,client,console,cli}/**/*.{ts,tsx}')
      .map(([from, to]): [string, string] => [dirname(from), dirname(to)])
      .filter(([from, to]) => from !== to),
    ([from]) => from,
  );
  expect(circles(graph)).toEqual([]);
});

test('what only one stage uses lives in that stage', () => {
  const graph = Map.groupBy(imports('lambdas/**/*.ts'), ([from]) => from);
  const stagesOf = new Map<string, Set<string>>();
  for (const stage of STAGES) {
    const reached = globSync(`lambdas/${stage}/**/*.ts`, { cwd: root });
    for (const file of reached) {
      stagesOf.set(file, (stagesOf.get(file) ?? new Set()).add(stage));
      for (const [, to] of graph.get(file) ?? []) if (!reached.includes(to)) reached.push(to);
    }
  }
  const shared = globSync('lambdas/{adapters,rows}/**/*.ts', { cwd: root });
  expect(shared.filter((file) => (stagesOf.get(file)?.size ?? 0) < 2)).toEqual([]);
});

test('the console and the command line know the client alone', () => {
  const known = imports('{console,cli}/**/*.{ts,tsx}').filter(([from, to]) => {
    const [home = ''] = from.split('/');
    return !within(to, home, 'client');
  });
  expect(known).toEqual([]);
});

test('the client runs with nothing but itself, in browsers too', () => {
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const needed = globSync('client/**/*.ts', { cwd: root }).flatMap((path) =>
    specifiers(text(path).replaceAll(/^(import|export) type [^;]*;/gm, '')).map((to) => [path, to]),
  );
  expect(needed.filter(([, to = '']) => !to.startsWith('./'))).toEqual([]);
});

/** Code that it only shows. */
const SHOWN = ['console/endpoints/snippets.ts'];

test('the console needs what it is built of, and nothing of Node', () => {
  const allowed = ['preact', '@preact/', 'wouter-preact', 'uplot', '@tanstack/virtual-core'];
  const needed = packages('console/**/*.{ts,tsx}').filter(([from]) => !SHOWN.includes(from));
  expect(needed.filter(([, to]) => !allowed.some((name) => to.startsWith(name)))).toEqual([]);
});

test('what sets kinds of endpoints apart is in their descriptors alone', () => {
  const compared = globSync('{lambdas,cli,console}/**/*.{ts,tsx}', { cwd: root }).filter((path) =>
    /[kK]ind [!=]== '(http|pull|eventbridge)'/.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(compared).toEqual([]);
});

/** Files whose exports are for users and AWS, or are imported as a whole. */
const PUBLIC = [
  'client/client.ts',
  'client/types.ts',
  'lib/index.ts',
  ...globSync('lambdas/*/handler.ts', { cwd: root }),
  'lambdas/domain/delivering/endpoint-kinds/all-kinds.ts',
  ...globSync('{build/stand-ins/*,test/local/fixture/functions,test/support/shared-folder}.ts', {
    cwd: root,
  }),
];

/** Where a file names what it takes from another one, unless it imports some when it needs them. */
const TAKEN = /\b(?:import|export)\s[^'";]*?from\s*'[^']*'/g;

test('what a file exports, another one uses', () => {
  const known = '{lib,lambdas,local,client,console,cli,bench,build,test,examples}/**/*.{ts,tsx}';
  const users = Map.groupBy(imports(known), ([, to]) => to);
  const text = (path: string) => readFileSync(join(root, path), 'utf8');
  const takenBy = (path: string) =>
    text(path).includes('import(') ? text(path) : (text(path).match(TAKEN) ?? []).join('\n');
  const unneeded = globSync('{lib,lambdas,local,client,console,cli,bench,build,test}/**/*.{ts,tsx}', {
    cwd: root,
    exclude: ['**/node_modules/**'],
  })
    .filter((path) => !PUBLIC.includes(path) && !path.endsWith('.test.ts'))
    .flatMap((path) => {
      const names = [...text(path).matchAll(/^export (?:async )?(?:const|function\*?|class|type) (\w+)/gm)];
      const used = (users.get(path) ?? []).map(([from]) => takenBy(from)).join('\n');
      return names
        .map(([, name = '']) => name)
        .filter((name) => !new RegExp(`\\b${name}\\b`).test(used))
        .map((name) => `${path}: ${name}`);
    });
  expect(unneeded).toEqual([]);
});

test('a file that defines routes of the API says so in its name', () => {
  const defining = globSync('lambdas/api/**/*.ts', { cwd: root }).filter((path) =>
    /\broute\(\{/.test(readFileSync(join(root, path), 'utf8')),
  );
  expect(defining.filter((path) => !/-routes?\.ts$/.test(path))).toEqual([]);
});

test('no file hides behind a name that says nothing', () => {
  const vague = globSync('{lib,lambdas,local,client,cli,bench,test}/**/{utils,helpers,common,misc}*', {
    cwd: root,
  });
  expect(vague).toEqual([]);
});

test('only the engine removes what belongs to a claim, and computes due times', () => {
  const byHand = globSync('lambdas/**/*.ts', { cwd: root }).filter((path) => {
    if (within(path, 'lambdas/engine')) return false;
    const text = readFileSync(join(root, path), 'utf8');
    return /remove:[^\]]*'(owner|claims)'/.test(text) || text.includes('engine/due-time.ts');
  });
  expect(byHand).toEqual([]);
});

test('one loop tries a refused write again, and one a write that met a transaction', () => {
  const retries = globSync('lambdas/**/*.ts', { cwd: root }).filter((path) => {
    const text = readFileSync(join(root, path), 'utf8');
    const triesAgain = /\b(for|while) \((let \w+ = \d+; *;|;;|true)/.test(text);
    return triesAgain && /instanceof ConditionFailed|TransactionConflict|causeToRetry/.test(text);
  });
  expect(retries.sort()).toEqual([
    'lambdas/adapters/dynamodb/optimistic.ts',
    'lambdas/adapters/dynamodb/writes.ts',
  ]);
});
