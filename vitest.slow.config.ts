import { defineConfig, mergeConfig } from 'vitest/config';
import config from './vitest.config.js';

/** Runs the files named *.slow.test.ts, too long for `npm test`, and every fuzzed property many times more often. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.slow.test.ts', 'test/fuzz/**/*.test.ts'],
      // properties that run many times more often take their time on a busy machine
      testTimeout: 600_000,
      env: { ASSAY_FUZZ_RUNS: process.env['ASSAY_FUZZ_RUNS'] ?? '10000' },
    },
  }),
);
