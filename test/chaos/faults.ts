import { ExchangeError } from '../../lambdas/adapters/http/exchange-error.ts';
import type { Random } from './random.ts';
import type { Fate, Simulation } from './simulation.ts';

/** Whole kinds of faults, each of which a seed has or has not. */
export const FAULT_KINDS = [
  'throttled calls',
  'failing calls',
  'lost answers',
  'hanging calls',
  'conflicts',
  'outages',
  'killed workers',
  'frozen workers',
  'wrong clocks',
  'jumping clocks',
  'lost messages',
  'doubled messages',
  'late messages',
  'lagging reads',
  'missed ticks',
  'bad receivers',
  'dead receiver',
  'upstream faults',
  'download faults',
  'users',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** The most that the clocks of two workers may differ, ms. */
export const CLOCKS_APART_MS = 60_000;

/** What a seed has of each kind. Faults end when `over` is set. */
export type Faults = {
  readonly kinds: ReadonlySet<FaultKind>;
  has(kind: FaultKind): boolean;
  /** True in so many of all cases, while the kind is on and faults are not over. */
  strikes(kind: FaultKind, probability: number): boolean;
  /** How a call to an AWS service goes. */
  awsCall(service: 'dynamodb' | 's3' | 'sqs', call: AwsFaults): Fate;
  stop(): void;
};

/** The answers that a service gives for its own failures. */
export type AwsFaults = {
  readonly throttled: () => unknown;
  readonly failed: () => unknown;
  /** Only of a call that writes: another transaction is on the row. */
  readonly conflict?: () => unknown;
};

const SOCKET_TIMEOUT_MS = 10_000;

/** Chooses for a seed which kinds of faults there are, and how often they strike. */
export function chooseFaults(simulation: Simulation, random: Random, only?: readonly FaultKind[]): Faults {
  const share = random.pick([0.25, 0.5, 0.75, 1]);
  const chosen = FAULT_KINDS.filter(() => random.chance(share));
  const kinds = new Set(only ?? chosen);
  const level = random.pick([0.5, 1, 3, 6]);
  let over = false;
  let outage = { from: 0, until: 0 };
  const { random: dice } = simulation;

  const has = (kind: FaultKind) => kinds.has(kind) && !over;
  const strikes = (kind: FaultKind, probability: number) => has(kind) && dice.chance(probability * level);

  function isOut(): boolean {
    if (!has('outages')) return false;
    if (simulation.now >= outage.until) {
      const from = simulation.now + dice.integer(10, 90) * 60_000;
      outage = { from, until: from + dice.integer(5, 240) * 1_000 };
    }
    return simulation.now >= outage.from;
  }

  function awsCall(service: 'dynamodb' | 's3' | 'sqs', call: AwsFaults): Fate {
    const usual = { there: dice.integer(1, 8), back: dice.integer(1, 8) };
    if (over) return usual;
    if (isOut() && service !== 's3')
      return { ...usual, before: dice.chance(0.5) ? call.failed : call.throttled };
    if (strikes('throttled calls', 0.01)) return { ...usual, before: call.throttled };
    if (strikes('failing calls', 0.01)) {
      return { ...usual, before: dice.chance(0.5) ? call.failed : () => connectionError('ECONNRESET') };
    }
    if (strikes('lost answers', 0.01)) {
      return { ...usual, after: dice.chance(0.5) ? call.failed : () => connectionError('ECONNRESET') };
    }
    if (strikes('hanging calls', 0.003)) {
      const hang = { there: usual.there, back: SOCKET_TIMEOUT_MS };
      return dice.chance(0.5)
        ? { ...hang, before: () => connectionError('ETIMEDOUT') }
        : { ...hang, after: () => connectionError('ETIMEDOUT') };
    }
    if (call.conflict && strikes('conflicts', 0.02)) return { ...usual, before: call.conflict };
    // Now and then a call takes long, so that others overtake it.
    return dice.chance(0.02) ? { ...usual, there: dice.integer(50, 3_000) } : usual;
  }

  return {
    kinds,
    has,
    strikes,
    awsCall,
    stop: () => {
      over = true;
    },
  };
}

function connectionError(code: string): Error {
  const error = Object.assign(new Error(`the connection failed: ${code}`), { code });
  if (code === 'ETIMEDOUT') error.name = 'TimeoutError';
  return error;
}

/** The failures of an exchange with a receiver, in the order of their likelihood. */
export const exchangeError = (name: ConstructorParameters<typeof ExchangeError>[0]): ExchangeError =>
  new ExchangeError(name, `simulated: ${name}`);
