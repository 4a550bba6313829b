import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { runParity } from '../../src/parity/index.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures');

const folders = (await readdir(FIXTURES)).sort();

beforeAll(() => startBackend());

describe('parity with transformers', () => {
  it.each(folders)('%s', async (folder) => {
    const before = tf.memory().numTensors;
    const { comparisons } = await runParity(join(FIXTURES, folder));
    const failures = comparisons.filter(({ ok }) => !ok);
    expect(failures).toEqual([]);
    expect(comparisons.length).toBeGreaterThan(0);
    expect(tf.memory().numTensors).toBe(before);
  });
});
