import { logLogistic, remaining } from '../../lambdas/domain/polling/schedule/waiting-time.ts';
import type { Schedule } from './replay.ts';
import type { Answer } from './trace.ts';

/** The interval after an answer, from the age of its status (seconds since it was first seen). */
const byAge =
  (interval: (answer: Answer, age: number) => number): Schedule =>
  () => {
    let status = '';
    let since = 0;
    return (answer, at) => {
      if (answer.status !== status) since = at;
      status = answer.status;
      return at + interval(answer, at - since);
    };
  };

const moving = ({ progress = 0 }: Answer): boolean => progress > 0 && progress < 100;

/** First sketch: half of the time that progress says is left, else the estimate; otherwise a quarter of the age. */
export const halfOfTheRest = byAge((answer, age) => {
  const { status, progress = 0, estimates } = answer;
  let interval = age / 4;
  if (status === 'processing' && moving(answer)) interval = (age * (100 - progress)) / progress / 2;
  else if (status === 'processing' && estimates?.time) {
    const [low, high] = estimates.time;
    interval = Math.abs((low + high) / 2 - age) / 2;
  }
  return Math.min(60, Math.max(5, interval));
});

/** Median seconds and shape of each stage. */
const stages: Record<string, [median: number, shape: number]> = {
  requested: [2.5, 2],
  accepted: [2.5, 1.2],
  initializing: [50, 3],
  preprocessing: [30, 2.2],
  postprocessing: [6, 3.5],
};

/**
 * Better sketch: the expected lateness since the last poll, from the age, the estimate and progress alone. It
 * may reach 1 s in the last two stages and 3 s before; both sketches are rebuilt from the figures known of them.
 */
export const expectedLateness = byAge((answer, age) => {
  const { status, progress = 0, estimates } = answer;
  const [low, high] = estimates?.time ?? [];
  let stage = stages[status] ?? [8, 2];
  if (status === 'processing') stage = low && high ? [0.75 * Math.sqrt(low * high), 2] : [300, 1.2];
  if (status === 'processing' && moving(answer)) stage = [(age * 100) / progress, 3];
  const chance = remaining(logLogistic(...stage), [age, age]);
  const bearable = status.endsWith('processing') && status !== 'preprocessing' ? 1 : 3;
  let lateness = 0;
  let interval = 0;
  for (; interval < 600 && lateness < bearable; interval++) lateness += chance(interval + 0.5);
  return Math.max(1, interval);
});
