const RUNBOOK = 'docs/runbook.md';
const REMEDY = ' What to do: ';

/** The description of an alarm: what it means, and the section of the runbook that says what to do. */
export const alarmDescription = (meaning: string, section: string): string =>
  `${meaning}${REMEDY}${RUNBOOK}#${section}`;

/** What a description says; the whole runbook when it names no section. */
export function readAlarmDescription(description: string): { meaning: string; section: string } {
  const [meaning = '', section = RUNBOOK] = description.split(REMEDY);
  return { meaning, section };
}
