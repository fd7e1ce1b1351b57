/** The namespace of the metrics that the functions write to their logs (CloudWatch's embedded metric format). */
export const METRIC_NAMESPACE = 'WebhookBridge';

/**
 * Every such metric, with its unit and its dimension besides `service`, which names the deployment. One that is
 * `alsoOverall` is written without that dimension too, so that an alarm on all its values is billed as one metric.
 * The functions write them, `lib/monitoring.ts` shows them and alarms on some.
 */
export const METRICS = {
  /** Answers that upstream gave about requests, faults included. */
  Polls: { unit: 'Count' },
  /** Polls that upstream answered by a fault, or not at all. */
  PollFaults: { unit: 'Count' },
  /** From when a poll was due to when it began. */
  PollLateness: { unit: 'Milliseconds' },
  /** Events about requests that polls observed. */
  Transitions: { unit: 'Count' },
  /** Videos that arrived in the bucket, verified. */
  CopiesStored: { unit: 'Count' },
  /** Deliveries that their endpoint accepted. */
  DeliveriesSucceeded: { unit: 'Count' },
  /** From when a delivery was made to when its endpoint accepted it. */
  DeliveryLatency: { unit: 'Milliseconds' },
  /** A row was claimed eight times without progress, or only a person can help: it waits for one. */
  ParkedRows: { unit: 'Count' },
  /** A request ended without its video: upstream lost it or offers no download, or the video could not be stored. */
  VideosMissing: { unit: 'Count' },
  /** A copy failed once more, and within six hours upstream may delete its video. */
  CopiesExpiring: { unit: 'Count' },
  /** Bytes that arrived in the bucket. */
  BytesCopied: { unit: 'Bytes' },
  /** An endpoint failed for too long, or answered that it is gone, and was disabled. */
  EndpointDisabled: { unit: 'Count' },
  /** A delivery failed at its last attempt. */
  DeliveriesFailed: { unit: 'Count' },
  /** How long all polling has waited when the present pause ends; `key` needs a person, `load` passes. */
  UpstreamPaused: { unit: 'Seconds', dimension: 'reason' },
  /** For how long the oldest overdue row of a lane, and of all lanes, has been due; nothing is written for none. */
  OldestOverdue: { unit: 'Seconds', dimension: 'lane', alsoOverall: true },
  /** Rows of a lane that are due and have no worker, as a tick finds them; nothing is written for none. */
  OverdueRows: { unit: 'Count', dimension: 'lane' },
} as const;

export type MetricName = keyof typeof METRICS;
/** The metrics that are measured once for each value of a dimension. */
export type DimensionedMetric = {
  [N in MetricName]: (typeof METRICS)[N] extends { dimension: string } ? N : never;
}[MetricName];
/** The metrics that are summed over an invocation. */
export type SummedMetric = Exclude<MetricName, DimensionedMetric>;
