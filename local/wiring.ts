import { randomBytes } from 'node:crypto';
import { policiesOf, type RolePolicies, refusalOf } from './aws/iam.ts';
import type { MappingSettings } from './runtime/event-source-mapping.ts';
import type { FunctionSettings } from './runtime/functions.ts';
import { periodMs } from './runtime/schedule.ts';
import type { Resource, SynthesizedStack, Template } from './runtime/template.ts';

/** What the template says of a function: how it runs, and what its role allows. */
export type WiredFunction = {
  logicalId: string;
  settings: Omit<FunctionSettings, 'maxProcesses'>;
  policies: RolePolicies;
  /** Its key to the front door; the id is the logical id, which so names the caller of every request. */
  credentials: { accessKeyId: string; secretAccessKey: string };
};

export type WiredMapping = {
  target: WiredFunction;
  settings: MappingSettings;
};

type WiredSchedule = {
  functionArn: string;
  periodMs: number;
  event: unknown;
};

/** Of all environment variables of a function, as JSON. */
const MAX_ENVIRONMENT_BYTES = 4096;

/** Reads the functions of the template. Throws for an environment that Lambda does not take. */
export function readFunctions(template: Template, stack: SynthesizedStack): WiredFunction[] {
  return template.ofType('AWS::Lambda::Function').map(({ logicalId, identity, properties }) => {
    const { Code, Description, Environment, Handler, MemorySize, RecursiveLoop, Role, Timeout } =
      properties as unknown as {
        Code: { S3Key: string };
        Description?: string;
        Environment?: { Variables?: Record<string, string> };
        Handler: string;
        MemorySize?: number;
        RecursiveLoop?: 'Allow' | 'Terminate';
        Role: string;
        Timeout?: number;
      };
    const environment = Environment?.Variables ?? {};
    const bytes = Buffer.byteLength(JSON.stringify(environment));
    if (bytes > MAX_ENVIRONMENT_BYTES) {
      throw new Error(
        `The environment of ${logicalId} has ${bytes} bytes; Lambda takes ${MAX_ENVIRONMENT_BYTES}.`,
      );
    }
    return {
      logicalId,
      settings: {
        // The description ends with the stage's name; nothing else in a template says it.
        name: /([\w-]+)$/.exec(Description ?? '')?.[1] ?? logicalId,
        arn: String(identity.attributes.Arn),
        directory: stack.assetDirectory(Code.S3Key),
        handler: Handler,
        timeoutMs: (Timeout ?? 3) * 1000,
        memoryMb: MemorySize ?? 128,
        environment,
        allowsRecursion: RecursiveLoop === 'Allow',
      },
      policies: policiesOf(template, template.find('AWS::IAM::Role', Role)),
      credentials: { accessKeyId: logicalId, secretAccessKey: randomBytes(20).toString('hex') },
    };
  });
}

/**
 * Reads the event source mappings. Throws where Lambda would refuse to create one: the role may not read the queue,
 * or the queue's messages show up again before the function's time-out. A mapping has the workers that the template
 * says, and no more than `maxWorkers`.
 */
export function readMappings(
  template: Template,
  functions: WiredFunction[],
  maxWorkers: number,
): WiredMapping[] {
  return template.ofType('AWS::Lambda::EventSourceMapping').map(({ logicalId, properties }) => {
    const { BatchSize, EventSourceArn, FunctionName, FunctionResponseTypes, ScalingConfig } =
      properties as unknown as {
        BatchSize?: number;
        EventSourceArn: string;
        FunctionName: string;
        FunctionResponseTypes?: string[];
        ScalingConfig?: { MaximumConcurrency?: number };
      };
    const queue = template.find('AWS::SQS::Queue', EventSourceArn);
    const target = functionOf(template, functions, FunctionName);
    const { timeoutMs, name } = target.settings;

    if (properties.MaximumBatchingWindowInSeconds || (BatchSize ?? 10) > 10) {
      throw new Error(`${logicalId} collects messages over time, which the local runtime does not do.`);
    }
    for (const action of ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes']) {
      if (refusalOf(target.policies, { action, resource: EventSourceArn })) {
        throw new Error(
          `The role of ${name} does not allow ${action} on ${EventSourceArn}, its event source.`,
        );
      }
    }
    const visibilityMs = Number(queue.properties.VisibilityTimeout ?? 30) * 1000;
    if (visibilityMs < timeoutMs) {
      throw new Error(
        `The visibility time-out of ${queue.logicalId} is shorter than the time-out of ${name}.`,
      );
    }
    return {
      target,
      settings: {
        queueName: queue.logicalId,
        queueUrl: queue.identity.ref,
        queueArn: EventSourceArn,
        visibilityMs,
        batchSize: BatchSize ?? 10,
        maxConcurrency: Math.min(ScalingConfig?.MaximumConcurrency ?? maxWorkers, maxWorkers),
        reportsItemFailures: FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
      },
    };
  });
}

/** Reads the schedules that are enabled. Throws when a schedule's role may not invoke its function. */
export function readSchedules(template: Template): WiredSchedule[] {
  const enabled = template
    .ofType('AWS::Scheduler::Schedule')
    .filter(({ properties }) => properties.State !== 'DISABLED');
  return enabled.map(({ logicalId, properties }) => {
    const { Arn, Input, RoleArn } = properties.Target as { Arn: string; Input?: string; RoleArn: string };
    const policies = policiesOf(template, template.find('AWS::IAM::Role', RoleArn));
    if (refusalOf(policies, { action: 'lambda:InvokeFunction', resource: Arn })) {
      throw new Error(
        `The role of the schedule ${logicalId} does not allow lambda:InvokeFunction on ${Arn}.`,
      );
    }
    return {
      functionArn: Arn,
      periodMs: periodMs(String(properties.ScheduleExpression)),
      event: JSON.parse(Input ?? '{}'),
    };
  });
}

/** The ARN of the function behind the one route of the HTTP API. Throws when the gateway may not invoke it. */
export function readApi(template: Template): string {
  const routes = template.ofType('AWS::ApiGatewayV2::Route');
  const [route] = routes;
  if (!route || routes.length > 1 || route.properties.RouteKey !== '$default') {
    throw new Error('The local runtime serves an HTTP API with exactly one route, $default.');
  }
  const integration = template.find(
    'AWS::ApiGatewayV2::Integration',
    String(route.properties.Target).replace(/^integrations\//, ''),
  );
  const { IntegrationUri, PayloadFormatVersion } = integration.properties;
  if (PayloadFormatVersion !== '2.0') {
    throw new Error(
      `${integration.logicalId} uses payload format ${String(PayloadFormatVersion)}; only 2.0 is known.`,
    );
  }
  const functionArn = String(IntegrationUri);
  if (
    !template.ofType('AWS::Lambda::Permission').some((permission) => allowsGateway(permission, functionArn))
  ) {
    throw new Error(`The template has no permission for the gateway to invoke ${functionArn}.`);
  }
  return functionArn;
}

function allowsGateway({ properties }: Resource, functionArn: string): boolean {
  return (
    properties.Action === 'lambda:InvokeFunction' &&
    properties.Principal === 'apigateway.amazonaws.com' &&
    properties.FunctionName === functionArn
  );
}

function functionOf(template: Template, functions: WiredFunction[], reference: string): WiredFunction {
  const { logicalId } = template.find('AWS::Lambda::Function', reference);
  return functions.find((each) => each.logicalId === logicalId)!;
}
