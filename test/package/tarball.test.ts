import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NOTICE, noticeOf } from '../../build/notice.ts';
import { buildPackage } from '../../build/package.ts';
import { freshApp, PACKAGE, packInto, twoBridges } from './fresh-app.ts';

const TSC = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bridge-package-'));
const app = join(folder, 'app');
const oldApp = join(folder, 'old-app');
const run = promisify(execFile);
const { peerDependencies, devDependencies, main, types, typesVersions, exports } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as Record<'peerDependencies' | 'devDependencies', Record<string, string>> & {
  main: string;
  types: string;
  typesVersions: { '*': { client: string[] } };
  exports: Record<'.' | './client', { types: string; default: string }>;
};
/** The peers in the versions that `npm ci` has put into npm's cache. */
const PEERS = Object.keys(peerDependencies).map((name) => `${name}@${devDependencies[name]}`);
const LOWEST_PEERS = Object.entries(peerDependencies).map(
  ([name, range]) => `${name}@${range.replace('^', '')}`,
);
let files: string[];
let metafiles: Awaited<ReturnType<typeof buildPackage>>;

beforeAll(async () => {
  metafiles = await buildPackage();
  const packed = packInto(folder);
  files = packed.files;
  await Promise.all([freshApp(app, packed.tarball, PEERS), freshApp(oldApp, packed.tarball, LOWEST_PEERS)]);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the published package', () => {
  it.each([
    ['CommonJS', 'cjs'],
    ['ES module', 'mjs'],
  ] as const)(
    'synthesizes two bridges in a fresh app of the kind %s',
    async (_, kind) => {
      writeFileSync(join(app, `app.${kind}`), twoBridges(kind));
      const outdir = join(app, `cdk.out-${kind}`);
      // In a folder of its own, since a module is found from where the app is.
      await run(process.execPath, [`app.${kind}`, outdir], {
        cwd: app,
        env: { PATH: process.env.PATH, CDK_VALIDATION: 'false' },
      });

      const assets = JSON.parse(readFileSync(join(outdir, 'Videos.assets.json'), 'utf8')) as {
        files: Record<string, { source: { path: string; packaging: string } }>;
      };
      const bundles = Object.values(assets.files).filter(({ source }) => source.packaging === 'zip');
      expect(bundles).toHaveLength(6);
      for (const { source } of bundles) {
        expect(readdirSync(join(outdir, source.path))).toEqual(
          expect.arrayContaining(['index.mjs', 'index.mjs.map']),
        );
      }
      const { Resources } = JSON.parse(readFileSync(join(outdir, 'Videos.template.json'), 'utf8')) as {
        Resources: Record<string, { Type: string }>;
      };
      const functions = Object.values(Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
      expect(functions).toHaveLength(12);
    },
    60_000,
  );

  it(`synthesizes with the lowest versions of its peers: ${LOWEST_PEERS.join(', ')}`, async () => {
    writeFileSync(join(oldApp, 'app.mjs'), twoBridges('mjs'));
    await run(process.execPath, ['app.mjs', join(oldApp, 'cdk.out')], { cwd: oldApp });
    expect(existsSync(join(oldApp, 'cdk.out/Videos.template.json'))).toBe(true);
  }, 60_000);

  it('has types that TypeScript apps of both kinds check by, and that need no other package', async () => {
    const files = ['app.cts', 'app.mts'];
    for (const file of files)
      writeFileSync(
        join(app, file),
        `import { App, Duration, Stack } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { WebhookBridge, type WebhookBridgeProps } from '${PACKAGE}';
import { createClient, type VideoRequest } from '${PACKAGE}/client';
const stack = new Stack(new App(), 'Videos');
const props: WebhookBridgeProps = { bucket: new Bucket(stack, 'Bucket'), linkLifetime: Duration.days(3) };
export const url: string = new WebhookBridge(stack, 'Bridge', props).apiUrl;
// @ts-expect-error a number of workers
new WebhookBridge(stack, 'Wrong', { maxCopies: 'many' });
export const client = createClient({ url, key: 'key' });
export const idOf = (request: VideoRequest): string => request.requestId;
// @ts-expect-error no such field
export const nothing = (request: VideoRequest) => request.nothing;
`,
      );
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      // The types of the CDK need `Disposable`; most apps have it from @types/node.
      lib: ['es2022', 'dom', 'esnext.disposable'],
      strict: true,
      noEmit: true,
    };
    writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
    const { stdout } = await run(process.execPath, [TSC, '-p', app]).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  }, 60_000);

  // TypeScript 7 no longer finds modules in that way, so the fields are compared with those that it reads.
  it('leads a TypeScript app that reads no `exports` to the same files', () => {
    expect({ main, types, client: typesVersions['*'].client }).toEqual({
      main: exports['.'].default,
      types: exports['.'].types,
      client: [exports['./client'].types],
    });
    expect(files).toEqual(
      expect.arrayContaining([main, types, exports['./client'].types].map((path) => path.replace('./', ''))),
    );
  });

  it.each(['topaz-bridge', PACKAGE])(
    'starts its command line by npx %s',
    async (name) => {
      const env = { PATH: process.env.PATH, HOME: app, npm_config_offline: 'true' };
      const npx = (...args: string[]) => run('npx', [name, ...args], { cwd: app, env });
      const { version } = JSON.parse(
        readFileSync(join(app, 'node_modules', PACKAGE, 'package.json'), 'utf8'),
      ) as { version: string };
      expect((await npx('--version')).stdout).toBe(`${version}\n`);
      // What this command needs is loaded when it runs.
      writeFileSync(join(app, 'jobs.csv'), '4f9c1a52-7d3e-4b8a-9c60-2e5d8f1a7b34\n');
      expect((await npx('import', 'jobs.csv', '--dry-run')).stdout).toContain('1 would be registered');
    },
    60_000,
  );

  it('has what it runs, and nothing of the workshop', () => {
    for (const stage of ['api', 'tick', 'poll', 'copy', 'dispatch', 'deliver']) {
      expect(files).toContain(`dist/lambda/${stage}/index.mjs`);
    }
    expect(files).toEqual(expect.arrayContaining(['NOTICE', 'LICENSE', 'README.md', 'CHANGELOG.md']));
    const stray = files.filter((file) =>
      /^(lib|lambdas|local|test|bench|build)\/|\.bridge|meta\.json$|sha256$/.test(file),
    );
    expect(stray).toEqual([]);
  });

  it('has the types that its two entry points lead to, and no others', () => {
    const reached = [types, exports['./client'].types].map((path) => join(path));
    for (const file of reached) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      for (const [, to = ''] of text.matchAll(/['"](\.[^'"]+)\.js['"]/g)) {
        const path = join(dirname(file), `${to}.d.ts`);
        if (!reached.includes(path)) reached.push(path);
      }
    }
    expect(files.filter((file) => file.startsWith('dist/types/')).sort()).toEqual(reached.sort());
  });

  it('has the pages that alarms, the doctor and the README name', () => {
    expect(files).toEqual(
      expect.arrayContaining(['docs/runbook.md', 'docs/metrics.md', 'docs/receiving.md']),
    );
  });

  it('has the files that its pages link', () => {
    // The README is the repository's front page, too, and links what is only there.
    const pages = files.filter((file) => file.endsWith('.md') && file !== 'README.md');
    const dead = pages.flatMap((page) => {
      const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
      const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path = '']) =>
        join(dirname(page), path),
      );
      return links.filter((path) => !files.includes(path)).map((path) => `${page}: ${path}`);
    });
    expect(dead).toEqual([]);
  });

  it('names the bundled packages and their licenses', () => {
    expect(readFileSync(NOTICE, 'utf8') === noticeOf(metafiles), 'run `npm run notice`').toBe(true);
  });
});
