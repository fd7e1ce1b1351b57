import http, { type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A call to S3, as faults choose by it: `PUT ?partNumber&uploadId`. */
type S3Call = { readonly method: string; readonly query: URLSearchParams };

/**
 * What happens to a call: `lost` has its effect, but the answer never comes; `refuse` answers
 * without effect; `after` has its effect and answers an error all the same.
 */
type S3Fault =
  | { readonly kind: 'lost' }
  | { readonly kind: 'refuse' | 'after'; readonly status: number; readonly code: string };

type ChooseFault = (call: S3Call) => S3Fault | undefined | Promise<S3Fault | undefined>;

/** Stands between the bridge and S3, and breaks what it is told to. */
export async function startFaultyProxy(upstream: string) {
  let choose: ChooseFault = () => undefined;
  const target = new URL(upstream);
  const server = http.createServer(async (request, response) => {
    const query = new URL(request.url ?? '/', upstream).searchParams;
    const fault = await choose({ method: request.method ?? '', query });
    const body = await buffer(request);
    const answer = fault?.kind === 'refuse' ? undefined : await forward(request, body);
    if (fault?.kind === 'lost') return response.destroy();
    if (fault) {
      response.writeHead(fault.status, { 'content-type': 'application/xml' });
      return response.end(
        `<?xml version="1.0"?><Error><Code>${fault.code}</Code><Message>x</Message></Error>`,
      );
    }
    response.writeHead(answer?.statusCode ?? 502, answer?.headers);
    answer?.pipe(response);
  });

  function forward(request: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    http
      .request(
        {
          host: target.hostname,
          port: target.port,
          path: request.url,
          method: request.method,
          headers: request.headers,
        },
        resolve,
      )
      .on('error', reject)
      .end(body);
    return promise;
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Asked for every call; the last one given counts. */
    setFaults: (next: ChooseFault): void => {
      choose = next;
    },
    close: async (): Promise<void> => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** Applies a fault to the first `times` calls that match. */
export function firstTimes(times: number, matches: (call: S3Call) => boolean, fault: S3Fault) {
  let left = times;
  return (call: S3Call): S3Fault | undefined => (matches(call) && left-- > 0 ? fault : undefined);
}

export const isPart = ({ method, query }: S3Call): boolean => method === 'PUT' && query.has('partNumber');
export const isComplete = ({ method, query }: S3Call): boolean => method === 'POST' && query.has('uploadId');
export const isBegin = ({ method, query }: S3Call): boolean => method === 'POST' && query.has('uploads');
export const isPut = ({ method, query }: S3Call): boolean => method === 'PUT' && !query.has('partNumber');
export const isHead = ({ method }: S3Call): boolean => method === 'HEAD';
export const isList = ({ method, query }: S3Call): boolean => method === 'GET' && query.has('uploads');
