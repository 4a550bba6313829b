/** Training and decoding on a GPU: nothing is read synchronously, and nothing grows. */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { createRng } from '../../src/core/index.ts';
import type { Model } from '../../src/models/index.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { adamW, type StepReport, train, trainable } from '../../src/training/index.ts';
import { skipWithoutGpu } from './gpu.ts';

const GPT = {
  model_type: 'gpt2',
  vocab_size: 31,
  n_positions: 48,
  n_embd: 12,
  n_layer: 2,
  n_head: 3,
  resid_pdrop: 0.1,
  embd_pdrop: 0,
  attn_pdrop: 0,
  bos_token_id: 0,
  eos_token_id: 30,
};

const LLAMA = {
  model_type: 'llama',
  vocab_size: 31,
  hidden_size: 12,
  num_hidden_layers: 2,
  num_attention_heads: 6,
  num_key_value_heads: 3,
  head_dim: 4,
  intermediate_size: 20,
  max_position_embeddings: 48,
  bos_token_id: 0,
  eos_token_id: 30,
};

interface Trained {
  history: StepReport[];
  model: Model;
  dispose: () => void;
}

async function trainSome(
  backend: string,
  [config, className]: [Record<string, unknown>, string],
  steps: number,
  onStep: (report: StepReport) => void = () => undefined,
): Promise<Trained> {
  await startBackend(backend);
  const drawn = architectureOf(config, className).create(config, createRng(1));
  if (typeof drawn.params !== 'object' || drawn.params === null)
    throw new Error('a model without parameters');
  const variables = trainable(drawn.params);
  const model = drawn.withParameters(variables);
  const rng = createRng(2);
  const batch = Array.from({ length: 4 }, () => Array.from({ length: 9 }, () => rng.integer(31)));
  const optimizer = adamW();
  const { history } = await train({
    params: variables,
    loss: (_, __, step) => {
      const ids = tf.tensor2d(batch, [4, 9], 'int32');
      const { loss } = model.forward({ inputIds: ids, labels: ids }, { rng: createRng(`dropout ${step}`) });
      if (loss === undefined) throw new Error('a model without a loss');
      return loss;
    },
    batches: () => [0],
    optimizer,
    schedule: 1e-2,
    clipNorm: 1,
    steps,
    reportEvery: 4,
    progress: false,
    onStep,
  });
  const dispose = (): void => {
    optimizer.dispose();
    model.dispose();
    drawn.dispose();
  };
  return { history, model, dispose };
}

const PROMPTS = {
  inputIds: [
    [3, 1, 4, 1],
    [5, 9, 2, 6],
  ],
  attentionMask: [
    [0, 1, 1, 1],
    [1, 1, 1, 1],
  ],
};

const WAYS = {
  greedy: { doSample: false, numBeams: 1 },
  sampling: { doSample: true, numBeams: 1, seed: 5 },
  'beam search': { doSample: false, numBeams: 3 },
};

describe.each([
  ['gpt2', GPT, 'GPT2LMHeadModel'],
  ['llama', LLAMA, 'LlamaForCausalLM'],
] as const)('%s', (_, config, className) => {
  it('trains and decodes as on wasm, without a synchronous read', { timeout: 120_000 }, async (context) => {
    skipWithoutGpu(context);
    const expected = await trainSome('wasm', [config, className], 6);
    const texts = new Map<string, unknown>();
    for (const [name, options] of Object.entries(WAYS)) {
      texts.set(name, await expected.model.generate?.(PROMPTS, { ...options, maxNewTokens: 12 }));
    }
    await startBackend('webgpu');
    const readSync = vi.spyOn(tf.backend(), 'readSync').mockImplementation(() => {
      throw new Error('a synchronous read');
    });
    const { history, model, dispose } = await trainSome('webgpu', [config, className], 6);
    for (const [i, { loss, gradientNorm }] of history.entries()) {
      expect(loss).toBeCloseTo(expected.history[i]?.loss ?? Number.NaN, 4);
      expect(gradientNorm).toBeCloseTo(expected.history[i]?.gradientNorm ?? Number.NaN, 3);
    }
    for (const [name, options] of Object.entries(WAYS)) {
      expect(await model.generate?.(PROMPTS, { ...options, maxNewTokens: 12 }), name).toEqual(
        texts.get(name),
      );
    }
    dispose();
    readSync.mockRestore();
  });
});

describe('a training step', () => {
  it('takes a fifth of the dispatches that its formulas would', { timeout: 120_000 }, async (context) => {
    skipWithoutGpu(context);
    await startBackend('webgpu');
    const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
    const run = vi.spyOn(WebGPUBackend.prototype, 'runWebGPUProgram');
    const counts: number[] = [];
    // Reported every fourth step: the difference of two reports is four steps.
    const { dispose } = await trainSome('webgpu', [GPT, 'GPT2LMHeadModel'], 8, ({ step }) => {
      if (step % 4 === 0) counts.push(run.mock.calls.length);
    });
    dispose();
    run.mockRestore();
    const [first = 0, second = 0] = counts;
    expect((second - first) / 4).toBeLessThan(320);
  });
});

describe('memory', () => {
  it('does not grow over training steps', { timeout: 120_000 }, async (context) => {
    skipWithoutGpu(context);
    const seen: object[] = [];
    const { dispose } = await trainSome('webgpu', [GPT, 'GPT2LMHeadModel'], 24, ({ step }) => {
      if (step % 4 === 0) seen.push(tf.memory());
    });
    dispose();
    expect(seen).toHaveLength(6);
    expect(seen[1]).toHaveProperty('numBytesAllocatedInGPU', expect.any(Number));
    for (const later of seen.slice(2)) expect(later).toEqual(seen[1]);
  });
});
