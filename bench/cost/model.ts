import { largestCopy, MIN_PART_BYTES, planCopy } from '../../lambdas/domain/copying/copy-plan.ts';
import { BEAT_MS } from '../../lambdas/engine/lease.ts';
import { FREE_A_MONTH, PRICES } from './prices.ts';
import { combined, type Units, type Usage } from './usage.ts';

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
const KB = 1e-6;

/** Seven statuses of a job, and that its video is stored. Polls do not see each status, so it is often fewer. */
const EVENTS = 8;
/** The memory of each function as deployed, GB. */
export const MEMORY_GB = { api: 1, tick: 0.5, poll: 0.5, copy: 1, dispatch: 0.5, deliver: 0.5 };
/**
 * How long an invocation takes (s). A machine of one's own does not tell how long Lambda and the network of AWS take. A
 * poll waits for Topaz, and a delivery for its receiver.
 */
const POLL = { gb: MEMORY_GB.poll, seconds: 0.3 };
const DISPATCH = { gb: MEMORY_GB.dispatch, seconds: 0.2 };
const DELIVER = { gb: MEMORY_GB.deliver, seconds: 0.2 };
const API = { gb: MEMORY_GB.api, seconds: 0.05 };
const TICK = { gb: MEMORY_GB.tick, seconds: 0.15 };
/** Besides the time for the bytes. */
const COPY = { gb: MEMORY_GB.copy, seconds: 0.3 };
/** What one copy worker moves; others measured 71 MiB/s for a function. */
const COPY_MB_PER_S = 50;
/** No gateway runs locally, which would write a line of this size for each call of the API. */
const ACCESS_LOG_KB = 0.3;
/** DynamoDB keeps its table's key for each caller for about five minutes. An upper bound: AWS states no number of calls. */
const KEY_READS_PER_HOUR = 12;
/** The functions `poll` and `api` read a secret again after a minute. */
const SECRET_READS_PER_MINUTE = 2;
/** Of the mappings, which poll an empty queue for 20 s at a time with five pollers. */
const IDLE_RECEIVES_PER_MINUTE = 5 * 3;

/** What the dollars rest on that no local run can count. */
export const ASSUMED = [
  `${EVENTS} events a job; every poll finds progress`,
  'one message an invocation, as when jobs are few',
  `Lambda: ${POLL.seconds} s a poll, ${DISPATCH.seconds} s a fan-out, ${DELIVER.seconds} s a delivery, ` +
    `${API.seconds} s a call of the API, ${TICK.seconds} s a tick`,
  `a copy: ${COPY_MB_PER_S} MB/s, and ${COPY.seconds} s an invocation; segments that end at the same moment are not counted`,
  `${ACCESS_LOG_KB} KB of access log a call of the API`,
  'all that costs while nothing happens, but the reads of a tick: alarms, secrets, empty queues, keys, metrics',
];

const lambda = ({ gb, seconds }: { gb: number; seconds: number }, calls = 1) =>
  calls * (PRICES.lambdaCall + gb * seconds * PRICES.lambdaGbSecond);
/** For how long copy workers move so much, s. */
const movingSeconds = (gb: number) => (gb * 1000) / COPY_MB_PER_S;
const moving = (gb: number) => COPY.gb * movingSeconds(gb) * PRICES.lambdaGbSecond;

const dynamodb = ({ writeUnits, readUnits }: Usage) =>
  writeUnits * PRICES.writeUnit + readUnits * PRICES.readUnit;
const invocations = ({ pollRuns, copyRuns, dispatchRuns, deliverRuns }: Usage) =>
  lambda(POLL, pollRuns) +
  lambda(COPY, copyRuns) +
  lambda(DISPATCH, dispatchRuns) +
  lambda(DELIVER, deliverRuns);
const logs = ({ logBytes }: Usage) => (logBytes / 1000) * KB * PRICES.logGb;

/** What each service bills for a usage, with how much of it there is. */
function itemsOf(work: string, usage: Usage): Items {
  const { writeUnits, readUnits, sqsCalls, s3Writes, s3Reads, logBytes } = usage;
  const runs = usage.pollRuns + usage.copyRuns + usage.dispatchRuns + usage.deliverRuns;
  const items = {
    [`DynamoDB, ${tenths(writeUnits)} write and ${tenths(readUnits)} read units`]: dynamodb(usage),
    [`SQS, ${tenths(sqsCalls)} calls`]: sqsCalls * PRICES.sqsCall,
    [`S3, ${tenths(s3Writes)} PUTs and lists`]: s3Writes * PRICES.s3Put + s3Reads * PRICES.s3Get,
    [`Lambda, ${tenths(runs)} invocations`]: invocations(usage),
    [`logs, ${tenths(logBytes / 1000)} KB`]: logs(usage),
  };
  const billed = Object.entries(items).filter(([, dollars]) => dollars > 0);
  return Object.fromEntries(billed.map(([name, dollars]) => [`${work}: ${name}`, dollars]));
}

/** What a video of so many GB consumes on its way to the bucket. */
function copyOf(gb: number, { copy, segment, part, beat }: Units): Usage {
  const { segments, parts } = planOf(gb);
  return combined(
    [1, copy],
    [segments, segment],
    [parts, part],
    [(1000 * movingSeconds(gb)) / BEAT_MS, beat],
  );
}

const PARTS = { memoryMiB: COPY.gb * 1024, minPartBytes: MIN_PART_BYTES };
const planOf = (gb: number) => planCopy(gb * 1e9, PARTS);
/** The largest video that is copied, GB. */
export const LARGEST_GB = largestCopy(PARTS) / 1e9;

