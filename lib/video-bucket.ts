import { Duration, RemovalPolicy, Stack, Token, Validations } from 'aws-cdk-lib';
import { type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { BridgeFunction } from './bridge-function.ts';

export type VideoBucketProps = {
  /** An existing bucket to use. */
  readonly bucketName?: string;
  readonly customerKey?: IKey;
};

/** Where the finished videos are: a bucket of the bridge's own, or an existing one by its name. */
export class VideoBucket extends Construct {
  readonly bucket: IBucket;
  private readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, { bucketName, customerKey }: VideoBucketProps) {
    super(scope, id);
    this.key = customerKey;
    this.bucket = bucketName ? Bucket.fromBucketName(this, 'Bucket', bucketName) : this.newBucket();
  }

  private newBucket(): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      encryption: this.key ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      ...(this.key && { encryptionKey: this.key, bucketKeyEnabled: true }),
      // A key is reserved before anything is uploaded and never overwritten, so versions would only
      // keep, and bill, the video that somebody deletes on purpose.
      versioned: false,
      // The copy aborts its own uploads; this is for those of a stack that was deleted meanwhile.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    Validations.of(bucket).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Only two functions of the bridge can reach it; access logs would be a second bucket to pay for.',
    });
    return bucket;
  }

  /** Lets the function upload, check and clean up videos, and names the bucket to it. */
  connectWriter(fn: BridgeFunction): void {
    this.allow(fn, [
      's3:PutObject',
      's3:PutObjectTagging',
      's3:GetObject', // for HeadObject
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListMultipartUploadParts',
    ]);
    fn.addToRolePolicy(
      new PolicyStatement({
        // Without ListBucket a HeadObject of what is not there answers 403 instead of 404.
        actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'],
        resources: [this.bucket.bucketArn],
      }),
    );
    // S3 decrypts the parts of an upload to put them together.
    this.key?.grant(fn, 'kms:GenerateDataKey', 'kms:Decrypt');
  }

  /** Lets the function sign links to videos, and names the bucket to it. */
  connectReader(fn: BridgeFunction): void {
    this.allow(fn, ['s3:GetObject']);
    this.key?.grant(fn, 'kms:Decrypt');
  }

  private allow(fn: BridgeFunction, actions: string[]): void {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.bucket.arnForObjects('*')] }));
    Validations.of(fn.role as IRole).acknowledge({
      id: `AwsSolutions-IAM5[Resource::${this.objectsAsNagWritesThem()}]`,
      reason:
        'The objects of the one bucket; their keys follow a template that may change between deployments.',
    });
    fn.addEnvironment('BUCKET_NAME', this.bucket.bucketName);
  }

  private objectsAsNagWritesThem(): string {
    const stack = Stack.of(this);
    const own = this.bucket.node.defaultChild as CfnBucket | undefined;
    if (own) return `<${stack.getLogicalId(own)}.Arn>/*`;
    const partition = Token.isUnresolved(stack.partition) ? '<AWS::Partition>' : stack.partition;
    return `arn:${partition}:s3:::${this.bucket.bucketName}/*`;
  }
}
