import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../frame/failure.ts';

export type Profile = { readonly url: string; readonly key: string };
/** The config file. `default`: the profile that is used when none is named. */
type Profiles = { readonly default?: string; readonly profiles: Readonly<Record<string, Profile>> };

type Env = Readonly<Record<string, string | undefined>>;

/** Bits of a mode that allow anything to others than the owner. */
const OTHERS = 0o077;

/** Where the profiles are: TOPAZ_BRIDGE_CONFIG, or the user's folder of configuration. */
function configPath(env: Env): string {
  if (env.TOPAZ_BRIDGE_CONFIG) return env.TOPAZ_BRIDGE_CONFIG;
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'topaz-bridge', 'config.json');
}

/**
 * The saved profiles; none when there is no file.
 *
 * @throws {Failure} others may read the file, or it is not one of profiles
 */
export function readProfiles(env: Env): Profiles {
  const path = configPath(env);
  let text: string;
  try {
    const stats = statSync(path);
    if (stats.isDirectory()) throw notProfiles(path);
    if (process.platform !== 'win32' && (stats.mode & OTHERS) !== 0)
      throw new Failure(`Others may read ${path}, which holds keys: run chmod 600 ${path}.`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} };
    throw error;
  }
  try {
    const read = JSON.parse(text) as Partial<Profiles> | null;
    if (typeof read?.profiles === 'object' && read.profiles !== null)
      return { ...read, profiles: read.profiles };
  } catch {
    // Said below.
  }
  throw notProfiles(path);
}

const notProfiles = (path: string): Failure =>
  new Failure(`${path} is not a file of profiles: correct or delete it, then run topaz-bridge login.`);

/** Adds or replaces a profile; the first one becomes the default. The file appears whole, for its owner alone. */
export function saveProfile(env: Env, name: string, profile: Profile, makeDefault: boolean): string {
  const path = configPath(env);
  const saved = readProfiles(env);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const next: Profiles = {
    default: makeDefault || saved.default === undefined ? name : saved.default,
    profiles: { ...saved.profiles, [name]: profile },
  };
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
  chmodSync(unfinished, 0o600);
  renameSync(unfinished, path);
  return path;
}
