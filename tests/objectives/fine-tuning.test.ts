import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { IGNORED } from '../../src/core/losses.ts';
import {
  classificationAndLmLoss,
  fewShotPrompt,
  scoreCandidates,
  supervisedLabels,
  supervisedRow,
} from '../../src/objectives/index.ts';

beforeAll(() => startBackend('cpu'));
const END = 2;

describe('supervised fine-tuning', () => {
  it('learns the answer and the end token, not the prompt, nor padding of the same id', () => {
    expect(supervisedRow([5, 6, 7], [8, 9], { endId: END, padTo: 8 })).toEqual({
      inputIds: [5, 6, 7, 8, 9, END, END, END],
      attentionMask: [1, 1, 1, 1, 1, 1, 0, 0],
      labels: [IGNORED, IGNORED, IGNORED, 8, 9, END, IGNORED, IGNORED],
    });
  });

  it('cuts at the end and says when a row does not fit', () => {
    expect(supervisedRow([5, 6], [7, 8, 9], { endId: END, maxTokens: 4 }).labels).toEqual([
      IGNORED,
      IGNORED,
      7,
      8,
    ]);
    expect(() => supervisedRow([5, 6], [7, 8], { endId: END, padTo: 3 })).toThrow(
      '5 tokens do not fit into 3',
    );
  });

  it('keeps the first end token after the prompt, also where the prompt has one itself', () => {
    const row = [5, END, 6, 8, 9, END, END, END];
    expect(supervisedLabels(row, 3, END)).toEqual([IGNORED, IGNORED, IGNORED, 8, 9, END, IGNORED, IGNORED]);
    expect(supervisedLabels([5, 6, 7], 1, END)).toEqual([IGNORED, 6, 7]);
    expect(() => supervisedLabels([5], 2, END)).toThrow('a prompt of 2 tokens in a row of 1');
  });

  it('adds half of the language model’s loss to the task’s, as GPT-1', async () => {
    const { loss, classification, languageModel } = classificationAndLmLoss(
      { classLogits: tf.zeros([2, 3]), logits: tf.zeros([2, 4, 7]) },
      tf.tensor1d([2, 0], 'int32'),
      tf.tensor2d(
        [
          [1, 2, 3, IGNORED],
          [4, 5, IGNORED, IGNORED],
        ],
        [2, 4],
        'int32',
      ),
    );
    expect((await classification.data())[0]).toBeCloseTo(Math.log(3), 5);
    expect((await languageModel.data())[0]).toBeCloseTo(Math.log(7), 5);
    expect((await loss.data())[0]).toBeCloseTo(Math.log(3) + 0.5 * Math.log(7), 5);
  });
});

describe('in-context learning', () => {
  it('puts 0, 1 or k examples before the question', () => {
    const examples = [
      { question: 'one', answer: '1' },
      { question: 'two', answer: '2' },
    ];
    expect(fewShotPrompt([], 'ten')).toBe('Q: ten\nA:');
    expect(fewShotPrompt(examples.slice(0, 1), 'ten', { instruction: 'Digits.' })).toBe(
      'Digits.\n\nQ: one\nA: 1\n\nQ: ten\nA:',
    );
    expect(fewShotPrompt(examples, 'ten')).toBe('Q: one\nA: 1\n\nQ: two\nA: 2\n\nQ: ten\nA:');
  });

  // A model that says: after token i comes i + 1 with p = 0.7, and each of the 4 others with p = 0.075.
  const successor = (inputIds: tf.Tensor2D): tf.Tensor =>
    tf.tidy(() => {
      const next = tf.oneHot(tf.cast(tf.mod(tf.add(inputIds, 1), 5), 'int32'), 5);
      return tf.log(tf.add(0.075, tf.mul(tf.cast(next, 'float32'), 0.625)));
    });

  it('scores the tokens of the answer only, each from the one before it', async () => {
    const before = tf.memory().numTensors;
    const scores = await scoreCandidates(successor, [0, 3, 1], [[2, 3], [2], [4, 0, 1]]);
    expect(tf.memory().numTensors).toBe(before);
    const [yes, no] = [Math.log(0.7), Math.log(0.075)];
    const wanted = [2 * yes, yes, no + 2 * yes];
    for (const [i, total] of wanted.entries()) {
      expect(scores[i]?.logLikelihood).toBeCloseTo(total, 5);
      expect(scores[i]?.perToken).toBeCloseTo(total / ([2, 1, 3][i] ?? 1), 5);
    }
  });

  it('does not care how unlikely the prompt is, nor what else is scored beside', async () => {
    const [likely] = await scoreCandidates(successor, [0, 1], [[2, 3]]);
    const [unlikely, other] = await scoreCandidates(
      successor,
      [3, 1],
      [
        [2, 3],
        [2, 2, 2, 2],
      ],
    );
    expect(unlikely?.logLikelihood).toBeCloseTo(likely?.logLikelihood ?? Number.NaN, 6);
    expect(other?.logLikelihood).toBeLessThan(0);
    await expect(scoreCandidates(successor, [], [[1]])).rejects.toThrow('prompt');
    await expect(scoreCandidates(successor, [1], [[]])).rejects.toThrow('candidate');
    expect(await scoreCandidates(successor, [1], [])).toEqual([]);
  });
});
