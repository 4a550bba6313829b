import { defineConfig } from 'vitest/config';
import { SlowFirst } from './src/cli/testing/slow-first.ts';

/**
 * One process a test file (native backends and WebAssembly threads do not share a process well), two at a time:
 * the machines this runs on have two cores.
 */
export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: SlowFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
