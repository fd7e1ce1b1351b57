import { CfnOutput, RemovalPolicy, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import {
  CfnFirewallDomainList,
  CfnFirewallRuleGroup,
  CfnFirewallRuleGroupAssociation,
} from 'aws-cdk-lib/aws-route53resolver';
import type { Construct } from 'constructs';
import { WebhookBridge } from '../../lib/index.ts'; // in your app: 'topaz-video-webhooks'

/** What may be looked up in the VPC; `*.` stands for all names below. */
const ALLOWED = ['*.amazonaws.com', '*.topazlabs.com', '*.r2.cloudflarestorage.com', 'hooks.example.com'];

/**
 * The functions that call foreign servers work in a VPC from which only known names can be reached, by HTTPS only. AWS
 * services are reached inside the network. The NAT gateway costs $33 a month, the endpoint of SQS $7 for each
 * availability zone.
 */
export class VpcWithEgressFilterStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props);
    const logs = new LogGroup(this, 'FlowLogs', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const vpc = new Vpc(this, 'Vpc', {
      natGateways: 1,
      maxAzs: 2,
      gatewayEndpoints: {
        Dynamo: { service: GatewayVpcEndpointAwsService.DYNAMODB },
        S3: { service: GatewayVpcEndpointAwsService.S3 },
      },
      flowLogs: { Rejected: { destination: FlowLogDestination.toCloudWatchLogs(logs) } },
    });
    const sqs = vpc.addInterfaceEndpoint('Sqs', { service: InterfaceVpcEndpointAwsService.SQS });
    Validations.of(sqs).acknowledge({
      id: 'AwsSolutions-EC23',
      reason: 'It lets in the addresses of the VPC, which the rule cannot resolve.',
    });

    const allowed = this.domains('Allowed', ALLOWED);
    const others = this.domains('Others', ['*']);
    const rules = new CfnFirewallRuleGroup(this, 'Rules', {
      firewallRules: [
        {
          action: 'ALLOW',
          firewallDomainListId: allowed.attrId,
          // Otherwise each name that an allowed one is an alias of (a CDN's, say) must be in the list, too.
          firewallDomainRedirectionAction: 'TRUST_REDIRECTION_DOMAIN',
          priority: 1,
        },
        { action: 'BLOCK', blockResponse: 'NXDOMAIN', firewallDomainListId: others.attrId, priority: 2 },
      ],
    });
    new CfnFirewallRuleGroupAssociation(this, 'Filter', {
      firewallRuleGroupId: rules.attrId,
      vpcId: vpc.vpcId,
      priority: 101,
    });

    const egress = new SecurityGroup(this, 'Egress', { vpc, allowAllOutbound: false });
    egress.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'HTTPS and nothing else');
    const bridge = new WebhookBridge(this, 'Bridge', {
      vpc,
      vpcSubnets: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [egress],
    });

    new CfnOutput(this, 'ApiUrl', { value: bridge.apiUrl });
    new CfnOutput(this, 'ApiKeySecretArn', { value: bridge.apiKeys.secretArn });
    new CfnOutput(this, 'TopazApiKeySecretArn', { value: bridge.topazApiKey.secretArn });
  }

  private domains(id: string, domains: string[]): CfnFirewallDomainList {
    return new CfnFirewallDomainList(this, id, { domains });
  }
}
