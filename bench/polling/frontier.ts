import { type Result, replay, type Schedule } from './replay.ts';
import { bridge, every, growing } from './schedules.ts';
import type { Trace } from './trace.ts';

/** A schedule at one setting of its dial. */
export type Point = { label: string; result: Result };
export type Curve = { name: string; points: Point[] };

const prices = [0.1, 0.2, 0.4, 0.9, 2, 4, 8, 16, 32];
const intervals = [5, 10, 15, 20, 30, 45, 60, 90, 120];

/** Polls against lateness: each family of schedules along its dial. */
export function frontier(traces: readonly Trace[]): Curve[] {
  const curve = (name: string, dial: readonly number[], at: (value: number) => Schedule): Curve => ({
    name,
    points: dial.map((value) => ({ label: `${value} s`, result: replay(traces, at(value)) })),
  });
  return [
    curve('fixed interval', intervals, every),
    curve('5 s x 1.5 up to a longest', intervals, growing),
    curve('bridge, by the price of a poll', prices, (price) => bridge(price)),
  ];
}
