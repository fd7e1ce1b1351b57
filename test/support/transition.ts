import type { RequestRow } from '../../lambdas/domain/requests/request.ts';
import {
  type PollOutcome,
  type TransitionSettings,
  transition as transitionWith,
} from '../../lambdas/domain/requests/transition.ts';

/** What a deployment has by default. */
export const TRANSITION_SETTINGS: TransitionSettings = { notFoundMs: 600_000, pendingMs: 8 * 86_400_000 };

/** A transition by these settings. */
export const transition = (
  row: RequestRow,
  outcome: PollOutcome,
  now: number,
  { tellProgress = false }: { readonly tellProgress?: boolean | undefined } = {},
) => transitionWith(row, outcome, now, { tellProgress, settings: TRANSITION_SETTINGS });
