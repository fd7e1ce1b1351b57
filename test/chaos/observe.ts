import { createHash } from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { LANES, PARKED } from '../../lambdas/domain/work.ts';
import type { ApiCalls } from './api-calls.ts';
import type { DeliveryView, EventView, History, RequestView, Row } from './history.ts';
import type { Made, Tracked } from './users.ts';

/** A bridge as its users reach it, simulated or real, and what they remember of it. */
type Observable = {
  readonly api: ApiCalls;
  readonly requests: readonly Tracked[];
  readonly endpoints: readonly Made[];
  /** ms since epoch. */
  readonly begunAt: number;
  readonly dynamodb: DynamoDBClient;
  readonly tableName: string;
  readonly s3: S3Client;
  readonly bucket: string;
  /** Whether every download works, but for what a job's own faults say. */
  readonly sourcesServe: boolean;
  /** What must never be shown, beside the signing secrets. */
  readonly secrets: History['secrets'];
};

const isOfDownload = ({ at, kind }: Record<string, unknown>): boolean =>
  at === 'download' || kind === 'noDownload';

type Observed = Pick<
  History,
  'requests' | 'endpoints' | 'bucket' | 'unfinishedRows' | 'rows' | 'secrets' | 'stored'
>;

/** Asks the API, the bucket and the table what there is now. */
export async function observe(bridge: Observable): Promise<Observed> {
  const { api } = bridge;
  const requests = [];
  for (const { job, startedAt, copy, commands, callbacks, metadata } of bridge.requests) {
    const { requestId, statuses, isOrderly, bytes, sha256, faults } = job;
    const { status, body } = await api.call('GET', `/v1/requests/${requestId}`);
    const isThere = status === 200;
    requests.push({
      requestId,
      script: statuses.map(([name, seconds]) => [name, startedAt + seconds * 1_000] as const),
      isOrderly,
      copy,
      video: { size: bytes, sha256 },
      isServed: bridge.sourcesServe && !faults.some((fault) => isOfDownload(fault)),
      metadata,
      commands,
      callbacks,
      view: isThere ? (body as RequestView) : undefined,
      events: isThere ? await api.list<EventView>(`/v1/requests/${requestId}/events`) : [],
    });
  }
  const callbackSecret = (await api.call('GET', '/v1/callback-secret')).body.secret as string;
  const endpoints = [];
  for (const made of [...bridge.endpoints, ...callbackEndpoints(requests, callbackSecret, bridge.begunAt)]) {
    const deliveries = await api.list<DeliveryView>(`/v1/endpoints/${made.id}/deliveries`);
    endpoints.push({ ...made, deletedAt: made.deletedAt, deliveries });
  }
  const rows = await allRows(bridge);
  return {
    requests,
    endpoints,
    bucket: await bucketNow(bridge),
    unfinishedRows: rows.filter(
      (row) => row.owner !== undefined || LANES.some((lane) => lane === row.lane) || row.lane === PARKED,
    ),
    rows: rows.map(({ pk, sk }) => ({ pk, sk })),
    stored: rows.map((row) => ({ where: `${row.pk} ${row.sk}`, text: JSON.stringify(row) })),
    secrets: [
      ...bridge.secrets,
      { name: 'the secret of callbacks', value: callbackSecret, rows: '^CALLBACK-SECRET ' },
      ...rows
        .filter(({ pk }) => pk === 'LINK-SECRET')
        .map(({ secret }) => ({ name: 'the secret of links', value: String(secret), rows: '^LINK-SECRET ' })),
      ...bridge.endpoints.flatMap(({ id, secrets }) =>
        secrets.map((value) => ({ name: `a secret of ${id}`, value, rows: id })),
      ),
    ],
  };
}

/** The endpoints of per-request callbacks, as the requests show them. */
function callbackEndpoints(
  requests: readonly { view: RequestView | undefined }[],
  secret: string,
  createdAt: number,
) {
  const byId = new Map(
    requests.flatMap(({ view }) => (view?.callbacks ?? []).map((each) => [each.endpointId, each] as const)),
  );
  return [...byId.values()].map(({ endpointId, url, events }) => ({
    id: endpointId,
    kind: 'callback',
    url,
    filter: events,
    ordered: false,
    steady: false,
    createdAt,
    deletedAt: undefined,
    secrets: [secret],
  }));
}

/** Every row as it is in the table. */
export async function allRows({
  dynamodb,
  tableName,
}: Pick<Observable, 'dynamodb' | 'tableName'>): Promise<Row[]> {
  const rows: Row[] = [];
  let ExclusiveStartKey: Record<string, unknown> | undefined;
  do {
    const page = await DynamoDBDocumentClient.from(dynamodb).send(
      new ScanCommand({ TableName: tableName, ExclusiveStartKey }),
    );
    rows.push(...((page.Items ?? []) as unknown as Row[]));
    ExclusiveStartKey = page.LastEvaluatedKey;
  } while (ExclusiveStartKey);
  return rows;
}

async function bucketNow({ s3, bucket }: Observable): Promise<History['bucket']> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: bucket }));
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  const objects = [];
  for (const { Key = '', Size = 0 } of Contents) {
    const { Body, ChecksumCRC32: checksum } = await s3.send(
      new GetObjectCommand({ Bucket: bucket, Key, ChecksumMode: 'ENABLED' }),
    );
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array();
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    objects.push({ key: Key, size: Size, sha256, checksum });
  }
  return { objects, uploads: Uploads.map(({ Key = '' }) => Key) };
}
