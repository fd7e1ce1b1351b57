import { Logger } from '@aws-lambda-powertools/logger';

/** One structured line per outcome, with the deployment's name. Never give it secrets, signed URLs or payloads. */
export const log = new Logger();
