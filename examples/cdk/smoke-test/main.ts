import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CloudFormation } from '@aws-sdk/client-cloudformation';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { readStack } from '../../../cli/connection/read-stack.ts';
import { createClient } from '../../../client/client.ts';
import { VIDEO_FILE } from '../smoke-test.ts';
import { readReceived } from './read-received.ts';
import { tryBridge } from './try-bridge.ts';

const USAGE = `Usage: npm run smoke -- --stack NAME [--region REGION] [--profile PROFILE]

Tries a deployment of examples/cdk/smoke-test.ts, which stands alone:
  npx cdk --app 'npx node examples/cdk/app.ts' deploy SmokeTest
  npm run smoke -- --stack SmokeTest
  aws s3 rm --recursive s3://<VideoBucketName>
  npx cdk --app 'npx node examples/cdk/app.ts' destroy SmokeTest`;

async function main(): Promise<void> {
  const { stack, ...where } = readFlags();
  const outputs = await outputsOf(stack, where);
  const output = (name: string): string => {
    const value = outputs.get(name);
    if (!value) throw new Error(`The stack ${stack} is no smoke test: it lacks the output ${name}.`);
    return value;
  };
  const table = output('ReceivedTable');
  const dynamo = new DynamoDBClient(where);
  await tryBridge({
    bridge: createClient(await readStack(stack, where, AbortSignal.timeout(60_000))),
    callbackUrl: output('CallbackUrl'),
    received: (requestId) => readReceived(dynamo, table, requestId),
    video: readFileSync(VIDEO_FILE),
    say: console.log,
    sleep,
  });
  console.log(`The bridge in ${stack} works.`);
}

function readFlags() {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { stack: text, region: text, profile: text, help: { type: 'boolean' } },
  });
  const { stack, region, profile, help } = values;
  if (help) {
    console.log(USAGE);
    process.exit(0);
  }
  if (!stack) throw new Error(USAGE);
  return { stack, ...(region && { region }), ...(profile && { profile }) };
}

async function outputsOf(stack: string, where: { region?: string; profile?: string }) {
  const { Stacks } = await new CloudFormation(where).describeStacks({ StackName: stack });
  return new Map(Stacks?.[0]?.Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
}

await main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
