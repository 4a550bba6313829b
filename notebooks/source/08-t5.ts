// %% [markdown]
// # 08 · T5
//
// Each model so far needed a new head for every task. T5 (Raffel et al., 2020) asks: what if **every** task is text in,
// text out? Translation, classification, even a score between 1 and 5: the input begins with words that name the task, and
// the answer is written. One model, one loss, one way to decode.
//
// T5 is an encoder-decoder, as in chapter 02, with four simplifications inside: positions are a bias of the scores,
// attention has no $1/\sqrt d$, the norm has no mean and no shift, and no linear layer has a bias.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'T5',
    rows: [
      [
        { label: 'input', note: 'sort: d a c', kind: 'data', shape: '[B, S]' },
        { label: 'target so far', note: 'a c', kind: 'data', shape: '[B, T]' },
      ],
      [{ label: 'one table', note: 'for both sides and the head', shape: '[V, D]' }],
      [
        { label: 'encoder', note: 'relative bias, both directions', shape: '[B, S, D]' },
        { label: 'decoder', note: 'relative bias, past only; looks at the encoder', shape: '[B, T, D]' },
      ],
      [{ label: 'tied head', note: 'scaled by 1/√D', kind: 'head', shape: '[B, T, V]' }],
    ],
  }),
);

// %% [markdown]
// (B texts, S and T tokens, width D, H heads of width d, V words.)
//
// ## Part 1 · Positions as distances
//
// T5 adds no vector for the position to a token. Instead each head adds a learned number to the score of a query and a key,
// which depends on the distance *key − query* alone. Near distances have a number each. Far ones share *buckets*, which widen
// with the logarithm of the distance. Beyond `maxDistance` there is one bucket for all.

// %% [exercise] t5/relative-bucket difficulty=3 minutes=30
// ### Exercise: buckets of distances
// Write `relativeBuckets(relative, config)`: the bucket of each relative position (key − query). In an encoder
// (`bidirectional`) the first half of the buckets is for keys before the query, the second for those behind it. In a decoder
// all are for the past, and the future gets bucket 0.
//
// <!-- hint -->
// Near distances have a bucket each; far ones share. Where does the one end and the other begin?
// <!-- hint -->
// Both directions: n = numBuckets / 2, start = n where key − query > 0, distance = |key − query|. One direction: n = numBuckets, start = 0, distance = max(query − key, 0). With exact = n / 2: below it, start + distance; from it on, the logarithm, and at most start + n − 1.
// <!-- hint -->
// start + min(n − 1, exact + ⌊ln(distance/exact) / ln(maxDistance/exact) · (n − exact)⌋). Raffel et al., 2020, section 2.1: 32 buckets, logarithmically up to 128.

// %% [answer] t5/relative-bucket
function relativeBuckets(relative: number[], config: lab.RelativePositionConfig): number[] {
  // BEGIN SOLUTION
  const { numBuckets, maxDistance, bidirectional } = config;
  const size = bidirectional ? numBuckets / 2 : numBuckets;
  const exact = size / 2;
  return relative.map((position) => {
    const start = bidirectional && position > 0 ? size : 0;
    const distance = bidirectional ? Math.abs(position) : Math.max(-position, 0);
    if (distance < exact) return start + distance;
    const share = Math.log(distance / exact) / Math.log(maxDistance / exact);
    return start + Math.min(size - 1, exact + Math.floor(share * (size - exact)));
  });
  // END SOLUTION
  //| throw new Error('relativeBuckets is not written yet');
}

// %%
await lab.check('t5/relative-bucket', relativeBuckets);

// %%
const distances = Array.from({ length: 301 }, (_, i) => i - 150);
await lab.show(
  lab.lineChart(
    [true, false].map((bidirectional) => ({
      name: bidirectional ? 'encoder' : 'decoder',
      points: distances.map((r): [number, number] => [
        r,
        lab.relativePositionBucket(r, { numBuckets: 32, maxDistance: 128, bidirectional }),
      ]),
    })),
    { title: 'The bucket of each distance', x: 'key − query', y: 'bucket' },
  ),
);

