import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  ApiMapping,
  DomainName,
  HttpApi,
  HttpStage,
  LogGroupLogDestination,
  PayloadFormatVersion,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import type { ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { BridgeFunction, type Telemetry } from './bridge-function.ts';

// Without the path: that of `/v1/links/{token}` is a key to a video. Without the user agent: the gateway escapes nothing,
// so a quote in what a client says would break the line, or forge its fields. A request id is one of Topaz's, so the
// gateway's id of a call has another name.
const ACCESS_LOG = {
  callId: '$context.requestId',
  time: '$context.requestTime',
  method: '$context.httpMethod',
  status: '$context.status',
  latencyMs: '$context.responseLatency',
  bytes: '$context.responseLength',
  ip: '$context.identity.sourceIp',
  error: '$context.error.message',
  integrationError: '$context.integrationErrorMessage',
};

type ApiProps = {
  readonly telemetry: Telemetry;
  /** A host name of the user's own, with its certificate. */
  readonly domain?: { readonly name: string; readonly certificate: ICertificate };
};

/** The HTTP API: one route, behind which the api stage does its own routing and checks the keys. */
export class Api extends Construct {
  readonly fn: BridgeFunction;
  readonly http: HttpApi;
  /** A line of JSON for each call, also for those that do not reach the function. */
  readonly accessLogs: LogGroup;
  /** Base URL, without a trailing slash. */
  readonly url: string;

  /** The host name's target, for a DNS record; only with a host name of the user's own. */
  readonly domainName?: DomainName;

  constructor(scope: Construct, id: string, { telemetry, domain }: ApiProps) {
    super(scope, id);
    const { bridgeName, logRetention } = telemetry;
    this.fn = new BridgeFunction(this, 'Function', {
      stage: 'api',
      // The gateway ends a call at 30 s; the function's own answer comes first.
      timeout: Duration.seconds(29),
      memorySize: 1024,
      telemetry,
    });
    this.http = new HttpApi(this, 'Http', {
      apiName: bridgeName,
      description: 'Webhook bridge',
      createDefaultStage: false,
      defaultIntegration: new HttpLambdaIntegration('Integration', this.fn, {
        payloadFormatVersion: PayloadFormatVersion.VERSION_2_0,
      }),
    });
    // For the history of the bridge's metrics, and its alarms; CloudWatch knows no resources for these reads.
    const actions = ['cloudwatch:GetMetricData', 'cloudwatch:DescribeAlarms'];
    this.fn.addToRolePolicy(new PolicyStatement({ actions, resources: ['*'] }));
    this.url = domain ? `https://${domain.name}` : this.http.apiEndpoint;
    acknowledge(
      this.http,
      'AwsSolutions-APIG4',
      'The function checks the API keys itself; health, OpenAPI, signed links and the files of the console need none.',
    );

    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      // Under any other name each API takes a place in a resource policy of the account, which holds few.
      logGroupName: `/aws/vendedlogs/${bridgeName}/api-access`,
      retention: logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const stage = new HttpStage(this, 'Stage', {
      httpApi: this.http,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: 200, burstLimit: 400 },
      accessLogSettings: {
        destination: new LogGroupLogDestination(this.accessLogs),
        format: AccessLogFormat.custom(JSON.stringify(ACCESS_LOG)),
      },
    });
    if (domain) {
      this.domainName = new DomainName(this, 'Domain', {
        domainName: domain.name,
        certificate: domain.certificate,
      });
      new ApiMapping(this, 'Mapping', { api: this.http, stage, domainName: this.domainName });
    }
  }
}
