import { expect, test } from 'vitest';
import { alarmDescription, readAlarmDescription } from '../../../lambdas/domain/alarm-description.ts';

test('the description of an alarm is read as it was written', () => {
  expect(readAlarmDescription(alarmDescription('Work is parked.', 'parked'))).toEqual({
    meaning: 'Work is parked.',
    section: 'docs/runbook.md#parked',
  });
});

test('an alarm whose description names no section refers to the whole runbook', () => {
  expect(readAlarmDescription('Work is parked.')).toEqual({
    meaning: 'Work is parked.',
    section: 'docs/runbook.md',
  });
});
