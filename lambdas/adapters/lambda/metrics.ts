import { Metrics } from '@aws-lambda-powertools/metrics';
import {
  type DimensionedMetric,
  METRIC_NAMESPACE,
  METRICS,
  type SummedMetric,
} from '../../domain/metrics.ts';

// The dimension `service` is the deployment's name, from POWERTOOLS_SERVICE_NAME.
const metrics = new Metrics({ namespace: METRIC_NAMESPACE });

/** Adds to a metric of this invocation; {@link publishMetrics} writes the sum. */
export function addMetric(name: SummedMetric, value = 1): void {
  metrics.addMetric(name, METRICS[name].unit, value);
}

/** Writes one value of a metric at once: for one value of its dimension, and without it if it is `alsoOverall`. */
export function putMetric(name: DimensionedMetric, dimensionValue: string, value: number): void {
  const metric = METRICS[name];
  const single = metrics.singleMetric().addDimension(metric.dimension, dimensionValue);
  // A second set of dimensions, with nothing besides `service`.
  if ('alsoOverall' in metric) single.addDimensions({});
  single.addMetric(name, metric.unit, value);
}

/** Writes what the invocation added, if anything. */
export function publishMetrics(): void {
  if (metrics.hasStoredMetrics()) metrics.publishStoredMetrics();
}
