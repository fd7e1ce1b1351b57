import type { Reading } from './meter.ts';
import { combined, type Units, type Usage } from './usage.ts';

/** Requests that all went the same way, to their end, and what they consumed together. */
export type Scenario = Reading & {
  readonly requests: number;
  readonly polls: number;
  /** As the callbacks got them. */
  readonly events: number;
};

export const FEW_PARTS = 2;
/** Of a whole segment. */
export const SEGMENT_PARTS = 8;
/** Two segments of six and seven parts: for workers that fetch three at a time, they end at different moments. */
export const MORE_PARTS = 13;

/** Each differs from another by one kind of work. */
export type Scenarios = {
  /** Complete at the first poll; each video is below one part. */
  readonly once: Scenario;
  /** One more status. */
  readonly short: Scenario;
  /** The same statuses as `short`, and more polls. */
  readonly long: Scenario;
  /** As `once`, with a second receiver. */
  readonly twice: Scenario;
  /** One request each, whose video has {@link FEW_PARTS}, {@link SEGMENT_PARTS} and {@link MORE_PARTS}. */
  readonly parts: Scenario;
  readonly segment: Scenario;
  readonly segments: Scenario;
  /** As `parts`, and it takes between five and ten seconds. */
  readonly slow: Scenario;
};

/**
 * What each piece of work consumed. Throws when the scenarios do not tell it, because the machine was too busy.
 *
 * @param tick what one tick consumed
 */
export function unitsOf(scenarios: Scenarios, tick: Usage): Units {
  const { once, short, long, twice, parts, segment, segments, slow } = scenarios;
  const polls = long.polls - short.polls;
  const events = short.events - once.events;
  if (!(polls > 0 && events > 0 && long.events === short.events)) {
    throw new Error('The machine was too busy: polls missed statuses that they should have seen.');
  }
  const poll = combined([1 / polls, long.work], [-1 / polls, short.work]);
  const unpolled = (scenario: Scenario) => combined([1, scenario.work], [-scenario.polls, poll]);
  const event = combined([1 / events, unpolled(short)], [-1 / events, unpolled(once)]);
  const copyOf = (scenario: Scenario) => combined([1, unpolled(scenario)], [-scenario.events, event]);
  const more = SEGMENT_PARTS - FEW_PARTS;
  const part = combined([1 / more, copyOf(segment)], [-1 / more, copyOf(parts)]);
  const secondSegment = combined(
    [1, copyOf(segments)],
    [-1, copyOf(segment)],
    [SEGMENT_PARTS - MORE_PARTS, part],
  );
  return {
    registration: combined([1 / once.requests, once.api]),
    poll,
    event,
    furtherEndpoint: combined([1 / twice.events, unpolled(twice)], [-1 / twice.events, unpolled(once)]),
    copy: combined([1, copyOf(parts)], [-FEW_PARTS, part], [-1, secondSegment]),
    segment: secondSegment,
    part,
    beat: combined([1, copyOf(slow)], [-1, copyOf(parts)]),
    tick,
  };
}
