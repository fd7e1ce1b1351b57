import type { ExchangeError } from '../../lambdas/adapters/http/exchange-error.ts';
import type { Answer, Exchange } from '../../lambdas/adapters/http/safe-http.ts';
import { exchangeError, type Faults } from './faults.ts';
import type { Simulation } from './simulation.ts';

/** A webhook as a receiver got it, and how it answered. */
export type Received = {
  /** Virtual time. */
  readonly at: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Its answer, or the class of the failure that the sender saw in place of one. */
  readonly answer: number | string;
};

type Outcome = {
  readonly ms: number;
  readonly outcome: (Partial<Answer> & { statusCode: number }) | ExchangeError;
};
type Mood =
  | 'well'
  | 'slow'
  | 'flaky'
  | 'server errors'
  | 'client errors'
  | 'throttling'
  | 'redirects'
  | 'hanging'
  | 'refusing'
  | 'answers lost'
  | 'gone'
  | 'leaving';

const MOODS: readonly Mood[] = [
  'well',
  'well',
  'slow',
  'flaky',
  'server errors',
  'client errors',
  'throttling',
  'redirects',
  'hanging',
  'refusing',
  'answers lost',
];

export type Receivers = ReturnType<typeof createReceivers>;

/**
 * The far side of the webhooks. Each host has a mood, which changes while there are faults; a host that is steady
 * always answers well, a dead one not before it is revived.
 */
export function createReceivers(simulation: Simulation, faults: Faults) {
  const { random } = simulation;
  const received: Received[] = [];
  const moods = new Map<string, { mood: Mood; until: number }>();
  const fixed = new Map<string, Mood>();
  let revived = false;

  function moodOf(host: string): Mood {
    const ordered = fixed.get(host);
    if (ordered) return ordered;
    if (host.startsWith('steady')) return 'well';
    if (host.startsWith('dead') && faults.kinds.has('dead receiver') && !revived) return 'gone';
    if (!faults.has('bad receivers')) return 'well';
    const known = moods.get(host);
    if (known && known.until > simulation.now) return known.mood;
    const mood = random.pick(MOODS);
    moods.set(host, { mood, until: simulation.now + random.integer(1, 60) * 60_000 });
    return mood;
  }

  /** One webhook arrives; `ms` is how long the exchange takes. */
  function receive({ url, headers = {}, body = '' }: Exchange): Outcome {
    const { ms, outcome, arrives = true } = react(moodOf(new URL(url).hostname));
    const answer = outcome instanceof Error ? outcome.class : ms > 15_000 ? 'timeout' : outcome.statusCode;
    if (arrives)
      received.push({ at: simulation.now, url, headers: { ...headers }, body: String(body), answer });
    return { ms, outcome };
  }

  function react(mood: Mood): Outcome & { arrives?: boolean } {
    const quick = random.integer(5, 300);
    const status = (statusCode: number, ms = quick) => ({ ms, outcome: { statusCode } });
    switch (mood) {
      case 'well':
        return status(random.pick([200, 201, 204]));
      case 'slow':
        return status(200, random.integer(2_000, 14_000));
      case 'flaky':
        return status(random.chance(0.5) ? 200 : 500);
      case 'server errors':
        return status(random.pick([500, 502, 503, 504]));
      case 'client errors':
        return status(random.pick([400, 401, 404, 410]));
      case 'throttling': {
        const headers = { 'retry-after': String(random.integer(1, 600)) };
        return { ms: quick, outcome: { statusCode: 429, headers } };
      }
      case 'redirects':
        return {
          ms: quick,
          outcome: { statusCode: 302, headers: { location: 'https://elsewhere.example/' } },
        };
      case 'hanging':
        return status(200, 60_000);
      case 'refusing':
        return {
          ms: quick,
          outcome: exchangeError(random.pick(['connect_refused', 'dns', 'tls'])),
          arrives: false,
        };
      case 'answers lost':
        return { ms: quick, outcome: exchangeError(random.pick(['reset', 'timeout'])) };
      case 'gone':
        return status(500);
      case 'leaving':
        return status(410);
    }
  }

  /** From now on all hosts that are not told otherwise are well. */
  const revive = () => {
    revived = true;
    fixed.clear();
  };
  const setMood = (host: string, mood: Mood) => void fixed.set(host, mood);

  return { receive, received, revive, setMood };
}
