import { type IResource, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { WebhookBridgeProps } from './webhook-bridge-props.ts';

/**
 * Throws an Error that names a property whose resource is known to be in another region or account than the bridge,
 * where the bridge cannot use it. Without this check, only the deployment or a delivery would fail.
 */
export function requireOwnEnvironment(bridge: Construct, props: WebhookBridgeProps): void {
  const { bucket, encryptionKey, certificate, eventBus, table, alarmTopic, topazApiKey } = props;
  const given = { bucket, encryptionKey, certificate, eventBus, table, alarmTopic, topazApiKey };
  for (const [name, resource] of Object.entries(given)) {
    if (resource) requireOwn('region', bridge, name, resource);
  }
  // Endpoints hold only the name of the bus, and AWS looks for it in the bridge's own account.
  if (eventBus) requireOwn('account', bridge, 'eventBus', eventBus);
}

function requireOwn(what: 'account' | 'region', bridge: Construct, name: string, resource: IResource): void {
  const [own, given] = [Stack.of(bridge)[what], resource.env[what]];
  if (own === given || Token.isUnresolved(own) || Token.isUnresolved(given)) return;
  throw new Error(
    `\`${name}\` of ${bridge.node.path} is in the ${what} ${given}: give one in the bridge's own, ${own}.`,
  );
}
