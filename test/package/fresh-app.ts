import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** The name under which the package is published. */
export const PACKAGE = 'topaz-video-webhooks';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Packed = { filename: string; files: { path: string }[] };

/** Packs what `dist/` holds into `folder`, as `npm publish` would. Returns the tarball and the paths of its files. */
export function packInto(folder: string): { tarball: string; files: string[] } {
  const npm = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const output = execFileSync('npm', npm, { cwd: root, encoding: 'utf8' });
  // npm 10 prints a list, and npm 11 an object.
  const [packed] = Object.values(JSON.parse(output) as Packed[] | Record<string, Packed>);
  if (!packed) throw new Error('npm packed nothing.');
  return { tarball: join(folder, packed.filename), files: packed.files.map(({ path }) => path) };
}

/**
 * Installs the tarball and what else is named (`aws-cdk-lib@2.276.0`) into a new folder, as a user would; nothing of
 * the repository is there. Apps in it are CommonJS or ES modules by the ends of their names.
 *
 * @throws when npm refuses, or reaches no registry and has not all in its cache
 */
export async function freshApp(app: string, tarball: string, peers: readonly string[]): Promise<void> {
  mkdirSync(app);
  writeFileSync(join(app, 'package.json'), JSON.stringify({ private: true }));
  // `npm ci` has put most of it into the cache. Without a registry, npm would try for minutes.
  const patience = ['--prefer-offline', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'];
  const npm = ['install', ...patience, '--no-audit', '--no-fund', tarball, ...peers];
  await promisify(execFile)('npm', npm, { cwd: app }).catch((cause: Error) => {
    throw new Error(`The package cannot be installed, or npm reaches no registry: ${cause.message}`, {
      cause,
    });
  });
}

/** An app whose stack holds two bridges: one as it is, and one that sets what can be set. */
export function twoBridges(kind: 'cjs' | 'mjs'): string {
  const from = (names: string, module: string) =>
    kind === 'mjs' ? `import { ${names} } from '${module}';` : `const { ${names} } = require('${module}');`;
  return `${from('App, Duration, RemovalPolicy, Stack', 'aws-cdk-lib')}
${from('Certificate', 'aws-cdk-lib/aws-certificatemanager')}
${from('Vpc', 'aws-cdk-lib/aws-ec2')}
${from('EventBus', 'aws-cdk-lib/aws-events')}
${from('SqsQueue', 'aws-cdk-lib/aws-events-targets')}
${from('AccountPrincipal, Role', 'aws-cdk-lib/aws-iam')}
${from('Key', 'aws-cdk-lib/aws-kms')}
${from('RetentionDays', 'aws-cdk-lib/aws-logs')}
${from('Bucket', 'aws-cdk-lib/aws-s3')}
${from('Secret', 'aws-cdk-lib/aws-secretsmanager')}
${from('Topic', 'aws-cdk-lib/aws-sns')}
${from('Queue', 'aws-cdk-lib/aws-sqs')}
${from('WebhookBridge', PACKAGE)}

const app = new App({ outdir: process.argv[2] });
const stack = new Stack(app, 'Videos', { env: { account: '123456789012', region: 'eu-west-1' } });
new WebhookBridge(stack, 'One');
const encryptionKey = new Key(stack, 'Key');
const two = new WebhookBridge(stack, 'Two', {
  bucket: new Bucket(stack, 'Bucket', { encryptionKey }),
  encryptionKey,
  eventBus: new EventBus(stack, 'Bus'),
  alarmTopic: new Topic(stack, 'Topic'),
  vpc: new Vpc(stack, 'Vpc', { natGateways: 1 }),
  domainName: 'bridge.example.com',
  certificate: Certificate.fromCertificateArn(stack, 'Certificate', 'arn:aws:acm:eu-west-1:123456789012:certificate/a'),
  topazApiKey: Secret.fromSecretNameV2(stack, 'TopazKey', 'topaz'),
  logRetention: RetentionDays.ONE_WEEK,
  removalPolicy: RemovalPolicy.DESTROY,
  retention: Duration.days(14),
  maxCopies: 8,
});
const reader = new Role(stack, 'Reader', { assumedBy: new AccountPrincipal('123456789012') });
two.grantReadVideos(reader);
two.grantReadCallbackSecret(reader);
two.onVideoStored('Stored', new SqsQueue(new Queue(stack, 'Queue')));
two.metricVideosStored().createAlarm(stack, 'Stored', { threshold: 100, evaluationPeriods: 1 });
app.synth();
`;
}
