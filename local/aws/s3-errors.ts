import type { Fault, Faults } from './front-door.ts';
import type { Random } from './random.ts';

type S3ErrorSettings = {
  /** Share of the calls that S3 answers with 503 and `SlowDown`. */
  slowDown: number;
  /** Share of `CompleteMultipartUpload` that S3 answers with status 200 and an error in the body. */
  completeError: number;
};

/** The errors that S3 answers at any time, and that a client must try again. */
export function s3Errors({ slowDown, completeError }: S3ErrorSettings, random: Random): Faults {
  return ({ service, operation }): Fault | undefined => {
    if (service !== 's3') return undefined;
    if (random() < slowDown) {
      return { kind: 'error', status: 503, code: 'SlowDown', message: 'Please reduce your request rate.' };
    }
    if (operation === 'CompleteMultipartUpload' && random() < completeError) {
      const message = 'We encountered an internal error. Please try again.';
      return { kind: 'error', status: 200, code: 'InternalError', message };
    }
    return undefined;
  };
}
