import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { BUNDLE_OPTIONS } from '../../build/bundles.ts';

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

/** Bundles a handler that constructs the same clients as a stage and does nothing else, into `folder`. */
export async function bundleSdkOnly(stage: string, folder: string): Promise<string> {
  const clients = CLIENTS[stage];
  if (!clients) throw new Error(`bench/cold/sdk-only.ts does not know the clients of ${stage}.`);
  const contents = [
    ...clients.map(([module, name]) => `import { ${name} } from '${module}';`),
    `const clients = [${clients.map(([, name]) => `new ${name}({})`).join(', ')}];`,
    'export const handler = async () => clients.length;',
  ].join('\n');
  const outdir = join(folder, stage);
  await build({
    ...BUNDLE_OPTIONS,
    stdin: { contents, resolveDir: root, sourcefile: 'index.js' },
    entryNames: 'index',
    outdir,
  });
  return outdir;
}
