import { defineConfig } from 'vitest/config';

/** The tests that mutants are tried against (stryker.config.json): those of the folders that are mutated. */
export default defineConfig({
  test: {
    include: ['test/lambdas/{domain,engine}/**/*.test.ts'],
    testTimeout: 30_000,
    isolate: false,
    env: { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' },
  },
});
