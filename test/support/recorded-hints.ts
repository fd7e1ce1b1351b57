import type { Hint, Lane } from '../../lambdas/domain/work.ts';

/** Stands in for the queues: keeps the hints that were sent. */
export type RecordedHints = ReturnType<typeof recordHints>;

export function recordHints() {
  const sent: { lane: Lane; hint: Hint }[] = [];
  return {
    sent,
    send: async (lane: Lane, hints: readonly Hint[]): Promise<void> => {
      sent.push(...hints.map((hint) => ({ lane, hint })));
    },
    sendPacked: async (lane: Lane, messages: readonly { hints: readonly Hint[] }[]): Promise<void> => {
      sent.push(...messages.flatMap(({ hints }) => hints.map((hint) => ({ lane, hint }))));
    },
    /** The hints of a lane since the last call of `clear`. */
    of: (lane: Lane): Hint[] => sent.filter((entry) => entry.lane === lane).map(({ hint }) => hint),
    clear: (): void => {
      sent.length = 0;
    },
  };
}
