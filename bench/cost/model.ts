import { PRICES } from './prices.ts';

export type Work = {
  readonly requestsPerDay: number;
  /** From registration to the end of the job. */
  readonly minutes: number;
  /** Of one video. */
  readonly gb: number;
  /** Receivers of every event. */
  readonly endpoints: number;
  /** Of one job: what a simulated one takes (docs/scale.md), whose mean is 20 minutes. */
  readonly polls: number;
};

/** Dollars by item. */
export type Items = Readonly<Record<string, number>>;
export type Cost = {
  readonly perRequest: Items;
  readonly idlePerMonth: Items;
  /** What a month costs in which a job runs at every moment, whatever the number of jobs. */
  readonly runningPerMonth?: Items;
};

const HOURS = 730;
const MINUTES = HOURS * 60;
const MINUTES_PER_DAY = 1440;
/** DynamoDB keeps its table's key for each caller for about five minutes. An upper bound: AWS states no number of calls. */
const KEY_READS_PER_HOUR = 12;
const EVENTS = 8;
const PART_MB = 33.554;
/** What one copy worker moves, and its memory. */
const COPY_MB_PER_S = 50;
const COPY_GB = 1;
const KB = 1e-6;

const lambda = (memoryGb: number, seconds: number, calls = 1) =>
  calls * (PRICES.lambdaCall + memoryGb * seconds * PRICES.lambdaGbSecond);
const transfer = (gb: number, putSizeMb: number) =>
  (COPY_GB * gb * 1000 * PRICES.lambdaGbSecond) / COPY_MB_PER_S + (gb * 1000 * PRICES.s3Put) / putSizeMb;

/** What the bridge costs. Units of DynamoDB, calls and sizes are those of docs/scale.md. */
export function bridgeCost({ gb, endpoints, polls }: Work): Cost {
  const further = Math.max(0, endpoints - 1);
  return {
    perRequest: {
      'registration: one call of the API, 20 write units':
        PRICES.apiCall + lambda(1, 0.05) + 20 * PRICES.writeUnit,
      [`polls: DynamoDB, ${polls} times 7 write units and 1 read unit`]:
        polls * (7 * PRICES.writeUnit + PRICES.readUnit),
      [`polls: SQS, ${polls} times 3 calls`]: polls * 3 * PRICES.sqsCall,
      [`polls: Lambda, ${polls} times 0.3 s of 512 MB`]: lambda(0.5, 0.3, polls),
      'polls: logs, 0.5 KB each': polls * 0.5 * KB * PRICES.logGb,
      [`events: DynamoDB, ${EVENTS} times 31 write units, and 12 for each further endpoint`]:
        EVENTS * (31 + 12 * further) * PRICES.writeUnit,
      [`events: Lambda and SQS, ${EVENTS} times, a delivery for each endpoint`]:
        EVENTS * (1 + endpoints) * (lambda(0.5, 0.2) + 3 * PRICES.sqsCall),
      'events: logs, 1 KB each and endpoint': EVENTS * (1 + endpoints) * KB * PRICES.logGb,
      [`copy: Lambda, ${gb} GB at ${COPY_MB_PER_S} MB/s with 1 GB of memory, and PUTs of parts`]: transfer(
        gb,
        PART_MB,
      ),
      'copy: DynamoDB, 60 write units': 60 * PRICES.writeUnit,
    },
    idlePerMonth: {
      'two secrets': 2 * PRICES.secret,
      '10 alarms, on one metric each': 10 * PRICES.alarmMetric,
      '5 queues with 5 pollers each': 5 * 5 * 3 * MINUTES * PRICES.sqsCall,
      // One that finds nothing overdue asks no queue and logs nothing.
      'ticks: Lambda, Scheduler, 2.5 read units':
        MINUTES * (lambda(0.5, 0.15) + PRICES.scheduled + 2.5 * PRICES.readUnit),
      "the table's key, for the tick": KEY_READS_PER_HOUR * HOURS * PRICES.keyCall,
    },
    runningPerMonth: {
      '7 metrics, by the hour in which they are written': 7 * PRICES.metric,
      'secrets, read twice a minute': 2 * MINUTES * PRICES.secretCall,
      "the table's key, for five more functions": 5 * KEY_READS_PER_HOUR * HOURS * PRICES.keyCall,
    },
  };
}

/** What others would cost for the same work: the same copies and one webhook an event and endpoint, without retries. */
export function alternatives(work: Work): Record<string, Cost> {
  const { minutes, gb, endpoints, requestsPerDay } = work;
  const copy = { 'copy, as the bridge does it': transfer(gb, PART_MB) };
  const webhooks = { 'webhooks: one invocation each': EVENTS * endpoints * lambda(0.5, 0.2) };
  const waits = Math.ceil((minutes * 60) / 30);
  const poll = lambda(0.25, 0.3);
  return {
    'Step Functions, a loop of 30 s': {
      perRequest: {
        [`${waits} rounds of three transitions`]: 3 * waits * PRICES.stateTransition,
        'polls: Lambda': waits * poll,
        ...webhooks,
        ...copy,
      },
      idlePerMonth: { 'one secret': PRICES.secret },
    },
    'Lambda durable functions, a wait of 30 s': {
      perRequest: {
        [`${waits} rounds of a step and a wait`]:
          2 * waits * (PRICES.durableOperation + KB * PRICES.durableGbWritten),
        'polls: Lambda, replay included': waits * lambda(0.25, 0.4),
        ...webhooks,
        ...copy,
      },
      idlePerMonth: { 'one secret': PRICES.secret },
    },
    'a scheduler that polls all every minute': {
      perRequest: {
        [`${minutes} polls: Lambda and 2 write units`]: minutes * (lambda(0.25, 0.3) + 2 * PRICES.writeUnit),
        ...webhooks,
        ...copy,
      },
      idlePerMonth: {
        'one secret': PRICES.secret,
        'a run every minute': MINUTES * (lambda(0.25, 0.1) + PRICES.scheduled),
      },
    },
    'a container and a database that always run': {
      perRequest: { 'PUTs of parts': (gb * 1000 * PRICES.s3Put) / PART_MB },
      idlePerMonth: {
        // One of 0.5 vCPU and 1 GB carries some ten copies at a time.
        'Fargate, 0.5 vCPU and 1 GB':
          HOURS *
          (0.5 * PRICES.fargateVcpuHour + PRICES.fargateGbHour) *
          Math.max(1, Math.ceil((requestsPerDay * gb * 1000) / COPY_MB_PER_S / 86_400 / 10)),
        'RDS, db.t4g.micro with 20 GB': HOURS * PRICES.databaseHour + 20 * PRICES.databaseGbMonth,
        'one secret': PRICES.secret,
      },
    },
  };
}

export const sum = (items: Items): number =>
  Object.values(items).reduce((total, dollars) => total + dollars, 0);

/** Of a month of this work, idle cost included, storage of videos not. */
export function perMonth(
  { perRequest, idlePerMonth, runningPerMonth = {} }: Cost,
  { requestsPerDay, minutes }: Work,
): number {
  const running = Math.min(1, (requestsPerDay * minutes) / MINUTES_PER_DAY);
  const requests = (requestsPerDay * 365) / 12;
  return sum(idlePerMonth) + running * sum(runningPerMonth) + requests * sum(perRequest);
}
