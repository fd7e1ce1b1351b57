import type { LookupFunction } from 'node:net';
import { guardedLookup, type Resolve } from '../../adapters/http/guarded-lookup.ts';
import { isLoopbackAddress, isPublicAddress } from '../../domain/http/public-address.ts';
import { RangeConnection } from './range-connection.ts';

export type Connections = ReturnType<typeof createConnections>;

/** Connections to sources, by origin; each is kept open for the next range. */
export function createConnections({
  allowLoopback,
  resolve,
  ca,
  stallMs,
}: {
  allowLoopback: boolean;
  resolve: Resolve;
  ca: string | undefined;
  stallMs: number;
}) {
  const lookups: Record<string, LookupFunction> = {
    'https:': guardedLookup(resolve, (a) => isPublicAddress(a) || (allowLoopback && isLoopbackAddress(a))),
    'http:': guardedLookup(resolve, isLoopbackAddress),
  };
  const idle = new Map<string, RangeConnection[]>();

  /** An open connection that is idle, or a new one. */
  function take(url: URL): RangeConnection {
    for (;;) {
      const connection = pool(url.origin).pop();
      if (!connection) break;
      if (connection.isOpen) return connection;
    }
    return new RangeConnection({ url, lookup: lookups[url.protocol] as LookupFunction, ca, stallMs });
  }

  /** Keeps the connection for the next range, if it is still open. */
  function keep(url: URL, connection: RangeConnection): void {
    if (connection.isOpen) pool(url.origin).push(connection);
  }

  function pool(origin: string): RangeConnection[] {
    const connections = idle.get(origin) ?? [];
    idle.set(origin, connections);
    return connections;
  }

  function close(): void {
    for (const connections of idle.values()) for (const connection of connections) connection.close();
    idle.clear();
  }

  return { take, keep, close };
}
