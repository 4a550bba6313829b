import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type GPT3_SIZES, gpt3Config } from '../../src/models/gpt-config.ts';
import {
  approximateTrainingFlops,
  countForwardFlops,
  countModelParameters,
  countTokenCost,
  countTrainingFlops,
} from '../../src/scaling/index.ts';

const counts = z
  .object({
    parameters: z.array(z.object({ className: z.string(), config: z.looseObject({}), total: z.number() })),
    forward: z.array(
      z.object({
        config: z.looseObject({ model_type: z.string() }),
        batch: z.number(),
        length: z.number(),
        sourceLength: z.number(),
        flops: z.number(),
      }),
    ),
  })
  .parse(JSON.parse(await readFile(new URL('counts.json', import.meta.url), 'utf8')));

const gpt2 = {
  model_type: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  vocab_size: 50_257,
  n_embd: 768,
  n_layer: 12,
  n_head: 12,
};

describe('parameters', () => {
  it.each(counts.parameters)('$className has the $total that PyTorch counts', ({ config, total }) => {
    expect(countModelParameters(config).total).toBe(total);
  });

  it('without tables GPT-2 small has 12·L·D² and its biases and norms', () => {
    const matrices = 12 * 12 * 768 ** 2;
    const vectors = 12 * 13 * 768 + 2 * 768;
    expect(countModelParameters(gpt2).nonEmbedding).toBe(matrices + vectors);
  });

  it('GPT-3 is within 3 % of its name, from its configuration', () => {
    const named: Record<keyof typeof GPT3_SIZES, number> = {
      small: 125e6,
      medium: 350e6,
      large: 760e6,
      xl: 1.3e9,
      '2.7b': 2.7e9,
      '6.7b': 6.7e9,
      '13b': 13e9,
      '175b': 175e9,
    };
    for (const name of ['small', 'medium', 'large', 'xl', '2.7b', '6.7b', '13b', '175b'] as const) {
      const { total } = countModelParameters({ ...gpt3Config(name), architectures: ['GPT2LMHeadModel'] });
      expect(Math.abs(total / named[name] - 1), name).toBeLessThan(0.03);
    }
  });

  it('an unknown class is refused by name', () => {
    expect(() => countModelParameters({ architectures: ['MambaForCausalLM'] })).toThrow(/MambaForCausalLM/);
  });
});

describe('operations', () => {
  it.each(counts.forward)(
    '$config.model_type: a forward pass has the FLOP that PyTorch counts',
    (expected) => {
      const { batch, length, sourceLength } = expected;
      expect(countForwardFlops(expected.config, { batch, length, sourceLength }).total).toBe(expected.flops);
    },
  );

  it('6·N·D is the training count without attention scores, where N counts the matrices and the head', () => {
    const { total, attentionScores } = countTrainingFlops(gpt2, { length: 100 });
    const matrices = 12 * 12 * 768 ** 2 + 50_257 * 768;
    expect(total - attentionScores).toBe(approximateTrainingFlops(matrices, 100));
  });

  it('attention scores grow with the square of the length, everything else with the length', () => {
    const short = countForwardFlops(gpt2, { length: 64 });
    const long = countForwardFlops(gpt2, { length: 192 });
    expect(long.attentionScores / short.attentionScores).toBe(9);
    expect(long.feedForward / short.feedForward).toBe(3);
  });

  it('tokens one by one from a cache cost what half the square of the scores saves', () => {
    const length = 10;
    let stepwise = 0;
    for (let seen = 1; seen <= length; seen++) stepwise += countTokenCost(gpt2, { length: seen }).flops;
    const whole = countForwardFlops(gpt2, { length });
    const saved = whole.attentionScores * (1 - (length + 1) / (2 * length));
    expect(stepwise).toBeCloseTo(whole.total - saved, 0);
  });

  it('LLaMA-3 8B holds a quarter of the cache that multi-head attention would', () => {
    const config = {
      model_type: 'llama',
      vocab_size: 128_256,
      hidden_size: 4096,
      intermediate_size: 14_336,
      num_hidden_layers: 32,
      num_attention_heads: 32,
    };
    const grouped = countTokenCost({ ...config, num_key_value_heads: 8 }, { length: 8192 }, 2);
    const full = countTokenCost(config, { length: 8192 }, 2);
    expect(grouped.cacheBytes).toBe(2 ** 30); // 2 · 32 layers · 8192 tokens · 8 heads · 128 · 2 bytes
    expect(full.cacheBytes).toBe(4 * grouped.cacheBytes);
  });

  it('a family that is not one of the eight is refused by name', () => {
    expect(() => countForwardFlops({ model_type: 'mamba' }, { length: 3 })).toThrow(/mamba/);
  });
});
