import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { BridgeConfig } from '../../lib/config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const KEPT_MS = 24 * 60 * 60 * 1000;

/**
 * Settings that name things in an AWS account, or that mail people. They are emptied here rather than left out, so
 * that `cdk.json` does not set them.
 */
const awayFromAws = {
  tableName: '',
  bucketName: '',
  formerBuckets: '',
  customerKey: '',
  formerKeys: '',
  alarmEmail: '',
};

/**
 * Synthesizes the stack, as `cdk synth` would, into a folder below `.bridge/` and returns the folder. Sources that
 * were synthesized before, with the same settings, are not again. Throws with what the app printed when it fails.
 */
export async function synthesize(settings: Partial<BridgeConfig> = {}): Promise<string> {
  const cache = join(root, '.bridge');
  const context = JSON.stringify({ ...readContext(), ...awayFromAws, ...settings });
  const folder = join(cache, `cdk.out-${sourceHash(context)}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    // Another process may do the same. With a rename the folder appears whole or not at all.
    const unfinished = `${folder}.${process.pid}`;
    try {
      await runApp({ CDK_OUTDIR: unfinished, CDK_CONTEXT_JSON: context });
      if (!existsSync(folder)) renameSync(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  const now = new Date();
  utimesSync(folder, now, now);
  for (const old of globSync(join(cache, 'cdk.out-*'))) {
    if (now.getTime() - statSync(old).mtimeMs > KEPT_MS) rmSync(old, { recursive: true, force: true });
  }
  return folder;
}

function readContext(): object {
  return (JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as { context?: object }).context ?? {};
}

function sourceHash(context: string): string {
  const hash = createHash('sha256').update(context);
  const files = globSync(
    ['build/**/*', 'lib/**/*', 'lambdas/**/*', 'client/**/*', 'console/**/*', 'package-lock.json'],
    {
      cwd: root,
    },
  ).sort();
  for (const file of files) {
    const path = join(root, file);
    if (statSync(path).isFile()) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex').slice(0, 16);
}

async function runApp(environment: Record<string, string>): Promise<void> {
  const app = spawn(process.execPath, [join(root, 'lib/app.ts')], {
    cwd: root,
    // CDK's own check of the template takes seconds and changes nothing; a deployment runs it.
    env: { ...process.env, CDK_VALIDATION: 'false', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [output, errors, [code]] = await Promise.all([text(app.stdout), text(app.stderr), once(app, 'exit')]);
  if (code !== 0) throw new Error(`The stack cannot be synthesized:\n${output}${errors}`);
}
