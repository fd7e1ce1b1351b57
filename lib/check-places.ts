import { type IResource, Stack, Token } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { WebhookBridgeProps } from './webhook-bridge-props.ts';

/**
 * Resources that AWS only takes from the bridge's own region or account. Throws an Error that names one that is known
 * to be elsewhere, which else only the deployment, or a delivery, would tell.
 */
export function checkPlaces(bridge: Construct, props: WebhookBridgeProps): void {
  const { bucket, encryptionKey, certificate, eventBus, table } = props;
  for (const [name, resource] of Object.entries({ bucket, encryptionKey, certificate, eventBus, table })) {
    if (resource) checkPlace(bridge, name, resource, 'region');
  }
  // Endpoints name the bus, and a name means one of the own account.
  if (eventBus) checkPlace(bridge, 'eventBus', eventBus, 'account');
}

function checkPlace(bridge: Construct, name: string, resource: IResource, of: 'account' | 'region'): void {
  const [own, given] = [Stack.of(bridge)[of], resource.env[of]];
  if (own === given || Token.isUnresolved(own) || Token.isUnresolved(given)) return;
  throw new Error(
    `\`${name}\` of ${bridge.node.path} is in the ${of} ${given}: give one of the bridge's own, ${own}.`,
  );
}
