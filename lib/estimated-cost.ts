import type { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { MetricName } from '../lambdas/domain/metrics.ts';

/**
 * Millionths of a dollar for each piece of work with all that it causes, as `npm run cost` counts them at the list prices
 * of us-east-1. A test compares them with its model.
 */
export const ESTIMATED_COSTS = {
  poll: 8.1,
  /** Of a request, until it is fanned out. */
  event: 13.6,
  /** To one receiver. */
  delivery: 7.8,
  /** What does not depend on the video's size. */
  copy: 64,
  gbCopied: 492,
};

/**
 * What polls, events, webhooks and copies cost in each period, in dollars: neither what an idle deployment costs, nor calls
 * of the API, nor the storage of videos.
 */
export function estimatedCost(metric: (name: MetricName) => IMetric, period: Duration): MathExpression {
  const { poll, event, delivery, copy, gbCopied } = ESTIMATED_COSTS;
  const terms = [
    `polls * ${poll}`,
    `(transitions + copies) * ${event}`,
    `deliveries * ${delivery}`,
    `copies * ${copy}`,
    `bytes / 1000000000 * ${gbCopied}`,
  ];
  // A metric without data in a period would leave the whole sum without any.
  const filled = terms.join(' + ').replaceAll(/[a-z]+/g, 'FILL($&, 0)');
  return new MathExpression({
    expression: `(${filled}) / 1000000`,
    usingMetrics: {
      polls: metric('Polls'),
      transitions: metric('Transitions'),
      deliveries: metric('DeliveriesSucceeded'),
      copies: metric('CopiesStored'),
      bytes: metric('BytesCopied'),
    },
    label: 'polls, webhooks and copies',
    period,
  });
}
