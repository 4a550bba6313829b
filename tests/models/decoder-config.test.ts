import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { createRng } from '../../src/core/random.ts';
import { InputError } from '../../src/errors.ts';
import { parseBartConfig } from '../../src/models/bart-config.ts';
import { parseGpt2Config } from '../../src/models/gpt-config.ts';
import { parseLlamaConfig } from '../../src/models/llama-config.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { parseT5Config } from '../../src/models/t5-config.ts';
import { CAUSAL, configOf, createDecoder, SEQ2SEQ } from './decoders.ts';

await startBackend();

/** What a damaged or hostile file may hold in the place of a value. */
const JUNK = [
  null,
  -1,
  0,
  1e15,
  0.5,
  Number.MAX_VALUE,
  '',
  'seven',
  '__proto__',
  true,
  [],
  [1, 'a'],
  {},
  { factor: 'x' },
];

describe.each([...CAUSAL, ...SEQ2SEQ])('a damaged configuration of %s', (className) => {
  it('is read or refused with one sentence, and nothing else happens', () => {
    const whole = configOf(className);
    const fields = [
      ...Object.keys(whole),
      'rope_scaling',
      'rope_parameters',
      'eos_token_id',
      'id2label',
      'forced_eos_token_id',
    ];
    const rng = createRng(className);
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const field = fields[rng.integer(fields.length)] ?? '';
      const config = { ...whole, [field]: JUNK[rng.integer(JUNK.length)] };
      try {
        const architecture = architectureOf(config, className);
        architecture.weights(architecture.parseConfig(config));
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  });
});

describe('configurations', () => {
  it('without fields have transformers’ sizes', () => {
    expect(parseGpt2Config({})).toMatchObject({
      n_embd: 768,
      n_layer: 12,
      n_inner: 3072,
      vocab_size: 50_257,
    });
    expect(parseLlamaConfig({})).toMatchObject({
      head_dim: 128,
      num_key_value_heads: 32,
      tie_word_embeddings: false,
    });
    expect(parseBartConfig({})).toMatchObject({
      d_model: 1024,
      num_labels: 3,
      generation: { forcedEosTokenId: 2 },
    });
    expect(parseT5Config({})).toMatchObject({
      num_decoder_layers: 6,
      gated: false,
      scale_decoder_outputs: true,
    });
  });

  it('T5 1.1 is known by its old spelling and by its new one', () => {
    const old = parseT5Config({ feed_forward_proj: 'gated-gelu', tie_word_embeddings: false });
    const now = parseT5Config({ feed_forward_proj: 'gated-gelu', scale_decoder_outputs: false });
    for (const config of [old, now]) {
      expect(config).toMatchObject({ gated: true, activation: 'gelu_new', scale_decoder_outputs: false });
    }
  });

  it('an end token that is null is none, and a list is a list', () => {
    expect(parseBartConfig({ forced_eos_token_id: null }).generation.forcedEosTokenId).toBeUndefined();
    expect(parseLlamaConfig({ eos_token_id: [5, 6] }).generation.eosTokenId).toEqual([5, 6]);
  });

  it('the names of labels count the classes', () => {
    expect(parseGpt2Config({ id2label: { 0: 'a', 1: 'b', 2: 'c' } }).num_labels).toBe(3);
    expect(parseGpt2Config({ num_labels: 5 }).num_labels).toBe(5);
  });
});

describe('new parameters', () => {
  it('GPT’s residual projections start smaller the more layers add to the stream', async () => {
    const spread = async (layers: number): Promise<number> => {
      const model = createDecoder('GPT2LMHeadModel', {
        n_layer: layers,
        n_embd: 48,
        initializer_range: 0.02,
      });
      const found = model.weights().find(([{ name }]) => name === 'transformer.h.0.attn.c_proj.weight');
      const values = Array.from((await found?.[1].data()) ?? []);
      model.dispose();
      return Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0) / values.length);
    };
    // 2304 draws: the spread is known to about 1.5 %.
    expect((await spread(2)) / (0.02 / Math.sqrt(4))).toBeCloseTo(1, 1);
    expect((await spread(8)) / (0.02 / Math.sqrt(16))).toBeCloseTo(1, 1);
  });
});
