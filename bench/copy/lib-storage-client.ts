import { S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';

/** A process that copies one file as the SDK's documentation shows it: a fetched body into an Upload. */
const [sourceUrl = '', sinkUrl = '', key = ''] = process.argv.slice(2);
const client = new S3Client({ endpoint: sinkUrl, forcePathStyle: true });
const { body } = await fetch(sourceUrl);
await new Upload({ client, params: { Bucket: 'videos', Key: key, Body: body ?? undefined } }).done();
client.destroy();
