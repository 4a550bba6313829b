// %% [markdown]
// # A tiny chapter
//
// Two exercises and a cell that must never run while grading.

// %%
import * as tf from '@tensorflow/tfjs-core';
import { embed, layerNorm, linear } from 'llm-lab';

// %%
type Dense = { weight: tf.Tensor; bias: tf.Tensor };
type Table = { weight: tf.Tensor };
type Embeddings = {
  wordEmbeddings: Table;
  positionEmbeddings: Table;
  tokenTypeEmbeddings: Table;
  layerNorm: Dense;
};
type Ids = { inputIds: tf.Tensor; tokenTypeIds: tf.Tensor };
const clsPosition = 0;

// %% [exercise] bert/embeddings difficulty=1 minutes=15
// ## Embeddings
//
// Add three lookups and normalise.
//
// <!-- hint -->
// One
// <!-- hint -->
// Two
// <!-- hint -->
// Three

// %% [answer] bert/embeddings
export const bertEmbeddings = (
  params: Embeddings,
  { inputIds, tokenTypeIds }: Ids,
  config: { layer_norm_eps: number },
): tf.Tensor => {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const words = embed(params.wordEmbeddings.weight, inputIds);
    const segments = embed(params.tokenTypeEmbeddings.weight, tokenTypeIds);
    const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [inputIds.shape[1] ?? 0, -1]);
    return layerNorm(params.layerNorm, tf.add(tf.add(words, segments), positions), config.layer_norm_eps);
  });
  // END SOLUTION
  //| throw new Error('bertEmbeddings is not written yet');
};

// %%
export const trained = await new Promise<number>((resolve) => setTimeout(() => resolve(1), 3_600_000));

// %% [exercise] bert/pooler difficulty=1 minutes=10
// ## The pooler
//
// Take the first token through a dense layer and tanh.
//
// <!-- hint -->
// One
// <!-- hint -->
// Two
// <!-- hint -->
// Three

// %% [answer] bert/pooler
export const bertPooler = (params: { dense: Dense }, hidden: tf.Tensor): tf.Tensor => {
  // BEGIN SOLUTION
  return tf.tidy(() =>
    tf.tanh(linear(params.dense, tf.squeeze(tf.slice(hidden, [0, clsPosition, 0], [-1, 1, -1]), [1]))),
  );
  // END SOLUTION
  //| throw new Error('bertPooler is not written yet');
};

// %%
await Promise.resolve(trained);