// %% [exercise] t5/position-bias difficulty=3 minutes=25
// ### Exercise: the bias of the scores
// Write `positionBias(table, queryLength, keyLength, config)`: the numbers for all pairs, `[1, H, T, S]`. The queries are the
// *last* T of the S keys. `lab.relativePositionBucket(position, config)` gives a bucket.
//
// <!-- hint -->
// The table is looked up like an embedding. What are the ids?
// <!-- hint -->
// place of query t = keyLength − queryLength + t; relative[t][s] = s − place → bucket ids [T, S] → embed → [T, S, H] → transpose → [H, T, S] → expandDims → [1, H, T, S].
// <!-- hint -->
// bias[0, h, t, s] = table[bucket(s − (S − T + t)), h]. Raffel et al., 2020, section 2.1: each head adds its own learned number to the score.

// %% [answer] t5/position-bias
function positionBias(
  table: tf.Tensor2D,
  queryLength: number,
  keyLength: number,
  config: lab.RelativePositionConfig,
): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const past = keyLength - queryLength;
    const ids = Array.from({ length: queryLength }, (_, t) =>
      Array.from({ length: keyLength }, (_, s) => lab.relativePositionBucket(s - (past + t), config)),
    );
    const values = lab.embed(table, tf.tensor2d(ids, [queryLength, keyLength], 'int32')); // [T, S, H]
    return tf.expandDims<tf.Tensor4D>(tf.transpose(values, [2, 0, 1]), 0);
  });
  // END SOLUTION
  //| throw new Error('positionBias is not written yet');
}

// %%
await lab.check('t5/position-bias', positionBias);

// %% [markdown]
// ## Part 2 · Attention
//
// T5's query weights start smaller by the factor that $1/\sqrt d$ would be. So the attention itself leaves it out.

// %% [exercise] t5/attention difficulty=2 minutes=15
// ### Exercise: attention without a scale
// Write `t5Attention(q, k, v, bias)`: `[B, H, T, d]`.
//
// <!-- hint -->
// It is the attention of chapter 02, with one factor less and one term more.
// <!-- hint -->
// q·kᵀ [B, H, T, S] + bias [1, H, T, S] → softmax over S → times v [B, H, S, d] → [B, H, T, d].
// <!-- hint -->
// softmax(q·kᵀ + bias)·v. Raffel et al., 2020, section 2.1; that the scale is missing shows in the released code, where the query weights start with the standard deviation (D·d)^−½.

// %% [answer] t5/attention
function t5Attention(q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, bias: tf.Tensor4D): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const scores = tf.add(tf.matMul(q, k, false, true), bias); // [B, H, T, S]
    return tf.matMul(tf.softmax(scores, -1), v);
  });
  // END SOLUTION
  //| throw new Error('t5Attention is not written yet');
}

// %%
await lab.check('t5/attention', t5Attention);

// %% [exercise] t5/shared-bias difficulty=4 minutes=35
// ### Exercise: one bias for all layers
// All layers of a stack share *one* bias, made of the table that is stored with layer 0. Cross-attention has none. Write
// `decoderAttentions(layers, x, encoded, config)`: for each layer x + self-attention, then x + cross-attention (norms and
// feed-forward left out). Each layer here carries a table, `relativeBias`; only that of layer 0 counts.
// `lab.multiHeadAttention(params, x, {numHeads, scale, bias, keyValue})` and `lab.causalBias(T, T)` help.
//
// <!-- hint -->
// What must be made before the loop over the layers, and what inside it?
// <!-- hint -->
// relativePositionBias(layers[0].relativeBias, T, T, …) [1, H, T, T] + causalBias(T, T) [1, 1, T, T]; for each layer: x + attention(x) with that bias, then x + crossAttention(x, encoded) with none, both with scale 1; [B, T, D] all the way.
// <!-- hint -->
// Raffel et al., 2020, section 2.1: the position embeddings are shared across all layers of the model, though within a layer each head has its own.

// %% [answer] t5/shared-bias
function decoderAttentions(
  layers: {
    relativeBias: tf.Tensor2D;
    attention: lab.AttentionParams;
    crossAttention: lab.AttentionParams;
  }[],
  x: tf.Tensor,
  encoded: tf.Tensor,
  config: { numHeads: number; numBuckets: number; maxDistance: number },
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const { numHeads, numBuckets, maxDistance } = config;
    const [first] = layers;
    const [, length = 0] = x.shape;
    if (first === undefined) return tf.clone(x);
    const buckets = { numBuckets, maxDistance, bidirectional: false };
    const positions = lab.relativePositionBias(first.relativeBias, length, length, buckets);
    const bias = tf.add(positions, lab.causalBias(length, length)); // [1, H, T, T]
    let y = x;
    for (const { attention, crossAttention } of layers) {
      y = tf.add(y, lab.multiHeadAttention(attention, y, { numHeads, scale: 1, bias }));
      y = tf.add(y, lab.multiHeadAttention(crossAttention, y, { numHeads, scale: 1, keyValue: encoded }));
    }
    return y;
  });
  // END SOLUTION
  //| throw new Error('decoderAttentions is not written yet');
}

