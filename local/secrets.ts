import { randomBytes, randomInt } from 'node:crypto';
import type { SynthesizedStack } from './template.ts';

interface SecretProperties {
  SecretString?: string;
  GenerateSecretString?: {
    SecretStringTemplate?: string;
    GenerateStringKey?: string;
    PasswordLength?: number;
    ExcludePunctuation?: boolean;
    ExcludeCharacters?: string;
  };
}

/** The value that CloudFormation would give each secret of the template, by logical id. */
export function generateSecrets({ document }: SynthesizedStack): Record<string, string> {
  const secrets = Object.entries(document.Resources).filter(
    ([, { Type }]) => Type === 'AWS::SecretsManager::Secret',
  );
  return Object.fromEntries(
    secrets.map(([id, { Properties = {} }]) => [id, generate(Properties as SecretProperties)]),
  );
}

function generate({ SecretString, GenerateSecretString }: SecretProperties): string {
  if (SecretString !== undefined) return SecretString;
  if (!GenerateSecretString) return '';
  const password = generatePassword(GenerateSecretString);
  const { SecretStringTemplate, GenerateStringKey } = GenerateSecretString;
  if (!SecretStringTemplate || !GenerateStringKey) return password;
  return JSON.stringify({ ...(JSON.parse(SecretStringTemplate) as object), [GenerateStringKey]: password });
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
const punctuation = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~';

function generatePassword(options: NonNullable<SecretProperties['GenerateSecretString']>): string {
  const { PasswordLength = 32, ExcludePunctuation = false, ExcludeCharacters = '' } = options;
  const alphabet = [...letters, ...(ExcludePunctuation ? '' : punctuation)].filter(
    (character) => !ExcludeCharacters.includes(character),
  );
  return Array.from({ length: PasswordLength }, () => alphabet[randomInt(alphabet.length)]).join('');
}

/** A key for people to copy: 32 random bytes in base64url. */
export const randomKey = () => randomBytes(32).toString('base64url');
