import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  Code,
  Function as LambdaFunction,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  RuntimeFamily,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';

/** The stages of the bridge; each has its handler in `lambdas/<stage>/handler.ts`. */
export type StageName = 'api' | 'tick' | 'poll' | 'copy' | 'dispatch' | 'deliver';

export type BridgeFunctionProps = {
  readonly stage: StageName;
  readonly timeout: Duration;
  /** MB; Lambda shares CPU out by memory. */
  readonly memorySize: number;
  readonly telemetry: Telemetry;
  /** Where it runs, if not in a network of Lambda's own. */
  readonly network?: Network;
};

/** A place in a VPC. */
type Network = {
  readonly vpc: IVpc;
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroups?: ISecurityGroup[];
};

/** What is recorded of each invocation, and under which name. */
export type Telemetry = {
  /** Names the deployment in logs and metrics, since an account may have several. */
  readonly bridgeName: string;
  readonly logRetention: RetentionDays;
  /** Whether X-Ray traces it. */
  readonly tracing: boolean;
  readonly systemLogLevel: keyof typeof SystemLogLevel;
};

/** The bundles, a folder for each stage: `npm run build` makes them, and the published package has them. */
const BUNDLES = fileURLToPath(new URL('../dist/lambda/', import.meta.url));

/** The oldest versions of the CDK that the bridge supports have no constant for it. */
const NODEJS_24 = new Runtime('nodejs24.x', RuntimeFamily.NODEJS);

/** What a function needs to get its place in a VPC, and to give it back. */
const NETWORK_INTERFACES = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * A stage's Lambda function, and the one place for what all of them have in common: runtime,
 * bundle, logs, tracing, and a role that may do nothing yet but write its own logs and traces.
 */
export class BridgeFunction extends LambdaFunction {
  constructor(scope: Construct, id: string, props: BridgeFunctionProps) {
    const { stage, timeout, memorySize, telemetry, network } = props;
    const bundle = `${BUNDLES}${stage}`;
    if (!existsSync(bundle)) throw new Error(`There is no bundle ${bundle}: run \`npm run build\` first.`);
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: telemetry.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of our own: the default one may write to every log group of the account.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    if (network) {
      role.addToPolicy(new PolicyStatement({ actions: NETWORK_INTERFACES, resources: ['*'] }));
    }
    acknowledge(
      role,
      'AwsSolutions-IAM5[Resource::*]',
      'X-Ray knows no resources, and network interfaces have no names before they are made: both only take "*".',
    );

    super(scope, id, {
      code: Code.fromAsset(bundle),
      handler: 'index.handler',
      description: `Webhook bridge: ${stage}`,
      runtime: NODEJS_24,
      architecture: Architecture.ARM_64,
      timeout,
      memorySize,
      role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      systemLogLevelV2: SystemLogLevel[telemetry.systemLogLevel],
      tracing: telemetry.tracing ? Tracing.ACTIVE : Tracing.DISABLED,
      // Work wakes its own queue by design: docs/decisions/recursive-loop.md.
      recursiveLoop: RecursiveLoop.ALLOW,
      environment: {
        POWERTOOLS_SERVICE_NAME: telemetry.bridgeName,
        // Stack traces in the logs name the lines of the source.
        NODE_OPTIONS: '--enable-source-maps',
      },
      ...network,
    });
    acknowledge(
      this,
      'Serverless-LambdaTracing',
      'A setting: traces cost more than most invocations, and the logs tell what happened.',
    );
    acknowledge(
      this,
      'Serverless-LambdaDLQ',
      'Only asynchronous calls use it, and there are none but the tick: its next run makes up for a lost one.',
    );
  }
}