// %%
await lab.check('t5/shared-bias', decoderAttentions);

// %% [markdown]
// ## Part 3 · Norm and feed-forward

// %% [exercise] t5/rms-norm difficulty=1 minutes=10
// ### Exercise: a norm without mean and shift
// Write `t5Norm(params, x, eps)`.
//
// <!-- hint -->
// Layer norm does four things: it subtracts, divides, multiplies and shifts. RMS norm keeps two.
// <!-- hint -->
// x [B, T, D] → mean of the squares over the last axis, kept, [B, T, 1] → plus eps → root → x divided by it [B, T, D] → times weight [D].
// <!-- hint -->
// y = w · x / √(mean(x²) + eps). Zhang and Sennrich, 2019, "Root mean square layer normalization", equation 4; Raffel et al., 2020, section 2.1: the activations are only rescaled, with no additive bias.

// %% [answer] t5/rms-norm
function t5Norm(params: { weight: tf.Tensor1D }, x: tf.Tensor, eps: number): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const meanSquare = tf.mean(tf.square(x), -1, true); // [B, T, 1]
    return tf.mul(params.weight, tf.div(x, tf.sqrt(tf.add(meanSquare, eps))));
  });
  // END SOLUTION
  //| throw new Error('t5Norm is not written yet');
}

// %%
await lab.check('t5/rms-norm', t5Norm);

// %% [exercise] t5/feed-forward difficulty=2 minutes=15
// ### Exercise: two feed-forward networks
// Version 1.0 has a ReLU between two linear layers (`gate` is null). Version 1.1 has a GELU (`lab.geluTanh`) and a gate: a
// second linear layer, by which the first is multiplied. Write `feedForward(params, x)` for both.
//
// <!-- hint -->
// Is there a gate? That tells the two versions apart.
// <!-- hint -->
// x [B, T, D] → inner [B, T, F] → activation → (with a gate: times gate(x) [B, T, F]) → output [B, T, D].
// <!-- hint -->
// Version 1.0: W₂·max(0, W₁x) (Raffel et al., 2020, section 2.1). Version 1.1: W₂·(GELU(W₁x) ⊗ Vx), with the tanh form (Shazeer, 2020, "GLU variants improve Transformer", equation 6).

// %% [answer] t5/feed-forward
function feedForward(
  params: { inner: lab.LinearParams; gate: lab.LinearParams | null; output: lab.LinearParams },
  x: tf.Tensor,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const inner = lab.linear(params.inner, x); // [B, T, F]
    if (params.gate === null) return lab.linear(params.output, tf.relu(inner));
    return lab.linear(params.output, tf.mul(lab.geluTanh(inner), lab.linear(params.gate, x)));
  });
  // END SOLUTION
  //| throw new Error('feedForward is not written yet');
}

// %%
await lab.check('t5/feed-forward', feedForward);

// %% [exercise] t5/tied-head difficulty=1 minutes=10
// ### Exercise: one table at both ends
// Write `tiedHead(table, states)`: the logits, with the table of words as the head.
//
// <!-- hint -->
// How large is a sum of D products of numbers of size 1?
// <!-- hint -->
// states [B, T, D] · D^−½ → times the table turned over [D, V] → [B, T, V]; lab.linear({weight: table}, …) does the turning.
// <!-- hint -->
// logits = (D^−½ · h)·Eᵀ. The factor is in the released code of T5 (Raffel et al., 2020); version 1.1 has a head of its own and no factor.

// %% [answer] t5/tied-head
function tiedHead(table: tf.Tensor2D, states: tf.Tensor): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => lab.linear({ weight: table }, tf.mul(states, table.shape[1] ** -0.5)));
  // END SOLUTION
  //| throw new Error('tiedHead is not written yet');
}

// %%
await lab.check('t5/tied-head', tiedHead);

