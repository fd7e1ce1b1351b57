import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The tests that take longest begin first, so that at the end no worker waits for one of them. */
const LONGEST =
  /test\/([^/]+\.test|faults|chaos|model|bench|examples|package|(local|console|client|cli)\/[^/]+\.test|lambdas\/(copy\/\w+-errors|deliver\/replay))/;

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    const isLong = ({ moduleId }: TestSpecification) => LONGEST.test(moduleId);
    return [...bySize.filter(isLong), ...bySize.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/bundles.ts', 'test/support/shared-folder.ts'],
    setupFiles: ['test/support/compile-cache.ts', 'test/support/lag-seed.ts'],
    // Machines of CI are shared, and DynamoDB Local takes several times as long as dynoxide.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // More than twice as many as CI's machines have cores: one or two workers usually wait, such as for the end of a lease.
    maxWorkers: 5,
    // Files share a worker, which imports the AWS SDK and the CDK once.
    isolate: false,
    unstubEnvs: true,
    sequence: { sequencer: LongestFirst },
    // Only what fails is printed.
    env: {
      POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? 'SILENT',
      POWERTOOLS_METRICS_DISABLED: 'true',
      // Reads of the tests' database lag behind its writes at random.
      BRIDGE_LAG_SEED: process.env.BRIDGE_LAG_SEED ?? String(Math.floor(Math.random() * 2 ** 31)),
    },
  },
});
