import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ADMIN_KEY, type LocalBridge, startLocalBridge } from '../support/local-bridge.ts';
import { type CommandLine, openCommandLine, outcomeOf } from './command-line.ts';

type Answer = { readonly status: number; readonly body: string };

const SECRET_ARN = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf';

let bridge: LocalBridge;
let cli: CommandLine;
/** CloudFormation and Secrets Manager, of which one speaks XML and the other JSON. */
let aws: Server;
let stack: Answer | 'silence';
let secret: Answer;
let asked: { action: string; name: string; region: string }[] = [];

beforeAll(async () => {
  bridge = await startLocalBridge();
  cli = await openCommandLine();
  aws = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const region = /Credential=[^/]+\/\d+\/([^/]+)/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const target = request.headers['x-amz-target'];
    const name = target
      ? (JSON.parse(text) as { SecretId: string }).SecretId
      : (new URLSearchParams(text).get('StackName') ?? '');
    asked.push({ action: String(target ?? new URLSearchParams(text).get('Action')), name, region });
    const answer = target ? secret : stack;
    if (answer === 'silence') return;
    const type = target ? 'application/x-amz-json-1.1' : 'text/xml';
    response.writeHead(answer.status, { 'content-type': type }).end(answer.body);
  });
  await once(aws.listen(0, '127.0.0.1'), 'listening');
  const endpoint = `http://127.0.0.1:${(aws.address() as AddressInfo).port}`;
  mkdirSync(join(cli.folder, '.aws'));
  writeFileSync(
    join(cli.folder, '.aws/config'),
    '[profile video]\nregion = eu-west-1\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n',
  );
  Object.assign(cli.env, {
    AWS_ENDPOINT_URL_CLOUDFORMATION: endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
  });
});
beforeEach(() => {
  stack = stackWith({ ApiUrl: bridge.apiUrl, ApiKeySecretArn: SECRET_ARN });
  secret = secretOf({ keys: [{ id: 'ada', key: ADMIN_KEY, role: 'admin' }] });
  asked = [];
});
afterAll(async () => {
  cli?.close();
  aws?.closeAllConnections();
  aws?.close();
  await bridge?.stop();
});

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDTEST', AWS_SECRET_ACCESS_KEY: 's' };
const run = (env: Record<string, string> = CREDENTIALS, ...more: string[]) =>
  cli.run(['requests', '--stack', 'Bridge', ...more], { env });
const inRegion = (...more: string[]) => run(CREDENTIALS, '--region', 'eu-central-1', ...more);

function stackWith(outputs: Record<string, string>): Answer {
  const members = Object.entries(outputs).map(
    ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
  );
  const body = `<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>Bridge</StackName>
    <CreationTime>2026-11-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>
    <Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
  return { status: 200, body };
}

const stackError = (status: number, code: string, message: string): Answer => ({
  status,
  body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`,
});
const secretOf = (value: unknown): Answer => ({
  status: 200,
  body: JSON.stringify({ ARN: SECRET_ARN, SecretString: JSON.stringify(value) }),
});
const secretError = (type: string): Answer => ({
  status: 400,
  body: JSON.stringify({ __type: type, message: 'No.' }),
});

test('the outputs of a stack and its secret lead to the bridge', async () => {
  expect(await inRegion()).toMatchObject({ code: 0, stderr: '' });
  expect(asked).toEqual([
    { action: 'DescribeStacks', name: 'Bridge', region: 'eu-central-1' },
    { action: 'secretsmanager.GetSecretValue', name: SECRET_ARN, region: 'eu-central-1' },
  ]);
});

test('a profile of AWS gives credentials and region', async () => {
  expect(await run({}, '--profile', 'video')).toMatchObject({ code: 0, stderr: '' });
  expect(asked.map(({ region }) => region)).toEqual(['eu-west-1', 'eu-west-1']);
});

test('login saves a stack as a profile, and needs AWS no more', async () => {
  const env = { ...CREDENTIALS, AWS_REGION: 'eu-central-1', TOPAZ_BRIDGE_CONFIG: join(cli.folder, 'c.json') };
  expect(await cli.run(['login', 'production', '--stack', 'Bridge'], { env })).toMatchObject({ code: 0 });
  asked = [];
  expect(await cli.run(['requests', '--profile', 'production'], { env })).toMatchObject({ code: 0 });
  expect(asked).toEqual([]);
});

test.each<[string, () => void, number, string]>([
  [
    'that is not there',
    () => {
      stack = stackError(400, 'ValidationError', 'Stack with id Bridge does not exist');
    },
    3,
    'There is no stack Bridge in this account and region: check its name, --region and --profile.',
  ],
  [
    'of something else',
    () => {
      stack = stackWith({ SiteUrl: 'https://example.com' });
    },
    1,
    'it lacks the outputs ApiUrl and ApiKeySecretArn.',
  ],
  [
    'that may not be read',
    () => {
      stack = stackError(403, 'AccessDenied', 'User is not authorized to perform: DescribeStacks');
    },
    4,
    'need cloudformation:DescribeStacks and secretsmanager:GetSecretValue.',
  ],
  [
    'whose secret may not be read',
    () => {
      secret = secretError('AccessDeniedException');
    },
    4,
    'need cloudformation:DescribeStacks and secretsmanager:GetSecretValue.',
  ],
  [
    'whose secret is gone',
    () => {
      secret = secretError('ResourceNotFoundException');
    },
    3,
    'is gone: deploy the stack again',
  ],
  [
    'whose secret has no key of an admin',
    () => {
      secret = secretOf({ keys: [{ id: 'guest', key: 'k', role: 'read' }] });
    },
    1,
    'holds no key of an admin: add one under "keys".',
  ],
  [
    'by credentials that have expired',
    () => {
      stack = stackError(403, 'ExpiredToken', 'The security token included in the request is expired');
    },
    4,
    'have expired: log in again, such as by aws sso login.',
  ],
])('a stack %s is said in one sentence', async (_name, prepare, code, sentence) => {
  prepare();
  const outcome = await inRegion();
  expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
});

test.each<[string, Record<string, string>, string[], number, string]>([
  ['credentials', {}, ['--region', 'eu-central-1'], 4, 'There are no AWS credentials'],
  ['such a profile', {}, ['--region', 'eu-central-1', '--profile', 'typo'], 4, 'AWS profile typo'],
  ['a region', CREDENTIALS, [], 2, 'The region is not known: give --region, or set AWS_REGION.'],
])('without %s it says so in one sentence', async (_name, env, more, code, sentence) => {
  const outcome = await run(env, ...more);
  expect(outcome).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(sentence) });
  expect(outcome.stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(asked).toEqual([]);
});

test('Ctrl-C ends the wait for AWS', async () => {
  stack = 'silence';
  const listed = cli.start(['requests', '--stack', 'Bridge', '--region', 'eu-central-1'], CREDENTIALS);
  const outcome = outcomeOf(listed);
  await expect.poll(() => asked.length, { timeout: 30_000 }).toBe(1);
  listed.kill('SIGINT');
  expect(await outcome).toMatchObject({ code: 130, stderr: 'Interrupted.\n' });
});
