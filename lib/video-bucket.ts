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
  /** The template of the objects' keys. */
  readonly keyTemplate: string;
  /** Where earlier videos are: `bucket` or `bucket/prefix`. */
  readonly formerBuckets: readonly string[];
  readonly customerKey?: IKey;
  readonly formerKeys: readonly IKey[];
};

/** Objects of a bucket, by what their keys begin with. */
type Place = { readonly bucket: IBucket; readonly prefix: string };

/** Where the finished videos are: a bucket of the bridge's own, or an existing one by its name. */
export class VideoBucket extends Construct {
  readonly bucket: IBucket;
  private readonly keys: readonly IKey[];
  private readonly places: readonly Place[];

  constructor(scope: Construct, id: string, props: VideoBucketProps) {
    super(scope, id);
    const { bucketName, keyTemplate, formerBuckets, customerKey, formerKeys } = props;
    this.keys = customerKey ? [customerKey, ...formerKeys] : formerKeys;
    this.bucket = bucketName
      ? Bucket.fromBucketName(this, 'Bucket', bucketName)
      : this.newBucket(customerKey);
    this.places = [
      // Others use an existing bucket too; in the bridge's own, all objects are videos.
      { bucket: this.bucket, prefix: bucketName ? fixedPrefix(keyTemplate) : '' },
      ...formerBuckets.map((place, n) => {
        const [name = '', ...prefix] = place.split('/');
        return { bucket: Bucket.fromBucketName(this, `Former${n}`, name), prefix: prefix.join('/') };
      }),
    ];
  }

  private newBucket(customerKey: IKey | undefined): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      encryption: customerKey ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      ...(customerKey && { encryptionKey: customerKey, bucketKeyEnabled: true }),
      // A key is reserved before anything is uploaded and never overwritten, so versions would only
      // keep, and bill, the video that somebody deletes on purpose.
      versioned: false,
      // The copy aborts its own uploads; this is for those of a stack that was deleted meanwhile.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      // Of a first deployment that failed it is empty, and goes with the rest.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
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
        resources: this.places.map(({ bucket }) => bucket.bucketArn),
      }),
    );
    // S3 decrypts the parts of an upload to put them together.
    for (const key of this.keys) key.grant(fn, 'kms:GenerateDataKey', 'kms:Decrypt');
    fn.addEnvironment('BUCKET_NAME', this.bucket.bucketName);
  }

  /** Lets the function sign links to videos; their rows name the bucket. */
  connectReader(fn: BridgeFunction): void {
    this.allow(fn, ['s3:GetObject']);
    for (const key of this.keys) key.grant(fn, 'kms:Decrypt');
  }

  private allow(fn: BridgeFunction, actions: string[]): void {
    const resources = this.places.map(({ bucket, prefix }) => bucket.arnForObjects(`${prefix}*`));
    fn.addToRolePolicy(new PolicyStatement({ actions, resources }));
    for (const place of this.places) {
      Validations.of(fn.role as IRole).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${this.asNagWritesIt(place)}]`,
        reason: 'The videos of one bucket, whose keys are told by a template and the names of the files.',
      });
    }
  }

  private asNagWritesIt({ bucket, prefix }: Place): string {
    const stack = Stack.of(this);
    const own = bucket.node.defaultChild as CfnBucket | undefined;
    if (own) return `<${stack.getLogicalId(own)}.Arn>/${prefix}*`;
    const partition = Token.isUnresolved(stack.partition) ? '<AWS::Partition>' : stack.partition;
    return `arn:${partition}:s3:::${bucket.bucketName}/${prefix}*`;
  }
}

/** What every key begins with that the template gives. */
function fixedPrefix(keyTemplate: string): string {
  return keyTemplate.slice(0, keyTemplate.indexOf('{'));
}
