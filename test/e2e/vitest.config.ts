import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** The end-to-end suite: on the embedded host, or on the deployment that `SLUICE_E2E_TARGET` describes. */
export default defineConfig({
  root: join(import.meta.dirname, '..', '..'),
  test: {
    name: 'e2e',
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/global-setup.ts'],
    setupFiles: ['test/e2e/skip.ts'],
    testTimeout: 120_000,
    hookTimeout: 300_000,
    // The tests mostly wait, but each task that runs at the same time is an environment that has to be started first.
    maxConcurrency: 12,
    maxWorkers: 3,
    // After the other projects, where there are any: they would take its processor time.
    sequence: { groupOrder: 1 },
  },
});
