import { Failure } from '../frame/failure.ts';
import type { Profile } from './profiles.ts';

type Where = { readonly region?: string; readonly profile?: string };

/**
 * Address and key of a deployed bridge, from the outputs of its stack and the secret of its keys.
 *
 * @throws {Failure} the stack or the secret cannot be read, or is none of a bridge
 */
export async function readStack(name: string, { region, profile }: Where): Promise<Profile> {
  const config = { ...(region ? { region } : {}), ...(profile ? { profile } : {}) };
  try {
    // Only who names a stack waits for the SDK.
    const [{ CloudFormation }, { SecretsManager }] = await Promise.all([
      import('@aws-sdk/client-cloudformation'),
      import('@aws-sdk/client-secrets-manager'),
    ]);
    const { Stacks } = await new CloudFormation(config).describeStacks({ StackName: name });
    const output = (key: string) =>
      Stacks?.[0]?.Outputs?.find(({ OutputKey }) => OutputKey === key)?.OutputValue;
    const [url, secretArn] = [output('ApiUrl'), output('ApiKeySecretArn')];
    if (!url || !secretArn)
      throw new Failure(`The stack ${name} is no bridge: it lacks the outputs ApiUrl and ApiKeySecretArn.`);
    const { SecretString } = await new SecretsManager(config).getSecretValue({ SecretId: secretArn });
    return { url, key: adminKey(SecretString, name) };
  } catch (error) {
    if (error instanceof Failure) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new Failure(
      `The stack ${name} cannot be read: ${reason}. Check your AWS credentials, --region and --profile.`,
      undefined,
      { cause: error },
    );
  }
}

function adminKey(text: string | undefined, stack: string): string {
  type Keys = { firstKey?: string; keys?: { key?: string; role?: string }[] };
  let secret: Keys | null = null;
  try {
    secret = JSON.parse(text ?? '') as Keys | null;
  } catch {
    // Said below.
  }
  const keys = Array.isArray(secret?.keys) ? secret.keys : [];
  const key = secret?.firstKey ?? keys.find(({ role }) => role === 'admin')?.key;
  if (!key) throw new Failure(`The secret of ${stack} holds no key of an admin: add one under "keys".`);
  return key;
}
