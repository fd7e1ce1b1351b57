import { createHash, randomBytes } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createVideoLinks } from '../../../lambdas/adapters/video-link.ts';
import { createApi } from '../../../lambdas/api/app.ts';
import type { Deployment } from '../../../lambdas/api/doctor/deployment-checks.ts';
import { createSignGet } from '../../../lambdas/api/requests/sign-get.ts';
import type { MetricHistory } from '../../../lambdas/api/stats/metric-history.ts';
import { LANES } from '../../../lambdas/domain/work.ts';
import type { TestDatabase } from '../../support/dynamodb.ts';
import { passLagTime, settle } from '../../support/lagging-reads.ts';
import { recordHints } from '../../support/recorded-hints.ts';

export const ADMIN = 'admin-key';
export const READER = 'reader-key';
export const LINK_SECRET = 'link-secret';
const API_KEYS = JSON.stringify({
  keys: [
    { id: 'admin', key: ADMIN, role: 'admin' },
    { id: 'reader', key: READER, role: 'read' },
  ],
});

/** What AWS says of a deployment without problems. */
export const WELL: Deployment = {
  messages: async () => ({ waiting: LANES.map(() => 0), dead: 0 }),
  bucket: async () => 'there',
  alarms: async () => [{ meaning: 'Work is parked.', section: 'docs/runbook.md#parked', isRaised: false }],
};

/** What is read from an index shows what was written some seconds ago: tests ask for these later. */
const OVERVIEWS = /^\/v1\/(requests|events|endpoints|parked|stats|doctor)(\?|$)/;

export type Answer = {
  status: number;
  headers: Record<string, string>;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
  body: any;
};

export type CallOptions = {
  body?: unknown;
  /** Sent as it is, in place of `body`. */
  raw?: string | Uint8Array;
  /** The API key; null for none. */
  key?: string | null;
  headers?: Record<string, string>;
};

export type Client = ReturnType<typeof createClient>;

/** The api stage over a real table, called with the gateway's events at a time that stands still. */
export function createClient(
  { table }: Pick<TestDatabase, 'table'>,
  {
    apiKeys = API_KEYS,
    allowLoopback = false,
    eventBusName = undefined as string | undefined,
    startAt = Date.UTC(2026, 10, 23, 20),
    /** What happens while the stage waits; by default only the time passes. */
    sleep = undefined as ((ms: number) => Promise<void>) | undefined,
    maxWaits = 5,
    /** Made outside of a test, for several. */
    shared = false,
    metricHistory = (async () => new Map()) as MetricHistory,
    deployment = WELL,
    /** ms that the clock moves at each read. */
    tick = 0,
  } = {},
) {
  let time = startAt;
  const clock = {
    get now() {
      return time;
    },
    set now(to: number) {
      passLagTime(to - time);
      time = to;
    },
  };
  const hints = recordHints(table, { shared });
  const now = () => {
    clock.now += tick;
    return clock.now;
  };
  const handler = createApi({
    table,
    metricHistory,
    deployment,
    hints,
    now,
    randomBytes,
    apiKeys: async () => apiKeys,
    linkSecret: async () => LINK_SECRET,
    signGet: createSignGet(
      new S3Client({ region: 'us-east-1', credentials: { accessKeyId: 'AKID', secretAccessKey: 'secret' } }),
      now,
    ),
    videoLink: createVideoLinks({
      secret: async () => LINK_SECRET,
      publicUrl: 'https://bridge.example',
      linkDays: 7,
    }),
    sleep:
      sleep ??
      (async (ms) => {
        clock.now += ms;
      }),
    maxWaits,
    retentionDays: 30,
    allowLoopback,
    eventBusName,
  });

  async function call(method: string, url: string, options: CallOptions = {}): Promise<Answer> {
    if (method === 'GET' && OVERVIEWS.test(url)) settle();
    const event = eventOf(method, url, options);
    const result = (await handler(event, {} as Context)) as APIGatewayProxyStructuredResultV2;
    const text = result.body ?? '';
    return {
      status: result.statusCode ?? 0,
      headers: result.headers as Record<string, string>,
      body: text === '' ? undefined : JSON.parse(text),
    };
  }

  return { call, clock, hints };
}

function eventOf(method: string, url: string, options: CallOptions): APIGatewayProxyEventV2 {
  const { key = ADMIN, headers = {}, body, raw } = options;
  const [path = '', rawQueryString = ''] = url.split('?');
  const query = Object.fromEntries(new URLSearchParams(rawQueryString));
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const isBase64Encoded = sent instanceof Uint8Array;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(rawQueryString === '' ? {} : { queryStringParameters: query }),
    requestContext: { http: { method, path }, requestId: 'test' } as APIGatewayProxyEventV2['requestContext'],
    ...(sent === undefined ? {} : { body: isBase64Encoded ? Buffer.from(sent).toString('base64') : sent }),
    isBase64Encoded,
  };
}

/** A UUID that is always the same for the same words. */
export function uuid(words: string): string {
  const hex = createHash('sha256').update(words).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
