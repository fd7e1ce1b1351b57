import type { Condition, Write } from '../../lambdas/adapters/dynamodb/expression.ts';

/** A row in the model: its attributes but the key; undefined when there is none. */
export type ModelRow = Readonly<Record<string, unknown>> | undefined;

/**
 * What DynamoDB makes of an update or a deletion: the row after it, or `refused` when a condition does not hold. The
 * model runs the code's own writes through it, so that model and code cannot part.
 */
export function applyWrite(row: ModelRow, write: Write): ModelRow | 'refused' {
  if (!(write.if ?? []).every((clause) => holds(row, clause))) return 'refused';
  if ('delete' in write) return undefined;
  if (!('update' in write)) throw new Error('the model knows updates and deletions only');
  const after: Record<string, unknown> = { ...row };
  for (const [name, value] of Object.entries(write.setIfAbsent ?? {})) after[name] ??= value;
  for (const [name, value] of Object.entries(write.set ?? {})) if (value !== undefined) after[name] = value;
  for (const [name, value] of Object.entries(write.add ?? {}))
    after[name] = ((after[name] as number) ?? 0) + value;
  for (const name of write.remove ?? []) delete after[name];
  return after;
}

function holds(row: ModelRow, { attribute, is, value }: Condition): boolean {
  const actual = row?.[attribute] as never;
  if (is === 'absent') return actual === undefined;
  if (is === 'present') return actual !== undefined;
  if (actual === undefined) return false;
  if (is === '=') return actual === value;
  if (is === '<') return actual < (value as never);
  if (is === '<=') return actual <= (value as never);
  return is === '>' ? actual > (value as never) : actual >= (value as never);
}
