import { expect, it } from 'vitest';
import { seededRandom } from '../../../local/aws/random.ts';
import { s3Errors } from '../../../local/aws/s3-errors.ts';

it('S3 slows down at the share that is set, and fails to complete with status 200', () => {
  const errors = s3Errors({ slowDown: 0.1, completeError: 0.5 }, seededRandom(1));
  const faults = (operation: string, service: 's3' | 'sqs' = 's3') =>
    Array.from({ length: 1000 }, () => errors({ caller: 'copy', service, operation })).flatMap((fault) =>
      fault?.kind === 'error' ? `${fault.status} ${fault.code}` : [],
    );
  expect(new Set(faults('UploadPart'))).toEqual(new Set(['503 SlowDown']));
  expect(faults('UploadPart').length).toBeGreaterThan(60);
  expect(faults('UploadPart').length).toBeLessThan(140);
  expect(new Set(faults('CompleteMultipartUpload'))).toEqual(new Set(['503 SlowDown', '200 InternalError']));
  expect(faults('SendMessage', 'sqs')).toEqual([]);
});
