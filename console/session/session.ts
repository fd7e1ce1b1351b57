import { computed, signal } from '@preact/signals';
import { ApiError, type Client, createClient, type Whoami } from '../../client/client.ts';

/** In `sessionStorage`, which ends with the tab. */
const STORED = 'bridge-key';
const EXPIRED = 'This key is no longer accepted. Enter one from the secret of API keys.';
const ASK_AGAIN_MS = 5_000;

type Session = {
  readonly client: Client;
  /** Unknown until the bridge has told it. */
  readonly who: Whoami | undefined;
};

/** Who is signed in; undefined without a key. */
export const session = signal<Session | undefined>(undefined);
/** Why a key is asked for again. */
export const signedOutBecause = signal<string | undefined>(undefined);
/** Whether buttons that change something are shown. */
export const isAdmin = computed(() => session.value?.who?.role === 'admin');

/** Calls that need no key. */
export const publicClient = createClient({ url: location.origin });

/** @throws {ApiError} the key is not accepted; {@link ConnectionError} the bridge did not answer */
export async function signIn(key: string): Promise<void> {
  const client = clientWith(key);
  const who = await client.whoami();
  sessionStorage.setItem(STORED, key);
  signedOutBecause.value = undefined;
  session.value = { client, who };
}

export function signOut(reason?: string): void {
  sessionStorage.removeItem(STORED);
  signedOutBecause.value = reason;
  session.value = undefined;
}

/** A client that ends its session when the bridge refuses its key. */
function clientWith(key: string): Client {
  const watched: typeof fetch = async (...args) => {
    const response = await fetch(...args);
    if (response.status === 401 && isCurrent(client)) signOut(EXPIRED);
    return response;
  };
  const client = createClient({ url: location.origin, key, fetch: watched });
  return client;
}

const isCurrent = (client: Client): boolean => session.peek()?.client === client;

/** Signs in again after a reload, with the key of this tab. Pages need not wait until the bridge knows it. */
export function restoreSession(): void {
  const key = sessionStorage.getItem(STORED);
  if (key === null) return;
  const client = clientWith(key);
  session.value = { client, who: undefined };
  void identify(client);
}

/** Asks who is signed in, again and again while the bridge cannot tell. */
async function identify(client: Client): Promise<void> {
  try {
    const who = await client.whoami();
    if (isCurrent(client)) session.value = { client, who };
  } catch (error) {
    if (!isCurrent(client)) return;
    if (isFinal(error)) signOut(error.message);
    else setTimeout(() => void identify(client), ASK_AGAIN_MS);
  }
}

const isFinal = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.status < 500 && error.status !== 429;

/** The client of the person who is signed in; only that person sees pages. */
export function api(): Client {
  const { value } = session;
  if (!value) throw new Error('Not signed in.');
  return value.client;
}
