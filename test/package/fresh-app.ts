import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The name under which the package is published. */
export const PACKAGE = 'topaz-video-webhooks';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Packed = { filename: string; files: { path: string }[] };

/**
 * Packs what `dist/` holds, as `npm publish` would, and unpacks it to `<folder>/package`. Returns the paths of the
 * files in the tarball.
 */
export function packInto(folder: string): string[] {
  const npm = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const output = execFileSync('npm', npm, { cwd: root, encoding: 'utf8' });
  // npm 10 prints a list, and npm 11 an object.
  const [packed] = Object.values(JSON.parse(output) as Packed[] | Record<string, Packed>);
  if (!packed) throw new Error('npm packed nothing.');
  execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder]);
  return packed.files.map(({ path }) => path);
}

/**
 * An app in an empty folder that has the unpacked package and, from the repository, the peers and dependencies that
 * are named: neither esbuild nor the AWS SDK.
 */
export function freshApp(
  folder: string,
  name: string,
  type: 'commonjs' | 'module',
  modules: readonly string[] = ['aws-cdk-lib', 'constructs', 'zod'],
): string {
  const app = join(folder, name);
  mkdirSync(join(app, 'node_modules'), { recursive: true });
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name, private: true, type }));
  execFileSync('cp', ['-R', join(folder, 'package'), join(app, 'node_modules', PACKAGE)]);
  for (const module of modules) {
    symlinkSync(join(root, 'node_modules', module), join(app, 'node_modules', module));
  }
  return app;
}

/** An app whose stack holds two bridges: one as it is, and one that sets what can be set. */
export function twoBridges(type: 'commonjs' | 'module'): string {
  const from = (names: string, module: string) =>
    type === 'module'
      ? `import { ${names} } from '${module}';`
      : `const { ${names} } = require('${module}');`;
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
