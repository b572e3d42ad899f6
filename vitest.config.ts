import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // They have a configuration of their own: they need a platform that runs.
    exclude: ['test/e2e/**'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});
