import { fileURLToPath } from 'node:url';
import { type Duration, RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  Architecture,
  LoggingFormat,
  RecursiveLoop,
  Runtime,
  SystemLogLevel,
  Tracing,
} from 'aws-cdk-lib/aws-lambda';
import { LogLevel, NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';

/** The stages of the bridge; each has its handler in `lambdas/<stage>/handler.ts`. */
export type StageName = 'api' | 'tick' | 'poll' | 'copy' | 'dispatch' | 'deliver';

export type BridgeFunctionProps = {
  readonly stage: StageName;
  readonly timeout: Duration;
  /** MB; Lambda shares CPU out by memory. */
  readonly memorySize: number;
  readonly telemetry: Telemetry;
};

/** What Lambda itself records of each invocation, beside what the function logs. */
export type Telemetry = {
  /** Whether X-Ray traces it. */
  readonly tracing: boolean;
  readonly systemLogLevel: keyof typeof SystemLogLevel;
};

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * A stage's Lambda function, and the one place for what all of them have in common: runtime,
 * bundling, logs, tracing, and a role that may do nothing yet but write its own logs and traces.
 */
export class BridgeFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: BridgeFunctionProps) {
    const { stage, timeout, memorySize, telemetry } = props;
    const logGroup = new LogGroup(scope, `${id}Logs`, {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    // A role of our own: the default one may write to every log group of the account.
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
    logGroup.grantWrite(role);
    Validations.of(role).acknowledge({
      id: 'AwsSolutions-IAM5[Resource::*]',
      reason: 'X-Ray knows no resources: xray:PutTraceSegments and PutTelemetryRecords only take "*".',
    });

    super(scope, id, {
      entry: `${root}lambdas/${stage}/handler.ts`,
      projectRoot: root,
      depsLockFilePath: `${root}package-lock.json`,
      description: `Webhook bridge: ${stage}`,
      runtime: Runtime.NODEJS_24_X,
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
        // Names the deployment in logs and metrics, so that two of an account are told apart.
        POWERTOOLS_SERVICE_NAME: Stack.of(scope).stackName,
        // Stack traces in the logs name the lines of the source.
        NODE_OPTIONS: '--enable-source-maps',
      },
      bundling: {
        logLevel: LogLevel.WARNING,
        format: OutputFormat.ESM,
        target: 'node24',
        mainFields: ['module', 'main'],
        minify: true,
        sourceMap: true,
        sourcesContent: false,
        // The SDK of the runtime changes under us; ours is the one that was tested.
        bundleAwsSDK: true,
        // CommonJS packages inside an ES module still call require.
        banner: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);",
      },
    });
    Validations.of(this).acknowledge({
      id: 'Serverless-LambdaTracing',
      reason: 'A setting: traces cost more than most invocations, and the logs tell what happened.',
    });
    Validations.of(this).acknowledge({
      id: 'Serverless-LambdaDLQ',
      reason:
        'Only asynchronous calls use it, and there are none but the tick: its next run makes up for a lost one.',
    });
  }
}
