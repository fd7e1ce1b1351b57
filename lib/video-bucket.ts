import { Duration, type RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import { Grant, type IGrantable, type IRole, PolicyStatement } from 'aws-cdk-lib/aws-iam';
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
import { acknowledge } from './acknowledge.ts';
import type { BridgeFunction } from './bridge-function.ts';

type VideoBucketProps = {
  /** An existing bucket to use. */
  readonly bucket?: IBucket;
  /** The template of the objects' keys. */
  readonly keyTemplate: string;
  /** Where earlier videos are. */
  readonly formerVideos: readonly VideoPlace[];
  readonly customerKey?: IKey;
  readonly formerKeys: readonly IKey[];
  /** Of a bucket of the bridge's own. */
  readonly removalPolicy: RemovalPolicy;
};

/** Objects of a bucket, by what their keys begin with. */
export type VideoPlace = {
  readonly bucket: IBucket;
  /** @default - all objects of the bucket */
  readonly prefix?: string;
};

/** Where the finished videos are: a bucket of the bridge's own, or an existing one. */
export class VideoBucket extends Construct {
  readonly bucket: IBucket;
  private readonly keys: readonly IKey[];
  private readonly places: readonly VideoPlace[];

  constructor(scope: Construct, id: string, props: VideoBucketProps) {
    super(scope, id);
    const { bucket, keyTemplate, formerVideos, customerKey, formerKeys, removalPolicy } = props;
    this.bucket = bucket ?? this.newBucket(customerKey, removalPolicy);
    const keysOfBuckets = [bucket, ...formerVideos.map((place) => place.bucket)].map(
      (each) => each?.encryptionKey,
    );
    const keys = [customerKey, ...keysOfBuckets, ...formerKeys].filter((key) => key !== undefined);
    this.keys = [...new Set(keys)];
    this.places = [
      // Others use an existing bucket too; in the bridge's own, all objects are videos.
      { bucket: this.bucket, prefix: bucket ? fixedPrefix(keyTemplate) : '' },
      ...formerVideos,
    ];
  }

  /** Of the present bucket, and of those from before. */
  get bucketNames(): string[] {
    return [...new Set(this.places.map(({ bucket }) => bucket.bucketName))];
  }

  private newBucket(customerKey: IKey | undefined, removalPolicy: RemovalPolicy): Bucket {
    const bucket = new Bucket(this, 'Bucket', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      encryption: customerKey ? BucketEncryption.KMS : BucketEncryption.S3_MANAGED,
      ...(customerKey && { encryptionKey: customerKey, bucketKeyEnabled: true }),
      // A key is reserved before anything is uploaded and never overwritten, so versions would only
      // keep, and bill, the video that a person deletes on purpose.
      versioned: false,
      // The copy aborts its own uploads; this is for those of a stack that is deleted during a copy.
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(7) }],
      removalPolicy,
    });
    acknowledge(
      bucket,
      'AwsSolutions-S1',
      'Only two functions of the bridge can reach it; access logs would be a second bucket to pay for.',
    );
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

  /** Lets the function sign links to videos in all these buckets, and see whether the present bucket answers. */
  connectReader(fn: BridgeFunction): void {
    this.allow(fn, ['s3:GetObject']);
    const resources = [this.bucket.bucketArn];
    fn.addToRolePolicy(new PolicyStatement({ actions: ['s3:ListBucket'], resources }));
    fn.addEnvironment('BUCKET_NAME', this.bucket.bucketName);
    for (const key of this.keys) key.grant(fn, 'kms:Decrypt');
  }

  /** Lets a principal read the stored videos: by its own policy, or from another account by the buckets' policies. */
  grantRead(grantee: IGrantable): Grant {
    const grants = this.places.map((place) =>
      Grant.addToPrincipalOrResource({
        grantee,
        actions: ['s3:GetObject'],
        resourceArns: [objectsOf(place)],
        resource: place.bucket,
      }),
    );
    for (const key of this.keys) grants.push(key.grantDecrypt(grantee));
    return grants.reduce((all, each) => all.combine(each));
  }

  private allow(fn: BridgeFunction, actions: string[]): void {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: this.places.map(objectsOf) }));
    for (const place of this.places) {
      const resource = this.asNagWritesIt(place);
      // The CDK takes no id of a finding that it only knows at the deployment, such as a name of another stack.
      if (Token.isUnresolved(resource)) continue;
      acknowledge(
        fn.role as IRole,
        `AwsSolutions-IAM5[Resource::${resource}]`,
        'The videos of one bucket: a template and the names of the files determine their keys.',
      );
    }
  }

  private asNagWritesIt({ bucket, prefix = '' }: VideoPlace): string {
    const stack = Stack.of(this);
    const own = bucket.node.defaultChild as CfnBucket | undefined;
    if (own && Stack.of(own) === stack) return `<${stack.getLogicalId(own)}.Arn>/${prefix}*`;
    const partition = Token.isUnresolved(stack.partition) ? '<AWS::Partition>' : stack.partition;
    return `arn:${partition}:s3:::${bucket.bucketName}/${prefix}*`;
  }
}

const objectsOf = ({ bucket, prefix = '' }: VideoPlace): string => bucket.arnForObjects(`${prefix}*`);

/** The beginning that all keys from the template share. */
function fixedPrefix(keyTemplate: string): string {
  return keyTemplate.slice(0, keyTemplate.indexOf('{'));
}
