import { expect, test } from 'vitest';
import { timeTaken } from '../../../console/request/time-taken.ts';

const at = (second: number) => new Date(Date.UTC(2026, 10, 23, 20, 0, second)).toISOString();
const ended = [
  { status: 'registered', at: at(0), until: at(5) },
  { status: 'processing', at: at(5), until: at(30) },
  { status: 'complete', at: at(30) },
];

test('a restart of a job that has ended does not change how long the job took', () => {
  const restarted = [
    ...ended,
    { status: 'registered', at: at(50), until: at(52) },
    { status: 'complete', at: at(52) },
  ];
  expect([ended, restarted].map((statuses) => timeTaken({ statuses }))).toEqual([25_000, 25_000]);
});

test('a job that goes on, or is lost, has taken no time yet', () => {
  const processing = ended.slice(0, 2);
  const lost = [...processing, { status: 'lost', at: at(40) }];
  expect([processing, lost].map((statuses) => timeTaken({ statuses }))).toEqual([undefined, undefined]);
});
