import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { initParameters } from '../../src/checkpoints/index.ts';
import { createRng } from '../../src/core/random.ts';
import { bertForPreTraining, bertForPreTrainingWeights, parseBertConfig } from '../../src/models/index.ts';
import { maskBatch, nextSentencePairs, pretrainingLoss, sample } from '../../src/objectives/index.ts';
import { batchTensors, trainWordPiece, wordPieceTokenizer } from '../../src/tokenizers/index.ts';
import { adamW, disposeParameters, linearSchedule, train, trainable } from '../../src/training/index.ts';

beforeAll(() => startBackend());

const corpus = new URL('../../datasets/stories/stories.txt', import.meta.url);

it('makes a small BERT learn a batch of raw text by heart, for both tasks, and leaks nothing', async () => {
  const documents = (await readFile(corpus, 'utf8'))
    .split(/\n\s*\n/)
    .map((story) => story.split('\n').filter((line) => line.trim() !== ''))
    .slice(0, 120);
  const tokenizer = wordPieceTokenizer(
    trainWordPiece(documents.flat(), { vocabSize: 300, score: 'frequency' }),
  );
  const config = parseBertConfig({
    model_type: 'bert',
    vocab_size: tokenizer.vocabSize,
    hidden_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 64,
    max_position_embeddings: 48,
    type_vocab_size: 2,
  });
  const before = tf.memory().numTensors;
  const params = trainable(initParameters(bertForPreTrainingWeights(config), createRng(1)));
  const optimizer = adamW({ weightDecay: 0.01 });
  const rng = createRng(3);
  const rows = sample(nextSentencePairs(documents, rng), 12, rng);
  const batch = tokenizer.encodeBatch(
    rows.map(({ first, second }) => [first, second] as const),
    { maxLength: 40 },
  );
  const masked = maskBatch(batch, {
    rng,
    maskId: tokenizer.specialIds.mask ?? -1,
    vocabSize: tokenizer.vocabSize,
    specialIds: Object.values(tokenizer.specialIds),
  });
  const { history } = await train({
    params,
    batches: [{ ...batch, ...masked, next: rows.map(({ label }) => label) }],
    loss: (weights, { next, labels, ...rest }) => {
      const inputs = batchTensors(rest);
      const outputs = bertForPreTraining(weights, inputs, config);
      const wanted = tf.tensor2d(labels, inputs.inputIds.shape, 'int32');
      return pretrainingLoss(outputs, wanted, tf.tensor1d(next, 'int32'));
    },
    optimizer,
    schedule: linearSchedule({ peak: 1e-2, warmupSteps: 10, totalSteps: 120 }),
    steps: 100,
    clipNorm: 1,
    progress: false,
  });
  expect(history[0]?.metrics.maskedLm).toBeGreaterThan(5);
  expect(history.at(-1)?.metrics.maskedLm).toBeLessThan(0.3);
  expect(history.at(-1)?.metrics.nextSentence).toBeLessThan(0.3);
  optimizer.dispose();
  disposeParameters(params);
  expect(tf.memory().numTensors).toBe(before);
}, 120_000);
