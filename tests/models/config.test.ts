import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRng } from '../../src/core/random.ts';
import { InputError } from '../../src/errors.ts';
import { configText } from '../../src/models/architecture.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';
import { architectureOf } from '../../src/models/registry.ts';
import { configOf, FAMILY_NAMES, type Family } from './encoders.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});

afterAll(() => rm(folder, { recursive: true }));

function parse(family: Family, changes: object): unknown {
  const config = configOf(family, `${family}Model`, changes);
  return architectureOf(config).parseConfig(config);
}

describe('config.json', () => {
  it.each(FAMILY_NAMES)('of %s must have the sizes, and says which is missing', (family) => {
    const sizes = [
      'vocab_size',
      'hidden_size',
      'num_hidden_layers',
      'num_attention_heads',
      'intermediate_size',
    ];
    for (const field of [...sizes, 'max_position_embeddings']) {
      expect(() => parse(family, { [field]: undefined })).toThrow(`config.json: ${field}: `);
    }
  });

  it.each<[object, RegExp]>([
    [
      { hidden_size: 13 },
      /^config\.json: hidden_size must be a multiple of num_attention_heads \(3\), got 13$/,
    ],
    [{ hidden_size: -12 }, /^config\.json: hidden_size: /],
    [{ vocab_size: 1.5 }, /^config\.json: vocab_size: /],
    [{ num_hidden_layers: '3' }, /^config\.json: num_hidden_layers: /],
    [{ num_hidden_layers: 1e9 }, /^config\.json: num_hidden_layers: /],
    [{ hidden_act: 'gelu_fast' }, /^config\.json: hidden_act: .*"gelu"/],
    [{ hidden_dropout_prob: 1 }, /^config\.json: hidden_dropout_prob: /],
    [{ layer_norm_eps: 0 }, /^config\.json: layer_norm_eps: /],
    [{ position_embedding_type: 'relative_key' }, /^config\.json: position_embedding_type: only absolute/],
    [{ is_decoder: true }, /^config\.json: is_decoder: only encoders are supported$/],
    [{ problem_type: 'ranking' }, /^config\.json: problem_type: /],
  ])('with %j is refused', (changes, message) => {
    expect(() => parse('Bert', changes)).toThrow(message);
    expect(() => parse('Bert', changes)).toThrow(InputError);
  });

  it('names its class, or at least its family', () => {
    expect(architectureOf({ model_type: 'albert' }).className).toBe('AlbertModel');
    expect(architectureOf({ model_type: 'bert', architectures: ['BertForMaskedLM'] }).className).toBe(
      'BertForMaskedLM',
    );
    expect(() => architectureOf({ architectures: ['MambaModel'] })).toThrow(
      /^config\.json: unknown architecture "MambaModel": the library has .*BertModel/,
    );
    expect(() => architectureOf({ model_type: 'mamba' })).toThrow(
      'names no class in "architectures" and no known "model_type"',
    );
    expect(() => architectureOf({ architectures: 'BertModel' })).toThrow('config.json: architectures: ');
  });

  it('is named with its folder when a model is loaded', async () => {
    await writeFile(join(folder, 'config.json'), '{"model_type": "bert"}');
    await writeFile(join(folder, 'model.safetensors'), '');
    await expect(loadPretrained(folder)).rejects.toThrow(`${folder}/config.json: vocab_size: `);
    await writeFile(join(folder, 'config.json'), '{"model_type": ');
    await expect(loadPretrained(folder)).rejects.toThrow(/config\.json: not valid JSON/);
    await writeFile(join(folder, 'config.json'), Buffer.from([0xff, 0xfe]));
    await expect(loadPretrained(folder)).rejects.toThrow(/config\.json: not UTF-8 text/);
    await expect(loadPretrained(join(folder, 'nowhere', 'at', 'all'))).rejects.toThrow(
      /no such folder, and not a hub id/,
    );
  });

  it('is written with a point in numbers that transformers wants to have one', () => {
    const text = configText({
      hidden_dropout_prob: 0,
      layer_norm_eps: 1,
      vocab_size: 3,
      text: '"x_eps": 1',
      nested: { rope_theta: 10000 },
    });
    expect(JSON.parse(text)).toEqual(
      JSON.parse(
        JSON.stringify({
          hidden_dropout_prob: 0,
          layer_norm_eps: 1,
          vocab_size: 3,
          text: '"x_eps": 1',
          nested: { rope_theta: 10000 },
        }),
      ),
    );
    expect(text).toContain('"hidden_dropout_prob": 0.0,');
    expect(text).toContain('"rope_theta": 10000.0\n');
    expect(text).toContain('"vocab_size": 3,');
  });

  it('full of nonsense is parsed or refused in one sentence, never worse', () => {
    const rng = createRng('nonsense');
    const nonsense: readonly unknown[] = [
      null,
      true,
      -1,
      0,
      1.5,
      1e300,
      NaN,
      '',
      'x',
      [],
      [1],
      {},
      { a: 1 },
      undefined,
    ];
    for (let round = 0; round < 2000; round++) {
      const family = FAMILY_NAMES[rng.integer(FAMILY_NAMES.length)] ?? 'Bert';
      const config = new Map(
        Object.entries(configOf(family, `${family}Model`, { id2label: { 0: 'a' }, pad_token_id: 0 })),
      );
      const fields = [...config.keys()];
      for (let n = rng.integer(3); n >= 0; n--) {
        config.set(fields[rng.integer(fields.length)] ?? '', nonsense[rng.integer(nonsense.length)]);
      }
      const json = Object.fromEntries(config);
      try {
        architectureOf(json).parseConfig(json);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }
  });
});