// %% [markdown]
// ## Part 4 · Learning from plain text
//
// T5 is pre-trained by **span corruption**. Stretches of the text are taken out; a *sentinel*, a token of its own, marks each
// gap. The target lists each sentinel with what it stands for. It is short, so training is cheap.

// %% [exercise] t5/corrupt-spans difficulty=3 minutes=25
// ### Exercise: span corruption
// Write `corruptSpans(ids, spans, firstSentinel)`. The spans are `[start, length]`, in order, and do not touch.
//
// <!-- hint -->
// Every token goes to exactly one side. What else goes to both?
// <!-- hint -->
// For span k, with the sentinel firstSentinel − k: the input gets the kept tokens before it, then the sentinel; the target gets the sentinel, then the tokens of the span. Behind the last span: the rest to the input, one more sentinel to the target.
// <!-- hint -->
// “Thank you <X> me to your party <Y> week.” → “<X> for inviting <Y> last <Z>”. Raffel et al., 2020, section 3.1.4 and figure 2.

// %% [answer] t5/corrupt-spans
function corruptSpans(
  ids: number[],
  spans: [start: number, length: number][],
  firstSentinel: number,
): { inputIds: number[]; labels: number[] } {
  // BEGIN SOLUTION
  const inputIds: number[] = [];
  const labels: number[] = [];
  let at = 0;
  for (const [k, [start, length]] of spans.entries()) {
    inputIds.push(...ids.slice(at, start), firstSentinel - k);
    labels.push(firstSentinel - k, ...ids.slice(start, start + length));
    at = start + length;
  }
  return {
    inputIds: [...inputIds, ...ids.slice(at)],
    labels: [...labels, firstSentinel - spans.length],
  };
  // END SOLUTION
  //| throw new Error('corruptSpans is not written yet');
}

// %%
await lab.check('t5/corrupt-spans', corruptSpans);

// %% [exercise] t5/restore-spans difficulty=3 minutes=20
// ### Exercise: the text from its two halves
// Write `restoreSpans(inputIds, labels, firstSentinel, sentinels)`, which puts the text together again, also where a model
// wrote the gaps in another order or left one out.
//
// <!-- hint -->
// A Map from each sentinel to its words makes the second half easy.
// <!-- hint -->
// labels → Map(sentinel → the tokens up to the next sentinel); inputIds → each sentinel replaced by its list, or by nothing if the Map lacks it. An id is a sentinel if firstSentinel − sentinels < id ≤ firstSentinel.
// <!-- hint -->
// It is the inverse of span corruption. Raffel et al., 2020, section 3.1.4 and figure 2.

// %% [answer] t5/restore-spans
function restoreSpans(
  inputIds: number[],
  labels: number[],
  firstSentinel: number,
  sentinels: number,
): number[] {
  // BEGIN SOLUTION
  const isSentinel = (id: number): boolean => id <= firstSentinel && id > firstSentinel - sentinels;
  const words = new Map<number, number[]>();
  let current: number[] = [];
  for (const id of labels) {
    if (isSentinel(id)) {
      current = [];
      words.set(id, current);
    } else current.push(id);
  }
  return inputIds.flatMap((id) => (isSentinel(id) ? (words.get(id) ?? []) : [id]));
  // END SOLUTION
  //| throw new Error('restoreSpans is not written yet');
}

// %%
await lab.check('t5/restore-spans', restoreSpans);

// %% [markdown]
// ## Part 5 · Two tasks, one model

// %% [exercise] t5/text-to-text difficulty=1 minutes=10
// ### Exercise: every task as text
// Write `textToText(tasks, examples)`: the prefix of its task before each input, and the label as a word.
//
// <!-- hint -->
// What must a model that does everything be told?
// <!-- hint -->
// For each example: find its task by name; input = prefix + input; target = labels[label].
// <!-- hint -->
// Raffel et al., 2020, section 2.4 and appendix D: a task-specific text prefix before each input, and the label as a word.

// %% [answer] t5/text-to-text
function textToText(
  tasks: { name: string; prefix: string; labels: string[] }[],
  examples: { task: string; input: string; label: number }[],
): { input: string; target: string }[] {
  // BEGIN SOLUTION
  return examples.map(({ task: name, input, label }) => {
    const task = tasks.find((candidate) => candidate.name === name);
    return { input: `${task?.prefix ?? ''}${input}`, target: task?.labels[label] ?? '' };
  });
  // END SOLUTION
  //| throw new Error('textToText is not written yet');
}

