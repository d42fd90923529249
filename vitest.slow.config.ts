import { defineConfig, mergeConfig } from 'vitest/config';
import config from './vitest.config.js';

/** What is too long for `npm test`: files named *.slow.test.ts, and every fuzzed property many times more often. */
export default mergeConfig(
  { ...config, test: { ...config.test, include: [], exclude: [] } },
  defineConfig({
    test: {
      include: ['test/**/*.slow.test.ts', 'test/fuzz/**/*.test.ts'],
      env: { ASSAY_FUZZ_RUNS: process.env['ASSAY_FUZZ_RUNS'] ?? '10000' },
    },
  }),
);
