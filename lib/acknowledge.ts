import * as cdk from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts what a rule of cdk-nag finds at a construct, and says why. The CDK has had acknowledgements only since its
 * version 2.257; with an older one nothing is noted.
 */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  (cdk as Partial<typeof cdk>).Validations?.of(construct).acknowledge({ id, reason });
}
