import { fromEnv } from '@aws-sdk/credential-provider-env';

/**
 * Lambda hands credentials over by the environment, new ones to each new process. The SDK's own search knows six more
 * places, in 100 kB.
 */
export const defaultProvider = fromEnv;
