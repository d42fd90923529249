import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/**/*.slow.test.ts'],
    pool: 'forks',
    // more than the cores that CI has: tests of servers and limits mostly wait
    maxWorkers: 3,
    // files that run in one process load the sources and bundle the workflows once
    isolate: false,
    testTimeout: 120_000,
    hookTimeout: 240_000,
    globalSetup: ['test/servers.ts'],
  },
});
