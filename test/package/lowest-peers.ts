import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildPackage } from '../../build/package.ts';
import { packInto, twoBridges } from './fresh-app.ts';

// `npm run check:peers`: the package works with the lowest versions of its peers, which it names in package.json.
const { peerDependencies } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { peerDependencies: Record<string, string> };
const lowest = Object.entries(peerDependencies).map(([name, range]) => `${name}@${range.replace('^', '')}`);

const folder = mkdtempSync(join(tmpdir(), 'bridge-peers-'));
try {
  await buildPackage();
  packInto(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  // A real installation, from the registry or npm's cache.
  const npm = [
    'install',
    '--no-save',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--install-links',
    './package',
    ...lowest,
  ];
  execFileSync('npm', npm, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(join(folder, 'app.js'), twoBridges('module'));
  execFileSync(process.execPath, ['app.js', join(folder, 'cdk.out')], { cwd: folder, stdio: 'inherit' });
  console.log(`The package synthesizes with ${lowest.join(' and ')}.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
