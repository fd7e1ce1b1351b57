import { randomInt } from 'node:crypto';
import type { SynthesizedStack, Template } from '../runtime/template.ts';

type SecretProperties = {
  SecretString?: string;
  GenerateSecretString?: GenerateOptions;
};

type GenerateOptions = {
  SecretStringTemplate?: string;
  GenerateStringKey?: string;
  PasswordLength?: number;
  ExcludePunctuation?: boolean;
  ExcludeCharacters?: string;
};

/** A secret as Secrets Manager holds it. */
export type Secret = {
  arn: string;
  name: string;
  /** The environment variable that gives its ARN to functions, for example `TOPAZ_API_KEY_SECRET_ARN`. */
  variable: string | undefined;
  value: string;
};

/** The values that CloudFormation would generate for the secrets of a template, by logical id. */
export function generateSecrets({ document }: SynthesizedStack): Record<string, string> {
  const secrets = Object.entries(document.Resources).flatMap(([id, { Type, Properties = {} }]) => {
    const { GenerateSecretString } = Properties as SecretProperties;
    return Type === 'AWS::SecretsManager::Secret' && GenerateSecretString
      ? [[id, generate(GenerateSecretString)] as const]
      : [];
  });
  return Object.fromEntries(secrets);
}

/**
 * The secrets of the template with their values: the given one (by variable), else the template's own, else the
 * generated one (by logical id). Throws when a value is given for a variable that names no secret.
 */
export function readSecrets(
  template: Template,
  environments: Record<string, string>[],
  generated: Record<string, string>,
  given: Record<string, string> = {},
): Secret[] {
  const variables = environments.flatMap(Object.entries<string>);
  const secrets = template
    .ofType('AWS::SecretsManager::Secret')
    .map(({ logicalId, identity, properties }) => {
      const variable = variables.find(([, value]) => value === identity.ref)?.[0];
      const { SecretString } = properties as SecretProperties;
      return {
        arn: identity.ref,
        name: logicalId,
        variable,
        value: given[variable ?? ''] ?? SecretString ?? generated[logicalId] ?? '',
      };
    });
  for (const variable of Object.keys(given)) {
    if (!secrets.some((secret) => secret.variable === variable)) {
      throw new Error(`No function of the template is given a secret by the variable ${variable}.`);
    }
  }
  return secrets;
}

function generate(options: GenerateOptions): string {
  const password = generatePassword(options);
  const { SecretStringTemplate, GenerateStringKey } = options;
  if (!SecretStringTemplate || !GenerateStringKey) return password;
  return JSON.stringify({ ...(JSON.parse(SecretStringTemplate) as object), [GenerateStringKey]: password });
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const PUNCTUATION = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

function generatePassword({
  PasswordLength = 32,
  ExcludePunctuation = false,
  ExcludeCharacters = '',
}: GenerateOptions): string {
  const alphabet = [...LETTERS, ...(ExcludePunctuation ? '' : PUNCTUATION)].filter(
    (character) => !ExcludeCharacters.includes(character),
  );
  return Array.from({ length: PasswordLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}