// %%
await lab.check('t5/text-to-text', textToText);

// %% [markdown]
// A small T5 now learns to sort letters and to reverse them. The letters of both tasks look alike: only the prefix tells
// what to do. First, your feed-forward network works inside the model, and the logits are compared with the library's.

// %%
const ownFeedForward = await lab.orReference('t5/feed-forward', feedForward, ({ inner, output }, x) =>
  tf.tidy(() => lab.linear(output, tf.relu(lab.linear(inner, x)))),
);
const words = ['<pad>', '</s>', 'sort:', 'reverse:', ...'abcdefgh'];
const [padId, endId] = [0, 1];
const config = lab.parseT5Config({
  vocab_size: words.length,
  d_model: 48,
  d_kv: 12,
  num_heads: 4,
  d_ff: 96,
  num_layers: 2,
  relative_attention_num_buckets: 16,
  relative_attention_max_distance: 20,
  dropout_rate: 0,
  decoder_start_token_id: padId,
  eos_token_id: endId,
  pad_token_id: padId,
});
const params = lab.trainable(
  lab.initParameters(lab.t5ForConditionalGenerationWeights(config), lab.createRng('t5')),
);
const idsOf = (text: string): number[] => [...text.split(' ').map((word) => words.indexOf(word)), endId];
const textOf = (ids: number[]): string => ids.map((id) => words[id] ?? '?').join(' ');

/** The same letters for both tasks: a row to sort and a row to reverse. */
function pairOf(rng: lab.Rng): { input: string; target: string }[] {
  const letters = Array.from({ length: 5 }, () => words[4 + rng.integer(8)] ?? '');
  return [
    { input: `sort: ${letters.join(' ')}`, target: letters.toSorted().join(' ') },
    { input: `reverse: ${letters.join(' ')}`, target: letters.toReversed().join(' ') },
  ];
}

type Row = { input: string; target: string };
/** All rows have the same length, so nothing is padded. */
function lossOf(now: typeof params, rows: Row[], components: Partial<lab.T5Components> = {}) {
  const tensor = (texts: string[]): tf.Tensor2D => {
    const ids = texts.map(idsOf);
    return tf.tensor2d(ids, [ids.length, ids[0]?.length ?? 0], 'int32');
  };
  const inputs = {
    inputIds: tensor(rows.map((row) => row.input)),
    labels: tensor(rows.map((row) => row.target)),
  };
  return lab.t5ForConditionalGeneration(now, inputs, config, { components });
}

const apart = tf.tidy(() => {
  const rows = pairOf(lab.createRng('compare'));
  const own = lossOf(params, rows, {
    feedForward: ({ inner, gate, output }, x) => ownFeedForward({ inner, gate: gate ?? null, output }, x),
  }).logits;
  return tf.max(tf.abs(tf.sub(own, lossOf(params, rows).logits)));
});
const [farthest = Number.NaN] = await apart.data();
apart.dispose();
console.log(`largest difference in the logits: ${farthest.toExponential(1)}`);

