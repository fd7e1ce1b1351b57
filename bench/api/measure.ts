import { type ApiWorld, uuid } from './world.ts';

/** What one call of a route takes. */
export type RouteFigures = {
  readonly route: string;
  /** Requests in the table. */
  readonly requests: number;
  /** ms. */
  readonly p50: number;
  readonly p99: number;
  readonly awsCalls: number;
};

type Sample = {
  readonly route: string;
  readonly call: (n: number) => [method: string, url: string, body?: unknown];
  readonly status: number;
};

const CALLBACK = 'https://hooks.example.com/bench';
const BATCH = 100;
const WARM_UP = 3;

const samples = (run: string): Sample[] => [
  {
    route: 'POST /v1/requests',
    call: (n) => ['POST', '/v1/requests', registration(`${run} one ${n}`)],
    status: 201,
  },
  {
    route: `POST /v1/requests/batch (${BATCH})`,
    call: (n) => [
      'POST',
      '/v1/requests/batch',
      { items: Array.from({ length: BATCH }, (_, i) => registration(`${run} batch ${n} ${i}`)) },
    ],
    status: 200,
  },
  {
    route: 'GET /v1/requests/{requestId}',
    call: (n) => ['GET', `/v1/requests/${uuid(`filled ${n}`)}`],
    status: 200,
  },
  { route: 'GET /v1/requests?limit=100', call: () => ['GET', '/v1/requests?limit=100'], status: 200 },
  {
    route: 'GET /v1/requests?limit=100&state=active',
    call: () => ['GET', '/v1/requests?limit=100&state=active'],
    status: 200,
  },
  {
    route: 'GET /v1/endpoints?kind=callback',
    call: () => ['GET', '/v1/endpoints?kind=callback'],
    status: 200,
  },
  { route: 'GET /v1/stats', call: () => ['GET', '/v1/stats'], status: 200 },
];

const registration = (words: string) => ({
  requestId: uuid(words),
  callbackUrl: CALLBACK,
  metadata: { order: words },
});

/** Calls each route `times` times, one call after another, with `requests` in the table. */
export async function measureRoutes(
  { call, awsCalls, fill }: ApiWorld,
  requests: number,
  times: number,
): Promise<RouteFigures[]> {
  await fill(requests);
  const figures: RouteFigures[] = [];
  for (const { route, call: given, status } of samples(`run ${requests}`)) {
    const taken: number[] = [];
    let calls = 0;
    for (let n = 0; n < times + WARM_UP; n++) {
      const before = awsCalls();
      const began = performance.now();
      const answer = await call(...given(n));
      if (answer.status !== status) throw new Error(`${route} answered ${answer.status}`);
      if (n < WARM_UP) continue;
      taken.push(performance.now() - began);
      calls += awsCalls() - before;
    }
    taken.sort((a, b) => a - b);
    figures.push({ route, requests, p50: at(taken, 0.5), p99: at(taken, 0.99), awsCalls: calls / times });
  }
  return figures;
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