/**
 * What the bridge costs.
 *
 * @param units what was counted in a local run
 */
export function bridgeCost({ gb, endpoints, polls }: Work, units: Units): Cost {
  const further = Math.max(0, endpoints - 1);
  const copy = copyOf(gb, units);
  return {
    perRequest: {
      'registration: one call of the API': PRICES.apiCall + lambda(API) + ACCESS_LOG_KB * KB * PRICES.logGb,
      ...itemsOf('registration', units.registration),
      ...itemsOf('polls', combined([polls, units.poll])),
      ...itemsOf('events', combined([EVENTS, units.event], [EVENTS * further, units.furtherEndpoint])),
      [`copy: Lambda, ${gb} GB at ${COPY_MB_PER_S} MB/s with 1 GB of memory`]: moving(gb),
      ...itemsOf('copy', copy),
    },
    idlePerMonth: Object.fromEntries(
      Object.entries(idleOf(units)).map(([item, billed]) => [item, dollarsOf(billed)]),
    ),
    runningPerMonth: {
      '7 metrics, by the hour in which they are written': 7 * PRICES.metric,
      'secrets, read twice a minute': SECRET_READS_PER_MINUTE * MINUTES * PRICES.secretCall,
      "the table's key, for five more functions": 5 * KEY_READS_PER_HOUR * HOURS * PRICES.keyCall,
    },
  };
}

/** How much of what AWS bills, by its price. */
type Billed = Partial<Record<keyof typeof PRICES, number>>;

const dollarsOf = (billed: Billed): number =>
  Object.entries(billed).reduce(
    (total, [price, amount]) => total + amount * PRICES[price as keyof Billed],
    0,
  );

/** What a deployment in which nothing happens consumes in a month, by item. */
function idleOf({ tick }: Units): Record<string, Billed> {
  return {
    'two secrets': { secret: 2 },
    '11 alarms, on one metric each': { alarmMetric: 11 },
    '5 queues with 5 pollers each': { sqsCall: 5 * IDLE_RECEIVES_PER_MINUTE * MINUTES },
    // One that finds nothing overdue asks no queue and logs nothing.
    [`ticks: Lambda, Scheduler, ${tenths(tick.readUnits)} read units`]: {
      lambdaCall: MINUTES,
      lambdaGbSecond: MINUTES * TICK.gb * TICK.seconds,
      scheduled: MINUTES,
      readUnit: MINUTES * tick.readUnits,
      writeUnit: MINUTES * tick.writeUnits,
      logGb: (MINUTES * tick.logBytes) / 1e9,
    },
    "the table's key, for the tick": { keyCall: KEY_READS_PER_HOUR * HOURS },
  };
}

/** What a deployment in which nothing happens costs a month in an account that uses AWS's free amounts for nothing else. */
export function idleAfterFreeAmounts(units: Units): number {
  const total: Billed = {};
  for (const billed of Object.values(idleOf(units))) {
    for (const [name, amount] of Object.entries(billed)) {
      const price = name as keyof Billed;
      total[price] = (total[price] ?? -(FREE_A_MONTH[price] ?? 0)) + amount;
    }
  }
  return dollarsOf(
    Object.fromEntries(Object.entries(total).map(([price, rest]) => [price, Math.max(0, rest)])),
  );
}

/** Dollars of one piece of work, with all that it causes: what the dashboard multiplies. */
export function costOfEach(units: Units) {
  const dollars = (usage: Usage) => sum(itemsOf('', usage));
  const gb = 1;
  const delivery = dollars(units.furtherEndpoint);
  return {
    poll: dollars(units.poll),
    /** Until it is fanned out. */
    event: dollars(units.event) - delivery,
    /** To one receiver. */
    delivery,
    /** What does not depend on the video's size. */
    copy: dollars(units.copy),
    gbCopied: (moving(gb) + dollars(copyOf(gb, units)) - dollars(units.copy)) / gb,
  };
}

/** What others would cost for the same work: the same copies and one webhook an event and endpoint, without retries. */
export function alternatives(work: Work): Record<string, Cost> {
  const { minutes, gb, endpoints, requestsPerDay } = work;
  const puts = planOf(gb).parts * PRICES.s3Put;
  const copy = { 'copy: Lambda and PUTs of parts, as of the bridge': moving(gb) + puts };
  const webhooks = { 'webhooks: one invocation each': EVENTS * endpoints * lambda(DELIVER) };
  const waits = Math.ceil((minutes * 60) / 30);
  const poll = lambda({ gb: 0.25, seconds: 0.3 });
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
        'polls: Lambda, replay included': waits * lambda({ gb: 0.25, seconds: 0.4 }),
        ...webhooks,
        ...copy,
      },
      idlePerMonth: { 'one secret': PRICES.secret },
    },
    'a scheduler that polls all every minute': {
      perRequest: {
        [`${minutes} polls: Lambda and 2 write units`]: minutes * (poll + 2 * PRICES.writeUnit),
        ...webhooks,
        ...copy,
      },
      idlePerMonth: {
        'one secret': PRICES.secret,
        'a run every minute': MINUTES * (lambda({ gb: 0.25, seconds: 0.1 }) + PRICES.scheduled),
      },
    },
    'a container and a database that always run': {
      perRequest: { 'PUTs of parts': puts },
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

const tenths = (value: number): string => String(Math.round(value * 10) / 10);
