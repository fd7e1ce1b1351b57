import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';

const SERVICE = 'webhook-bridge';

/** One structured line per outcome. Never give it secrets, signed URLs or payloads. */
export const log = new Logger({ serviceName: SERVICE });

/** Metrics by the embedded metric format, in the namespace that `lib/monitoring.ts` alarms on. */
export const metrics = new Metrics({ namespace: 'WebhookBridge', serviceName: SERVICE });
