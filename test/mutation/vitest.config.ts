import { defineConfig } from 'vitest/config';

/** The tests that mutants are tried against: those of the folders that stryker.config.json has mutated. */
export default defineConfig({
  test: {
    include: ['test/lambdas/{domain,engine}/**/*.test.ts'],
    testTimeout: 30_000,
    isolate: false,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
