import { EXIT, Failure, usageError } from '../frame/failure.ts';
import type { Session } from './session.ts';

/**
 * Asks before something that cannot be undone.
 *
 * @throws {Failure} the person said no, or there is no terminal to ask at
 */
export async function confirm(session: Session, yes: boolean | undefined, question: string): Promise<void> {
  if (yes) return;
  const { process, signal } = session;
  if (!process.stdin.isTTY || !session.out.terminal)
    throw usageError('This asks before it begins, and there is no terminal to ask on: give --yes.');
  const { confirm: ask, isCancel } = await import('@clack/prompts');
  const answer = await ask({ message: question, initialValue: false, signal });
  if (isCancel(answer) || !answer) throw new Failure('Nothing was changed.', EXIT.interrupted);
}
