import type { CloudFormation } from '@aws-sdk/client-cloudformation';
import type { SecretsManager } from '@aws-sdk/client-secrets-manager';
import { EXIT, Failure } from '../frame/failure.ts';
import type { Profile } from './profiles.ts';

type Where = { readonly region?: string; readonly profile?: string };

/**
 * Address and key of a deployed bridge, from the outputs of its stack and the secret of its keys.
 *
 * @throws {Failure} the stack or the secret cannot be read, or is not that of a bridge
 */
export async function readStack(
  name: string,
  { region, profile }: Where,
  abortSignal: AbortSignal,
): Promise<Profile> {
  const config = { ...(region ? { region } : {}), ...(profile ? { profile } : {}) };
  try {
    // Loaded here, so that only those who name a stack wait for the SDK.
    const [{ CloudFormation }, { SecretsManager }] = await Promise.all([
      import('@aws-sdk/client-cloudformation'),
      import('@aws-sdk/client-secrets-manager'),
    ]);
    const { url, secretArn } = await outputsOf(new CloudFormation(config), name, abortSignal);
    return { url, key: await adminKey(new SecretsManager(config), secretArn, name, abortSignal) };
  } catch (error) {
    abortSignal.throwIfAborted();
    if (error instanceof Failure) throw error;
    throw failureOfAws(error, name, profile);
  }
}

async function outputsOf(
  cloudFormation: CloudFormation,
  name: string,
  abortSignal: AbortSignal,
): Promise<{ url: string; secretArn: string }> {
  const { Stacks } = await cloudFormation.describeStacks({ StackName: name }, { abortSignal });
  const output = (key: string) =>
    Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
  const [url, secretArn] = [output('ApiUrl'), output('ApiKeySecretArn')];
  if (!url || !secretArn)
    throw new Failure(
      `The stack ${name} is not a bridge, or its deployment has not ended: it lacks the outputs ApiUrl and ApiKeySecretArn.`,
    );
  return { url, secretArn };
}

async function adminKey(
  secrets: SecretsManager,
  secretArn: string,
  stack: string,
  abortSignal: AbortSignal,
): Promise<string> {
  type Keys = { firstKey?: string; keys?: { key?: string; role?: string }[] };
  const { SecretString = '' } = await secrets.getSecretValue({ SecretId: secretArn }, { abortSignal });
  let secret: Keys | null = null;
  try {
    secret = JSON.parse(SecretString) as Keys | null;
  } catch {
    // Said below.
  }
  const keys = Array.isArray(secret?.keys) ? secret.keys : [];
  const key = secret?.firstKey ?? keys.find(({ role }) => role === 'admin')?.key;
  if (!key) throw new Failure(`The secret of ${stack} holds no key of an admin: add one under "keys".`);
  return key;
}

/** What the SDK says, as a sentence with a remedy. Its errors are told apart by name, and some by message only. */
function failureOfAws(error: unknown, stack: string, profile: string | undefined): Failure {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const failure = (text: string, exitCode?: number) => new Failure(text, exitCode, { cause: error });
  const credentials = profile === undefined ? 'AWS credentials' : `credentials of the AWS profile ${profile}`;
  if (/expired/i.test(`${name} ${message}`))
    return failure(`The ${credentials} have expired: log in again, such as by aws sso login.`, EXIT.refused);
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError')
    return failure(
      profile === undefined
        ? 'There are no AWS credentials: set AWS_PROFILE, give --profile, or log in, such as by aws sso login.'
        : `There are no ${credentials}: check its name in ~/.aws/config, or log in by aws sso login --profile ${profile}.`,
      EXIT.refused,
    );
  if (/region is missing/i.test(message))
    return failure('The region is not known: give --region, or set AWS_REGION.', EXIT.usage);
  if (name === 'ValidationError' && message.includes('does not exist'))
    return failure(
      `There is no stack ${stack} in this account and region: check its name, --region and --profile.`,
      EXIT.notFound,
    );
  if (name === 'ResourceNotFoundException')
    return failure(
      `The secret that the stack ${stack} names is gone: deploy the stack again, or give --url and --key.`,
      EXIT.notFound,
    );
  if (/^(AccessDenied|UnrecognizedClient|InvalidClientTokenId|SignatureDoesNotMatch)/.test(name))
    return failure(
      `AWS refused to show the stack ${stack} or its secret: the ${credentials} need cloudformation:DescribeStacks and secretsmanager:GetSecretValue.`,
      EXIT.refused,
    );
  return failure(
    `The stack ${stack} cannot be read: ${message}. Check your network, --region and --profile.`,
  );
}
