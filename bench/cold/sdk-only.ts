import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { BUNDLE_OPTIONS } from '../../build/bundles.ts';
import { ownSourceMap } from '../../build/own-source-map.ts';

/** How esbuild bundles the SDK for anybody: none of its modules replaced or changed. */
const { alias: _alias, plugins: _plugins, external: _external, ...AS_PUBLISHED } = BUNDLE_OPTIONS;

const root = fileURLToPath(new URL('../..', import.meta.url));
const DYNAMODB = ['@aws-sdk/client-dynamodb', 'DynamoDBClient'] as const;
const SQS = ['@aws-sdk/client-sqs', 'SQSClient'] as const;
const SECRETS = ['@aws-sdk/client-secrets-manager', 'SecretsManagerClient'] as const;
const S3 = ['@aws-sdk/client-s3', 'S3Client'] as const;

/** The clients of the AWS SDK that each handler constructs when it is loaded. */
const CLIENTS: Record<string, readonly (readonly [module: string, name: string])[]> = {
  api: [DYNAMODB, SQS, SECRETS],
  tick: [DYNAMODB, SQS],
  poll: [DYNAMODB, SQS, SECRETS],
  copy: [DYNAMODB, SQS, S3],
  dispatch: [DYNAMODB, SQS],
  deliver: [DYNAMODB, SQS],
};

/** Folders of bundles that only construct the same SDK clients as a stage. */
export type SdkOnly = {
  /** With the SDK as it is published. */
  readonly published: string;
  /** With what the bridge's own bundles leave out of the SDK left out here too. */
  readonly trimmed: string;
};

/** Bundles handlers that construct the same clients as a stage and do nothing else, into `folder`. */
export async function bundleSdkOnly(stage: string, folder: string): Promise<SdkOnly> {
  const clients = CLIENTS[stage];
  if (!clients) throw new Error(`bench/cold/sdk-only.ts does not know the clients of ${stage}.`);
  const contents = [
    ...clients.map(([module, name]) => `import { ${name} } from '${module}';`),
    `const clients = [${clients.map(([, name]) => `new ${name}({})`).join(', ')}];`,
    'export const handler = async () => clients.length;',
  ].join('\n');
  const bundle = async (options: BuildOptions, name: string, mapOf: (map: string) => string) => {
    const outdir = join(folder, name, stage);
    const stdin = { contents, resolveDir: root, sourcefile: 'index.js' };
    const { outputFiles } = await build({ ...options, stdin, entryNames: 'index', outdir, write: false });
    for (const { path, text } of outputFiles) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, path.endsWith('.map') ? mapOf(text) : text);
    }
    return outdir;
  };
  return {
    published: await bundle(AS_PUBLISHED, 'published', (map) => map),
    trimmed: await bundle(BUNDLE_OPTIONS, 'trimmed', ownSourceMap),
  };
}
