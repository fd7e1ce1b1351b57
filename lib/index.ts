export type { CallbackSecretRow } from './bridge-table.ts';
export type { VideoPlace } from './video-bucket.ts';
export { WebhookBridge } from './webhook-bridge.ts';
export type { WebhookBridgeProps } from './webhook-bridge-props.ts';
