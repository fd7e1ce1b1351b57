import { Resolver } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { dnsError, ExchangeError } from './exchange-error.ts';

/** How long IPv6 addresses are waited for once there are others. */
const MORE_MS = 300;

/** All addresses of a name, IPv4 and IPv6, in the order in which to dial them. Rejects when there are none. */
export type Resolve = (hostname: string) => Promise<readonly string[]>;

/**
 * A connector's `lookup` that returns admitted addresses only, so that the address that was checked
 * is the one that is dialed, whatever a rebinding DNS answered before or answers next.
 * Node calls it for names only: the caller must check hosts that are addresses.
 */
export function guardedLookup(resolve: Resolve, admits: (address: string) => boolean): LookupFunction {
  const lookup = async (hostname: string, family: number) => {
    const addresses = await resolve(hostname).catch((error: unknown) => {
      throw dnsError(hostname, error);
    });
    const admitted = addresses
      .filter(admits)
      .map((address) => ({ address, family: isIP(address) }))
      .filter((candidate) => family === 0 || candidate.family === family);
    if (admitted.length === 0) {
      const what = `${hostname} resolves to no address that the bridge may dial`;
      throw new ExchangeError('address_refused', what, { remedy: 'point it at public addresses only' });
    }
    return admitted;
  };
  return (hostname, options, callback) => {
    lookup(hostname, familyOf(options.family)).then(
      (admitted) => {
        const [first] = admitted;
        if (options.all) callback(null, admitted);
        else callback(null, first!.address, first!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

/**
 * Asks DNS itself rather than the system's `getaddrinfo`: no hosts file, no search domain, and no
 * place in libuv's four threads, where a few names with dead servers would delay all others.
 * IPv4 first, as a Lambda seldom has a way out over IPv6. Two tries of 2 and 4 s leave a delivery time.
 */
export function resolveByDns(resolver = new Resolver({ timeout: 2_000, tries: 2 })): Resolve {
  return async (hostname) => {
    if (/(^|\.)localhost$/.test(hostname)) return ['127.0.0.1', '::1'];
    const ipv6 = resolver.resolve6(hostname).catch((): string[] => []);
    const [ipv4] = await Promise.allSettled([resolver.resolve4(hostname)]);
    if (ipv4.status === 'fulfilled') return [...ipv4.value, ...(await soon(ipv6))];
    const addresses = await ipv6;
    if (addresses.length === 0) throw ipv4.reason;
    return addresses;
  };
}

/** The addresses, or none if they take longer: some servers never answer what they have no record for. */
async function soon(addresses: Promise<string[]>): Promise<string[]> {
  const answered = new AbortController();
  const maxWait = setTimeout(MORE_MS, [], { signal: answered.signal });
  return Promise.race([addresses, maxWait]).finally(() => answered.abort());
}

function familyOf(family: number | string | undefined): number {
  if (family === 'IPv4') return 4;
  if (family === 'IPv6') return 6;
  return Number(family ?? 0);
}