// %%
const seen = new Set<string>();
const STEPS = lab.stepsFor(800, 20);
const curve = lab.liveLoss({ title: 'Sorting and reversing', names: ['loss'] });
let firstLoss = Number.NaN;
let lastLoss = Number.NaN;
await lab.train({
  params,
  loss: (now, rows: Row[]) => {
    const { loss } = lossOf(now, rows);
    if (loss === undefined) throw new Error('the model got no labels');
    return loss;
  },
  *batches(epoch) {
    const rng = lab.createRng(`letters ${epoch}`);
    for (let i = 0; i < 1000; i++) {
      const rows = Array.from({ length: 32 }, () => pairOf(rng)).flat();
      for (const row of rows) seen.add(row.input);
      yield rows;
    }
  },
  optimizer: lab.adamW({ weightDecay: 0 }),
  schedule: lab.linearSchedule({ peak: 4e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
  steps: STEPS,
  clipNorm: 1,
  onStep: ({ step, loss }) => {
    if (Number.isNaN(firstLoss)) firstLoss = loss;
    lastLoss = loss;
    curve.add(step, { loss });
  },
  progress: lab.progressBar('T5'),
});
await curve.finish();

// %% [markdown]
// ### The same letters, two answers
//
// Only rows of letters that training never showed are asked. The model writes its answers token by token.

// %%
const language: lab.LanguageModel = {
  defaults: {},
  vocabSize: config.vocab_size,
  maxPositions: Number.POSITIVE_INFINITY,
  encode: (inputIds, attentionMask) =>
    lab.t5EncoderModel(params, { inputIds, attentionMask }, config).lastHiddenState,
  lastLogits: ({ ids, encoder, cache }) =>
    lab.t5ForConditionalGeneration(
      params,
      { decoderInputIds: ids, encoderOutputs: encoder?.states, attentionMask: encoder?.attentionMask, cache },
      config,
      { lastLogitsOnly: true },
    ).logits,
};
const testRng = lab.createRng('new letters');
const asked = Array.from({ length: 200 }, () => pairOf(testRng))
  .filter((pair) => pair.every((row) => !seen.has(row.input)))
  .slice(0, 20)
  .flat();
const written = await lab.generate(
  language,
  { inputIds: asked.map((row) => idsOf(row.input)) },
  { maxNewTokens: 6, decoderStartTokenId: padId, eosTokenId: endId, padTokenId: padId },
);
const answers = asked.map(({ input, target }, row) => {
  const ids = (written[row] ?? []).slice(1);
  const end = ids.indexOf(endId);
  const answer = textOf(end === -1 ? ids : ids.slice(0, end));
  return { input, answer, right: answer === target ? 'yes' : `no: ${target}` };
});
const right = answers.filter((row) => row.right === 'yes').length;
await lab.show(lab.table(answers.slice(0, 10), `${right} of ${answers.length} answers are right`));
console.log(
  `${right} of ${answers.length} answers are right; the loss went from ${firstLoss.toFixed(2)} to ${lastLoss.toFixed(3)}`,
);
lab.disposeParameters(params);

// %% [markdown]
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'How does T5 know which task to do?',
      choices: [
        { text: 'It has a head for each.', why: 'It has one head, over words.' },
        {
          text: 'The input begins with words that say it.',
          right: true,
          why: 'The prefix is text like any other.',
        },
      ],
    },
    {
      ask: 'Where do positions enter?',
      choices: [
        { text: 'As a vector added to each token.', why: 'That is BERT.' },
        {
          text: 'As a number added to each score.',
          right: true,
          why: 'It depends on key − query, through a bucket.',
        },
      ],
    },
    {
      ask: 'Why do far distances share buckets?',
      choices: [
        {
          text: 'Whether a word is 90 or 95 places away matters little.',
          right: true,
          why: 'And longer texts than any seen in training still have a bucket.',
        },
        { text: 'To make the softmax stable.', why: 'The softmax has nothing to do with it.' },
      ],
    },
    {
      ask: 'Why is there no 1/√d in attention?',
      choices: [
        { text: 'The scores are small anyway.', why: 'Only because of how the weights start.' },
        {
          text: 'The query weights start smaller by that factor.',
          right: true,
          why: 'Training then begins as if the factor were there.',
        },
      ],
    },
    {
      ask: 'Which attention has no relative bias?',
      choices: [
        { text: 'Cross-attention.', right: true, why: 'Places in two different texts have no distance.' },
        { text: 'That of layer 1 and above.', why: 'They share the bias of layer 0.' },
      ],
    },
    {
      ask: 'Why does the target of span corruption list only the gaps?',
      choices: [
        {
          text: 'It is shorter, so training is cheaper.',
          right: true,
          why: 'Raffel et al. found it as good as writing the whole text.',
        },
        { text: 'The decoder cannot copy.', why: 'It can; BART does.' },
      ],
    },
    {
      ask: 'Why is the tied head scaled by D^−½?',
      choices: [
        {
          text: 'The table has numbers of size 1, and a sum of D products would be about √D.',
          right: true,
          why: 'Without it the first softmax would be far too sure.',
        },
        { text: 'To make the gradients larger.', why: 'It makes logits smaller.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Raffel et al., 2020, *Exploring the limits of transfer learning with a unified text-to-text transformer*.
// - Shazeer, 2020, *GLU variants improve Transformer*: the gate of version 1.1.
// - Zhang and Sennrich, 2019, *Root mean square layer normalization*.
//
// Next: chapter 09, a decoder alone.
