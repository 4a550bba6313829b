import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { generateText, type LanguageModel, streamText } from '../../src/generation/index.ts';
import { byteLevelBpeTokenizer } from '../../src/tokenizers/bpe.ts';
import { trainByteLevelBpe } from '../../src/tokenizers/bpe-training.ts';

await startBackend();

const tokenizer = byteLevelBpeTokenizer(
  trainByteLevelBpe(['the cat sat', 'the dog sat'], { vocabSize: 264 }),
);

/** A model that says these tokens, whatever it is asked, and starts over after the last. */
function parrot(spoken: readonly number[], promptLength: number): LanguageModel {
  return {
    defaults: {},
    vocabSize: tokenizer.vocabSize,
    maxPositions: Number.POSITIVE_INFINITY,
    lastLogits: ({ ids }) => {
      const next = spoken[(ids.shape[1] - promptLength) % spoken.length] ?? 0;
      return tf.cast(tf.oneHot(tf.tensor2d([[next]], [1, 1], 'int32'), tokenizer.vocabSize), 'float32');
    },
  };
}

const idsOf = (text: string): number[] => tokenizer.encode(text, { addSpecialTokens: false }).inputIds;

describe('text from a model', () => {
  it('comes in whole characters, and adds up to what the tokens mean', async () => {
    const spoken = idsOf(' sat 🐈 é');
    const prompt = 'the cat';
    const model = parrot(spoken, tokenizer.encode(prompt).inputIds.length);
    const options = { maxNewTokens: spoken.length, useCache: false };
    const pieces: string[] = [];
    for await (const piece of streamText(model, tokenizer, prompt, options)) pieces.push(piece);
    expect(pieces.join('')).toBe(' sat 🐈 é');
    expect(pieces.some((piece) => piece.includes('\uFFFD'))).toBe(false);
    expect(pieces).toContain('🐈');
    expect(await generateText(model, tokenizer, prompt, options)).toBe(' sat 🐈 é');
  });

  it('shows what is incomplete when it ends within a character', async () => {
    const spoken = idsOf('🐈').slice(0, 2);
    const model = parrot(spoken, tokenizer.encode('a').inputIds.length);
    expect(await generateText(model, tokenizer, 'a', { maxNewTokens: 2, useCache: false })).toMatch(
      /^\uFFFD+$/,
    );
  });
});
