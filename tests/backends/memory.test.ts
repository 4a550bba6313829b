/** Training takes memory once: neither tensors nor the heap, nor what a native library holds, grow with the steps. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { createRng } from '../../src/core/index.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { adamW, train, trainable } from '../../src/training/index.ts';
import { HAS_NATIVE } from './same.ts';

const STEPS = 1000;

it.for(['wasm', 'tensorflow'])(
  `on %s it does not grow over ${STEPS} steps`,
  { timeout: 240_000 },
  async (backend, { skip }) => {
    if (backend === 'tensorflow' && !HAS_NATIVE)
      skip('no tensorflow backend with kernels here: npx lab backend install tensorflow');
    await startBackend(backend);
    const config = {
      model_type: 'gpt2',
      vocab_size: 31,
      n_positions: 8,
      n_embd: 12,
      n_layer: 2,
      n_head: 3,
      resid_pdrop: 0,
      embd_pdrop: 0,
      attn_pdrop: 0,
    };
    const drawn = architectureOf(config, 'GPT2LMHeadModel').create(config, createRng(1));
    const params = drawn.params;
    if (typeof params !== 'object' || params === null) throw new Error('a model without parameters');
    const variables = trainable(params);
    const model = drawn.withParameters(variables);
    const rng = createRng(2);
    const batch = Array.from({ length: 4 }, () => Array.from({ length: 8 }, () => rng.integer(31)));
    const seen: { tensors: number; held: number; heapBytes: number; residentBytes: number }[] = [];
    await train({
      params: variables,
      loss: () => {
        const ids = tf.tensor2d(batch, [4, 8], 'int32');
        const { loss } = model.forward({ inputIds: ids, labels: ids });
        if (loss === undefined) throw new Error('a model without a loss');
        return loss;
      },
      batches: () => [0],
      optimizer: adamW(),
      schedule: 1e-3,
      steps: STEPS,
      reportEvery: 100,
      progress: false,
      onStep: ({ step }) => {
        if (step % 100 === 0) seen.push({ tensors: tf.memory().numTensors, ...bytesInUse() });
      },
    });
    expect(seen).toHaveLength(STEPS / 100);
    expect(new Set(seen.map(({ tensors }) => tensors)).size).toBe(1);
    expect(new Set(seen.map(({ held }) => held)).size).toBe(1);
    // The history of the steps is all that may be added.
    const grown = (seen.at(-1)?.heapBytes ?? Number.NaN) - (seen[0]?.heapBytes ?? Number.NaN);
    expect(grown).toBeLessThan(5 * 2 ** 20);
    // V8 takes pages in leaps, of which a run sees one or two; what leaks is there in every hundred of steps.
    const leaps = seen
      .slice(1)
      .map(({ residentBytes }, i) => residentBytes - (seen[i]?.residentBytes ?? Number.NaN));
    const median = leaps.sort((a, b) => a - b)[Math.floor(leaps.length / 2)];
    expect(median).toBeLessThan(2 * 2 ** 20);
  },
);

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

/**
 * What the backend holds (bytes of the WebAssembly module, tensors of TensorFlow’s library), what JavaScript still holds,
 * and what the process has of the machine's memory.
 */
function bytesInUse(): { held: number; heapBytes: number; residentBytes: number } {
  if (typeof collectGarbage !== 'function') throw new Error('garbage cannot be collected here');
  collectGarbage();
  const { heapUsed, rss } = process.memoryUsage();
  return { held: heldBy(tf.backend()), heapBytes: heapUsed, residentBytes: rss };
}

function heldBy(backend: tf.KernelBackend): number {
  if (backend instanceof BackendWasm) {
    const heap: unknown = 'HEAPU8' in backend.wasm ? backend.wasm.HEAPU8 : undefined;
    if (!(heap instanceof Uint8Array)) throw new Error('the module shows no heap');
    return heap.length;
  }
  if (!('getNumOfTFTensors' in backend) || typeof backend.getNumOfTFTensors !== 'function') {
    throw new Error('a backend that does not say what it holds');
  }
  return Number(backend.getNumOfTFTensors());
}
