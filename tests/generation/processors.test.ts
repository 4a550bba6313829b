import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRng } from '../../src/core/random.ts';
import {
  logSoftmax,
  parseGenerationOptions,
  sampleToken,
  softmax,
  topIndices,
} from '../../src/generation/index.ts';
import { resolveOptions } from '../../src/generation/options.ts';
import { createProcessors } from '../../src/generation/processors.ts';

const cases = z
  .array(
    z.object({
      settings: z.record(z.string(), z.number()),
      tokens: z.array(z.number()),
      scores: z.array(z.number()),
      changed: z.array(z.number().nullable()),
    }),
  )
  .parse(JSON.parse(await readFile(new URL('processors.json', import.meta.url), 'utf8')));

describe('score processors', () => {
  it.each(cases)('$settings changes scores as transformers does', ({ settings, tokens, scores, changed }) => {
    const process = createProcessors(resolveOptions({ ...settings, doSample: true }, tokens.length));
    const given = Float32Array.from(scores);
    const found = Array.from(process(given, tokens, tokens.length));
    expect(found.map((score) => (score === Number.NEGATIVE_INFINITY ? null : 0))).toEqual(
      changed.map((score) => (score === null ? null : 0)),
    );
    for (const [i, score] of changed.entries()) if (score !== null) expect(found[i]).toBeCloseTo(score, 5);
    expect(given).toEqual(Float32Array.from(scores));
  });

  it('end tokens wait for the minimum length, and come at the maximum', () => {
    const options = resolveOptions(
      { eosTokenId: [1, 2], minNewTokens: 2, maxNewTokens: 4, forcedEosTokenId: 2, forcedBosTokenId: 3 },
      1,
    );
    const process = createProcessors(options);
    const scores = Float32Array.of(0.1, 5, 4, 0.2);
    const out = Number.NEGATIVE_INFINITY;
    expect(Array.from(process(scores, [0], 1))).toEqual([out, out, out, 0]);
    expect(process(scores, [0, 3], 2)).toEqual(Float32Array.of(0.1, out, out, 0.2));
    expect(process(scores, [0, 3, 3], 3)).toEqual(scores);
    expect(Array.from(process(scores, [0, 3, 3, 0], 4))).toEqual([out, out, 0, out]);
  });
});

describe('scores', () => {
  it('softmax survives large scores and impossible tokens', () => {
    const probabilities = softmax(Float32Array.of(1000, 1000 + Math.log(3), Number.NEGATIVE_INFINITY));
    expect(probabilities[0]).toBeCloseTo(0.25, 4);
    expect(probabilities[1]).toBeCloseTo(0.75, 4);
    expect(probabilities[2]).toBe(0);
    expect(Math.exp(logSoftmax(Float32Array.of(2, 2, 2, 2))[3] ?? 0)).toBeCloseTo(0.25, 6);
  });

  it('the top indices are ordered, and equals keep their order', () => {
    expect(topIndices([3, 9, 3, -1, 9, 7], 5)).toEqual([1, 4, 5, 0, 2]);
    expect(topIndices([2, 1], 5)).toEqual([0, 1]);
    expect(topIndices([Number.NEGATIVE_INFINITY, 1], 2)).toEqual([1, 0]);
  });

  it('tokens are drawn as often as they are likely, and never an impossible one', () => {
    const rng = createRng('draws');
    const scores = Float32Array.of(Math.log(0.5), Number.NEGATIVE_INFINITY, Math.log(0.2), Math.log(0.3));
    const drawn = [0, 0, 0, 0];
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const token = sampleToken(scores, rng);
      drawn[token] = (drawn[token] ?? 0) + 1;
    }
    // Four standard deviations of a share of 20,000 draws are below 0.015.
    for (const [token, probability] of [0.5, 0, 0.2, 0.3].entries()) {
      expect(Math.abs((drawn[token] ?? 0) / draws - probability)).toBeLessThan(0.015);
    }
    expect(drawn[1]).toBe(0);
  });
});

describe('options', () => {
  it('reads Hugging Face’s names and passes over what is null or unknown', () => {
    const json = {
      max_new_tokens: 7,
      early_stopping: 'never',
      eos_token_id: [1, 2],
      top_k: null,
      dtype: 'float32',
    };
    expect(parseGenerationOptions(json)).toEqual({
      maxNewTokens: 7,
      earlyStopping: 'never',
      eosTokenId: [1, 2],
    });
  });

  it.each([
    [{ temperature: 0 }, /temperature/],
    [{ topP: 1.5 }, /topP/],
    [{ topK: -1 }, /topK/],
    [{ numBeams: 0 }, /numBeams/],
    [{ numBeams: 2, doSample: true }, /doSample/],
    [{ numReturnSequences: 3, numBeams: 2 }, /numReturnSequences/],
    [{ maxLength: 4 }, /maxLength/],
    [{ repetitionPenalty: 0 }, /repetitionPenalty/],
  ])('refuses %j, by name', (options, message) => {
    expect(() => resolveOptions(options, 4)).toThrow(message);
  });

  it('refuses a file with a wrong field, by name', () => {
    expect(() => parseGenerationOptions({ num_beams: 'four' }, 'generation_config.json')).toThrow(
      /generation_config\.json: num_beams/,
    );
  });
});
