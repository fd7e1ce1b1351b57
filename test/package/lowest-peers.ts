import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage } from '../../build/package.ts';
import { freshApp, packInto, twoBridges } from './fresh-app.ts';

// `npm run check:peers`: the package works with the lowest versions of its peers, which it names in package.json.
const { peerDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { peerDependencies: Record<string, string> };
const lowest = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range.replace('^', '')}`);

const folder = mkdtempSync(join(tmpdir(), 'bridge-peers-'));
try {
  await buildPackage();
  const app = join(folder, 'app');
  await freshApp(app, packInto(folder).tarball, lowest);
  writeFileSync(join(app, 'app.mjs'), twoBridges('mjs'));
  execFileSync(process.execPath, ['app.mjs', join(app, 'cdk.out')], { cwd: app, stdio: 'inherit' });
  console.log(`The package synthesizes with ${lowest.join(' and ')}.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
