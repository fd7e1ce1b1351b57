import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type ISecret, Secret, type SecretStringGenerator } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { BridgeFunction } from './bridge-function.ts';

/** The secrets of the bridge; each method gives one function one of them, value and name. */
export class BridgeSecrets extends Construct {
  /** The user's key to Topaz. */
  readonly topazApiKey: ISecret;
  /** The keys to the bridge's own API: `{"keys": [{"id", "key", "role"}], "firstKey"}`. */
  readonly apiKeys: Secret;

  constructor(scope: Construct, id: string, { topazApiKey }: { topazApiKey?: ISecret }) {
    super(scope, id);
    this.topazApiKey = topazApiKey ?? this.placeholder();

    // Generated whole, so that no update of the stack writes it again: CloudFormation generates a value again only
    // when these properties change. Leave them as they are; keys that were added since would be lost.
    this.apiKeys = generated(this, 'ApiKeys', "Keys to the webhook bridge's API", {
      secretStringTemplate: JSON.stringify({ keys: [] }),
      generateStringKey: 'firstKey',
    });

    const own = [this.apiKeys, ...(topazApiKey ? [] : [this.topazApiKey])];
    for (const secret of own) {
      acknowledge(
        secret,
        'AwsSolutions-SMG4',
        'Topaz cannot rotate its key; those of the API are replaced by hand when their users are ready.',
      );
    }
  }

  /**
   * Generated, though only a placeholder: CloudFormation writes a generated value once and leaves alone what the user
   * puts in its place. The poll stage knows it by being JSON, and pauses.
   */
  private placeholder(): Secret {
    return generated(this, 'TopazApiKey', 'Replace this value by your Topaz API key', {
      secretStringTemplate: JSON.stringify({ placeholder: 'Put your Topaz API key in place of all this.' }),
      generateStringKey: 'unused',
    });
  }

  /** The only way to the Topaz key, for the poll stage alone. */
  grantTopazApiKey(fn: BridgeFunction): void {
    give(this.topazApiKey, fn, 'TOPAZ_API_KEY_SECRET_ARN');
  }

  grantApiKeys(fn: BridgeFunction): void {
    give(this.apiKeys, fn, 'API_KEYS_SECRET_ARN');
  }
}

function generated(
  scope: Construct,
  id: string,
  description: string,
  within?: Pick<SecretStringGenerator, 'secretStringTemplate' | 'generateStringKey'>,
): Secret {
  return new Secret(scope, id, {
    description,
    generateSecretString: { passwordLength: 43, excludePunctuation: true, ...within },
  });
}

function give(secret: ISecret, fn: BridgeFunction, variable: string): void {
  fn.addToRolePolicy(
    new PolicyStatement({
      actions: ['secretsmanager:GetSecretValue'],
      // Of an imported secret the ARN may lack the six characters that Secrets Manager adds to it.
      resources: [secret.secretFullArn ?? `${secret.secretArn}-??????`],
    }),
  );
  secret.encryptionKey?.grantDecrypt(fn);
  fn.addEnvironment(variable, secret.secretArn);
}
