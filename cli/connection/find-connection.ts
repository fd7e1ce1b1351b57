import { usageError } from '../frame/failure.ts';
import { type Profile, readProfiles } from './profiles.ts';

/** Flags that name a bridge. */
export type ConnectionFlags = {
  readonly url?: string;
  readonly key?: string;
  readonly profile?: string;
  readonly stack?: string;
  readonly region?: string;
};

/** A bridge's address and key, and where they come from. */
export type Connection = { readonly url: string; readonly key: string; readonly from: string };

type Env = Readonly<Record<string, string | undefined>>;

const HOW =
  'Give --url and --key, set BRIDGE_URL and BRIDGE_API_KEY, run topaz-bridge login, or name a --stack.';

/**
 * Address and key, always from one place, so that the key of one bridge never reaches another: --stack, --url with
 * --key, --profile, the environment, the default profile.
 *
 * @throws {Failure} there is none, or it is incomplete
 */
export async function findConnection(
  flags: ConnectionFlags,
  env: Env,
  signal: AbortSignal,
): Promise<Connection> {
  if (flags.stack !== undefined) {
    const { readStack } = await import('./read-stack.ts');
    return checked(await readStack(flags.stack, flags, signal), `the stack ${flags.stack}`);
  }
  if (flags.url !== undefined) {
    // A key from the environment belongs to the address that a person types; a saved one does not.
    const key = flags.key ?? env.BRIDGE_API_KEY;
    if (!key) throw usageError('--url needs a key: give --key, or set BRIDGE_API_KEY.');
    return checked({ url: flags.url, key }, '--url');
  }
  if (flags.profile !== undefined) return ofProfile(flags.profile, flags, env);
  const url = env.BRIDGE_URL;
  if (url) {
    const key = flags.key ?? env.BRIDGE_API_KEY;
    if (!key) throw usageError('BRIDGE_URL needs a key: set BRIDGE_API_KEY, or give --key.');
    return checked({ url, key }, 'BRIDGE_URL');
  }
  const { default: name } = readProfiles(env);
  if (name === undefined) throw usageError(`No bridge is named. ${HOW}`);
  return ofProfile(name, flags, env);
}

function ofProfile(name: string, { key }: ConnectionFlags, env: Env): Connection {
  const { profiles } = readProfiles(env);
  if (!Object.hasOwn(profiles, name)) {
    const names = Object.keys(profiles);
    const known = names.length > 0 ? `There are: ${names.join(', ')}.` : 'There are none.';
    throw usageError(`There is no profile "${name}". ${known} topaz-bridge login ${name} creates it.`);
  }
  // The file may have been edited by hand.
  const profile: Partial<Record<keyof Profile, unknown>> | undefined = profiles[name];
  const { url, key: savedKey } = profile ?? {};
  if (typeof url !== 'string' || typeof savedKey !== 'string')
    throw usageError(
      `The profile "${name}" lacks an address or a key: topaz-bridge login ${name} saves it again.`,
    );
  return checked({ url, key: key ?? savedKey }, `profile ${name}`);
}

function checked({ url, key }: Profile, from: string): Connection {
  return { url: checkedUrl(url), key: checkedKey(key), from };
}

/** The address without a trailing slash. @throws {Failure} it cannot be the address of a bridge */
export function checkedUrl(given: string): string {
  const text = given.includes('://') ? given : `https://${given}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.search || url.hash)
    throw usageError(
      `"${given}" is not the address of a bridge: give its ApiUrl, such as https://abc.execute-api.eu-central-1.amazonaws.com.`,
    );
  return url.href.replace(/\/+$/, '');
}

/** @throws {Failure} it cannot stand in a header */
export function checkedKey(key: string): string {
  if (!/^[\x21-\x7e]+$/.test(key))
    throw usageError('The key must be printable ASCII without spaces: copy it again.');
  return key;
}
