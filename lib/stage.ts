import { Construct } from 'constructs';
import type { Lane } from '../lambdas/domain/work.ts';
import { BridgeFunction, type BridgeFunctionProps } from './bridge-function.ts';
import type { DeadLetters } from './dead-letters.ts';
import { LaneQueue, type LaneQueueProps } from './lane-queue.ts';

type StageProps = BridgeFunctionProps & {
  /** What wakes the stage. */
  readonly lanes: Partial<Record<Lane, Pick<LaneQueueProps, 'batchSize' | 'maxConcurrency'>>>;
  /** Where messages of its lanes go that fail ten times. */
  readonly deadLetters: DeadLetters;
};

/** A stage that is woken by SQS: one function with a queue per lane. */
export class Stage extends Construct {
  readonly fn: BridgeFunction;
  readonly queues: readonly LaneQueue[];

  constructor(scope: Construct, id: string, { lanes, deadLetters, ...props }: StageProps) {
    super(scope, id);
    this.fn = new BridgeFunction(this, 'Function', props);
    this.queues = Object.entries(lanes).map(
      ([lane, wake]) =>
        new LaneQueue(this, `${pascalCase(lane)}Lane`, {
          lane: lane as Lane,
          worker: this.fn,
          deadLetters,
          ...wake,
        }),
    );
  }

  /** Lets the functions wake this stage, by all of its lanes. */
  grantHints(...fns: BridgeFunction[]): void {
    for (const { lane } of this.queues) this.grantLane(lane, ...fns);
  }

  /** Lets the functions wake this stage by one of its lanes. */
  grantLane(lane: Lane, ...fns: BridgeFunction[]): void {
    const queue = this.queues.find((each) => each.lane === lane);
    if (!queue) throw new Error(`The stage ${this.node.path} has no lane ${lane}.`);
    for (const fn of fns) queue.grantHints(fn);
  }
}

function pascalCase(lane: string): string {
  return lane.replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
}
