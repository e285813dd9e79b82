import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Tests wait for disks and child processes, too: more of them than processors.
    pool: 'threads',
    // A worker loads each module once, not once a file: tests leave nothing behind in modules or globals.
    isolate: false,
    maxWorkers: Math.ceil(1.5 * availableParallelism()),
    include: ['__tests__/**/*.test.ts'],
    // A test that looks at nothing passes whatever happens.
    expect: { requireAssertions: true },
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: {
      include: ['src/**/*.ts'],
      reporter: ['text-summary', 'html', ['text', { skipFull: true, maxCols: 120 }]],
      // What decides has no path that no test walks. The bundle's tests run in processes of their own and do not count.
      thresholds: { 'src/core/**': { branches: 100 } },
    },
  },
});
