import { median, quantile } from '../quantile.ts';
import { uuid } from './uuid.ts';
import type { ApiWorld } from './world.ts';

/** What one call of a route takes. */
export type RouteFigures = {
  readonly route: string;
  /** Requests in the table. */
  readonly requests: number;
  /** ms. */
  readonly p50: number;
  readonly p99: number;
  /** ms, median, with recorded answers instead of the DynamoDB emulator. */
  readonly alone: number;
  readonly awsCalls: number;
  /** Rounds of AWS calls, one after another. */
  readonly rounds: number;
  /** p50 and alone as multiples of those of the one registration, or the one request, that the route is compared with. */
  readonly multiple?: { readonly p50: number; readonly alone: number } | undefined;
};

type Sample = {
  readonly route: string;
  readonly call: (n: number) => [method: string, url: string, body?: unknown];
  readonly status: number;
  /** The route that this one is a multiple of. */
  readonly comparedWith?: string;
};

const CALLBACK = 'https://hooks.example.com/bench';
const BATCH = 100;
const WARM_UP = 3;
const REGISTER = 'POST /v1/requests';
const SHOW = 'GET /v1/requests/{requestId}';

const samples = (run: string): Sample[] => [
  {
    route: REGISTER,
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
    comparedWith: REGISTER,
  },
  { route: SHOW, call: (n) => ['GET', `/v1/requests/${uuid(`filled ${n}`)}`], status: 200 },
  list('/v1/requests?limit=100', SHOW),
  list('/v1/requests?limit=100&state=active', SHOW),
  list('/v1/endpoints?kind=callback'),
  list('/v1/stats'),
];

function list(url: string, comparedWith?: string): Sample {
  return {
    route: `GET ${url}`,
    call: () => ['GET', url],
    status: 200,
    ...(comparedWith ? { comparedWith } : {}),
  };
}

const registration = (words: string) => ({
  requestId: uuid(words),
  callbackUrl: CALLBACK,
  metadata: { order: words },
});

type Taken = {
  readonly ms: number;
  readonly alone: number;
  readonly awsCalls: number;
  readonly rounds: number;
};

/** Calls each route `times` times with `requests` in the table: all routes in turn, so that a busy machine slows all alike. */
export async function measureRoutes(
  { call, aws, record, fill }: ApiWorld,
  requests: number,
  times: number,
): Promise<RouteFigures[]> {
  await fill(requests);
  const all = samples(`run ${requests}`);
  const taken = new Map(all.map(({ route }): [string, Taken[]] => [route, []]));
  const play = async ({ route, call: given, status }: Sample, n: number) => {
    const answer = await call(...given(n));
    if (answer.status !== status) throw new Error(`${route} answered ${answer.status}`);
  };

  for (let n = 0; n < WARM_UP; n++) for (const each of all) await play(each, n);
  const replays = new Map<Sample, () => Promise<void>>();
  for (const each of all) replays.set(each, await record(() => play(each, WARM_UP)));

  for (let n = 0; n < times; n++) {
    for (const each of all) {
      const before = aws();
      const ms = await msOf(() => play(each, WARM_UP + 1 + n));
      const { calls, rounds } = aws();
      const alone = await msOf(async () => replays.get(each)?.());
      taken
        .get(each.route)
        ?.push({ ms, alone, awsCalls: calls - before.calls, rounds: rounds - before.rounds });
    }
  }
  return figuresOf(all, taken, requests);
}

async function msOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function figuresOf(
  all: readonly Sample[],
  taken: ReadonlyMap<string, readonly Taken[]>,
  requests: number,
): RouteFigures[] {
  const figures = all.map(({ route }): RouteFigures => {
    const of = (what: keyof Taken) => (taken.get(route) ?? []).map((each) => each[what]);
    return {
      route,
      requests,
      p50: median(of('ms')),
      p99: quantile(of('ms'), 0.99),
      alone: median(of('alone')),
      awsCalls: median(of('awsCalls')),
      rounds: median(of('rounds')),
    };
  });
  return figures.map((figure, i) => {
    const one = figures.find(({ route }) => route === all[i]?.comparedWith);
    if (!one) return figure;
    return { ...figure, multiple: { p50: figure.p50 / one.p50, alone: figure.alone / one.alone } };
  });
}
