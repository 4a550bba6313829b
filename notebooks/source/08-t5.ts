// %% [markdown]
// # 08 · T5
//
// Take four jobs: put a sentence into the past, add two numbers, find a title for a story, say whether a review is good.
// With BERT (chapter 03) each needs a head of its own, a loss of its own and a fine-tuned copy of the whole model. BART
// (chapter 07) can write its answers, but still is fine-tuned once for each job. T5 (Raffel et al., 2020, [Exploring the
// limits of transfer learning with a unified text-to-text transformer](https://arxiv.org/abs/1910.10683)) asks: what if
// **every** task is text in, text out? The input begins with a few words that name the task, its **prefix**, and the answer
// is written, token by token. Then one model, one loss and one way to decode do for everything, even for a score between 1
// and 5, which is written as a word like "3.8".
//
// | | BART | T5 |
// |---|---|---|
// | learns from plain text by | writing the whole text, repaired | writing only what was taken out |
// | positions | a learned vector for each place, added to the token | a learned number for each *distance*, added to the attention score |
// | norm | after each sum, with mean and shift | before each part, neither mean nor shift |
// | attention | scores times $1/\sqrt d$ | scores as they are |
// | linear layers | with a bias | without |
// | a new task | fine-tune a copy | one more prefix |
//
// **At the end of this notebook** you will have written each part of T5 and put it into the library's, trained a small T5 to
// fill gaps in stories, and then taught this one model seven tasks.
//
// | letter | what it counts |
// |---|---|
// | B | texts in a batch |
// | S, T | tokens of the input, tokens of the target |
// | D | width of the model |
// | H, d | heads, and the width of one |
// | F | width inside the feed-forward network |
// | V | tokens in the vocabulary |
//
// You need chapters 02, 03 and 07.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'T5: encoder on the left, decoder on the right',
    rows: [
      [
        { label: 'input', note: 'plural: the red box </s>', kind: 'data', shape: '[B, S]' },
        { label: 'target so far', note: '<pad> the red', kind: 'data', shape: '[B, T]' },
      ],
      [
        { label: 'token table', note: 'one for both sides and the head', shape: '[B, S, D]' },
        { label: 'token table', note: 'the same', shape: '[B, T, D]' },
      ],
      [
        {
          label: 'L encoder layers, norm',
          note: '+ relative bias, both ways',
          shape: 'keys, values [B, S, D]',
        },
        {
          label: 'norm, self-attention, add',
          note: '+ relative bias, only the past',
          shape: 'queries [B, T, D]',
        },
      ],
      [{ label: 'norm, cross-attention, add', note: 'looks at the encoder, no bias', shape: '[B, T, D]' }],
      [{ label: 'norm, feed-forward, add', note: 'these three are one of L layers', shape: '[B, T, D]' }],
      [{ label: 'final norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'tied head', note: 'states · D^(−1/2) · table', kind: 'head', shape: '[B, T, V]' }],
    ],
  }),
);

// %% [markdown]
// ## Part 1 · Positions as distances
//
// Attention by itself does not know in which order the tokens stand. BERT and BART add a vector for the *place* to each
// token. T5 says something about *pairs*: each head $h$ adds a learned number to the score of a query at place $i$ and a key
// at place $j$, and this number depends on the distance $j - i$ alone:
//
// $$s^h_{ij} = q^h_i \cdot k^h_j + b^h_{\text{bucket}(j - i)}$$
//
// (Raffel et al., 2020, section 2.1; the idea of positions relative to each other is from Shaw et al., 2018,
// [Self-attention with relative position representations](https://arxiv.org/abs/1803.02155).) So "the word before this one" is
// the same everywhere in a text, and a text longer than any in training has no place without a number.
//
// There is not a number for every distance, but one for every **bucket** of distances. The near half of the buckets holds one
// distance each. The other half widens with the logarithm, up to `maxDistance`; all that is farther shares the last one. With
// $n$ buckets for a direction and $e = n/2$ of them exact:
//
// $$\text{bucket}(r) = \begin{cases} r & r < e \\ \min\!\left(n - 1,\; e + \left\lfloor \dfrac{\ln(r/e)}{\ln(r_{\max}/e)}\,
// (n - e) \right\rfloor\right) & r \ge e \end{cases}$$

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
// %% [markdown]
// The buckets of T5 itself, 32 of them up to a distance of 128. In the encoder, keys before the query have the lower half and
// keys behind it the upper half. In the decoder nothing behind the query is seen, and all 32 are for the past.

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

// %% [markdown]
// The same as a table of all pairs, with fewer and smaller buckets so that the pattern shows in a dozen tokens: 8 buckets up
// to a distance of 10. Every diagonal has one colour. That is what "depends on the distance alone" looks like.

// %%
const places = Array.from({ length: 12 }, (_, i) => i);
const bucketMatrix = (bidirectional: boolean): number[][] =>
  places.map((query) =>
    places.map((key) =>
      lab.relativePositionBucket(key - query, { numBuckets: 8, maxDistance: 10, bidirectional }),
    ),
  );
await lab.show(
  lab.heatmap(
    { encoder: bucketMatrix(true), decoder: bucketMatrix(false) },
    { title: 'The bucket of each query and key', rows: 'query', columns: 'key', cell: 18 },
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
// $$\text{attention}(Q, K, V) = \operatorname{softmax}\!\left(QK^\top + B\right) V$$
//
// $B$ holds the numbers of part 1 and the masks. What is missing, against chapter 02, is $1/\sqrt d$. It was there because a
// sum of $d$ products of numbers of size 1 has a size of about $\sqrt d$, and large scores make a softmax that looks at one
// place only. T5 gets the same effect in another way: its query weights *start* smaller by the factor $1/\sqrt d$. What
// training makes of them after that is its own affair.

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
// ### Who may look at whom
//
// The T5 paper compares three patterns (section 3.2.1). A decoder alone may see the past only; a **prefix** pattern lets it
// see all of the input and the past of the target; an encoder-decoder does the same with two networks. Drawn as one matrix
// for an input of four tokens, a to d, and a target of three, X to Z. The paper found encoder-decoders best at the same cost,
// though they have twice the parameters (section 3.2.4).

// %%
const tokensOfBoth = ['a', 'b', 'c', 'd', 'X', 'Y', 'Z'];
const pattern = (sees: (query: number, key: number) => boolean): number[][] =>
  tokensOfBoth.map((_, query) => tokensOfBoth.map((_, key) => Number(sees(query, key))));
await lab.show(
  lab.maskChart(
    {
      causal: pattern((query, key) => key <= query),
      prefix: pattern((query, key) => key < 4 || key <= query),
      'encoder-decoder': pattern((query, key) => (query < 4 ? key < 4 : key <= query)),
    },
    { title: 'A decoder, a decoder with a prefix, and T5', queries: tokensOfBoth },
  ),
);

// %% [markdown]
// The last two look alike, and not by chance: in both, the input is seen from all sides. What differs is the weights: with a
// prefix the same network reads and writes, in T5 there is one for each, and the target looks at the input by
// cross-attention.
//
// ## Part 3 · Norm, feed-forward and head
//
// A layer norm moves each vector to mean 0, scales it to variance 1, multiplies and shifts. T5 keeps the scaling and the gain
// $g$, and that is enough (Zhang and Sennrich, 2019, [Root mean square layer normalization](https://arxiv.org/abs/1910.07467)):
//
// $$\text{RMSNorm}(x) = g \odot \frac{x}{\sqrt{\frac{1}{D}\sum_i x_i^2 + \varepsilon}}$$

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
// %% [markdown]
// The feed-forward network of the paper has a ReLU. Version 1.1, released a year later, has the gated network of
// Shazeer (2020, [GLU variants improve transformer](https://arxiv.org/abs/2002.05202)): one linear layer says *what*, a second
// one, through the activation, says *how much of it*.
//
// $$\text{1.0:}\quad W_2 \max(0,\, W_1 x) \qquad\qquad \text{1.1:}\quad W_2\left(\operatorname{GELU}(W_1 x) \odot V x\right)$$

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
// %% [markdown]
// The head compares the decoder's state with the vector of every token, which come from the very table that the inputs are
// looked up in. The table's numbers have size 1, so a sum of D products would be about $\sqrt D$ large:
//
// $$\text{logits} = \frac{h}{\sqrt D}\, E^\top$$

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
// ### Your parts inside the real model
//
// The library's T5 with random weights, in both versions: once as it is, and then with one of *your* parts in each place where
// the model has such a part. If the logits agree, what you wrote is T5. (Where a check does not pass yet, the library's part
// is compared with itself.)

// %%
const ownNorm = await lab.orReference('t5/rms-norm', t5Norm, (params, x, eps) => lab.rmsNorm(params, x, eps));
const ownBias = await lab.orReference('t5/position-bias', positionBias, lab.relativePositionBias);
const ownAttention = await lab.orReference(
  't5/attention',
  t5Attention,
  (q, k, v, bias) => lab.scaledDotProductAttention(q, k, v, { bias, scale: 1 }).output,
);
const ownFeedForward = await lab.orReference('t5/feed-forward', feedForward, ({ inner, gate, output }, x) =>
  tf.tidy(() => {
    const first = lab.linear(inner, x);
    if (gate === null) return lab.linear(output, tf.relu(first));
    return lab.linear(output, tf.mul(lab.geluTanh(first), lab.linear(gate, x)));
  }),
);
const ownParts: Partial<lab.T5Components>[] = [
  { relativePositionBias: ownBias },
  {
    scaledDotProductAttention: (q, k, v, { bias = tf.zeros([1, 1, 1, 1]) } = {}) => {
      const [batch = 1, heads = 1, queries = 1, keys = 1] = bias.shape;
      const output = ownAttention(q, k, v, bias.as4D(batch, heads, queries, keys));
      return { output, probabilities: tf.zeros([1]) }; // the model does not ask for the probabilities
    },
  },
  {
    // Times 1, which gives the result the type of x.
    rmsNorm: <X extends tf.Tensor>({ weight }: lab.RmsNormParams, x: X, eps: number): X =>
      tf.mul<X>(ownNorm({ weight: weight.as1D() }, x, eps), 1),
  },
  { feedForward: ({ inner, gate, output }, x) => ownFeedForward({ inner, gate: gate ?? null, output }, x) },
];
const comparison: { version: string; part: string; 'largest difference of the logits': number }[] = [];
for (const [version, kind] of [
  ['1.0', 'relu'],
  ['1.1', 'gated-gelu'],
] as const) {
  const settings = lab.parseT5Config({
    vocab_size: 40,
    d_model: 24,
    d_kv: 8,
    num_heads: 3,
    d_ff: 48,
    num_layers: 2,
    relative_attention_num_buckets: 8,
    relative_attention_max_distance: 10,
    feed_forward_proj: kind,
    decoder_start_token_id: 0,
    eos_token_id: 1,
  });
  const weights = lab.initParameters(lab.t5ForConditionalGenerationWeights(settings), lab.createRng(version));
  for (const components of ownParts) {
    const apart = tf.tidy(() => {
      const inputIds = tf.tensor2d(
        [
          [17, 31, 8, 25, 9, 4, 1],
          [22, 6, 30, 13, 1, 0, 0],
        ],
        [2, 7],
        'int32',
      );
      const inputs = {
        inputIds,
        attentionMask: tf.cast(tf.notEqual(inputIds, 0), 'int32'),
        decoderInputIds: tf.tensor2d([0, 12, 7, 28, 5, 0, 33, 3, 19, 2], [2, 5], 'int32'),
      };
      const library = lab.t5ForConditionalGeneration(weights, inputs, settings).logits;
      const yours = lab.t5ForConditionalGeneration(weights, inputs, settings, { components }).logits;
      return tf.max(tf.abs(tf.sub(library, yours)));
    });
    const [largest = Number.NaN] = await apart.data();
    apart.dispose();
    comparison.push({
      version,
      part: Object.keys(components).join(', '),
      'largest difference of the logits': largest,
    });
  }
  lab.disposeParameters(weights);
}
await lab.show(lab.table(comparison, 'Your parts, one at a time, in the library’s T5'));

// %% [markdown]
// ## Part 4 · Learning from plain text: span corruption
//
// BART writes the whole text again, most of which it only has to copy. T5 is to write **what is missing and nothing else**.
// Stretches of the text are taken out, and a **sentinel**, a token that occurs in no text, marks each gap. The target lists
// every sentinel with the words that it stands for, and ends with one sentinel more:
//
// | | |
// |---|---|
// | text | Thank you for inviting me to your party last week. |
// | input | Thank you `<0>` me to your party `<1>` week. |
// | target | `<0>` for inviting `<1>` last `<2>` |
//
// (Raffel et al., 2020, figure 2.) Input and target together are about as long as the text. For the same work the model sees
// more text than BART does, and the paper measured no loss in quality (section 3.3.2). It takes out 15% of the tokens, in
// spans of three on average (section 3.3.4).

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
// ## Part 5 · A run: filling gaps in stories
//
// Now the small T5 of this notebook. Its text is the bundled stories; later come the bundled text-to-text tasks and the
// differences of the arithmetic set (their cards in `datasets/` say how they were made). These hold so few different words
// that each can be a token. T5 itself has 32,000 pieces of words, found by SentencePiece. Every digit is a token of its own,
// so that the model can see that 38 and 39 have something in common. The sentinels are the last ids and count down, as in T5.

// %%
const stories = await lab.loadStories();
const { train: taskRecords, test: testRecords } = await lab.loadTextToText();
const arithmetic = await lab.loadArithmetic();
const SENTINELS = 12;

const piecesOf = (text: string): string[] => text.toLowerCase().match(/<\d+>|\d|[a-z]+|[^\sa-z\d]/g) ?? [];
const seenTexts = [
  ...stories.flat(),
  ...lab
    .tasksOf(taskRecords)
    .flatMap(({ prefix, examples }) => [prefix, ...examples.flatMap((one) => [one.input, one.target])]),
  'subtract: 1 - 1',
];
const vocabulary = [
  ...['<pad>', '</s>', '<unk>'],
  ...new Set(seenTexts.flatMap(piecesOf)),
  ...Array.from({ length: SENTINELS }, (_, i) => `<${SENTINELS - 1 - i}>`),
];
const [padId, endId, unknownId, firstSentinel] = [0, 1, 2, vocabulary.length - 1];
const idOf = new Map(vocabulary.map((piece, id) => [piece, id]));
const encode = (text: string): number[] => piecesOf(text).map((piece) => idOf.get(piece) ?? unknownId);
const decode = (ids: readonly number[]): string =>
  ids
    .filter((id) => id !== padId && id !== endId)
    .map((id) => vocabulary[id] ?? '')
    .join(' ')
    .replace(/(?<=\d) (?=\d)/g, '')
    .replace(/ (?=[.,?!])/g, '');

const config = lab.parseT5Config({
  vocab_size: vocabulary.length,
  d_model: 64,
  d_kv: 16,
  num_heads: 4,
  d_ff: 128,
  num_layers: 2,
  relative_attention_num_buckets: 16,
  relative_attention_max_distance: 40,
  dropout_rate: 0,
  decoder_start_token_id: padId,
  eos_token_id: endId,
  pad_token_id: padId,
});
const params = lab.trainable(
  lab.initParameters(lab.t5ForConditionalGenerationWeights(config), lab.createRng('t5')),
);
console.log(`${vocabulary.length} tokens, of which ${SENTINELS} are sentinels`);

// %% [markdown]
// Where the gaps are is drawn anew whenever a text is read: one to three tokens each, and between two gaps at least three that
// stay. Your `corruptSpans` makes the rows once it passes its check. The last 200 stories are held back.

// %%
type Row = { source: number[]; target: number[] };

const corruptWith = await lab.orReference('t5/corrupt-spans', corruptSpans, (ids, spans, first) => {
  const inputIds = ids.slice(0, spans[0]?.[0] ?? ids.length);
  const labels: number[] = [];
  for (const [k, [start, length]] of spans.entries()) {
    inputIds.push(first - k, ...ids.slice(start + length, spans[k + 1]?.[0] ?? ids.length));
    labels.push(first - k, ...ids.slice(start, start + length));
  }
  return { inputIds, labels: [...labels, first - spans.length] };
});

function drawSpans(length: number, rng: lab.Rng): [start: number, length: number][] {
  const spans: [number, number][] = [];
  let at = rng.integer(5);
  while (at < length && spans.length < SENTINELS - 1) {
    const size = Math.min(1 + rng.integer(3), length - at);
    spans.push([at, size]);
    at += size + 3 + rng.integer(6);
  }
  return spans;
}

function gappedRow(ids: number[], rng: lab.Rng): Row {
  const { inputIds, labels } = corruptWith(ids, drawSpans(ids.length, rng), firstSentinel);
  return { source: [...inputIds, endId], target: [...labels, endId] };
}

/** Two neighbouring sentences of a story at a time. */
const passagesOf = (story: string[]): number[][] =>
  story.slice(1).map((_, i) => encode(story.slice(i, i + 2).join(' ')));
const HELD_BACK = 200;
const passages = stories.slice(0, -HELD_BACK).flatMap(passagesOf);

const shown = gappedRow(passages[0] ?? [], lab.createRng('shown'));
await lab.show(
  lab.table([
    { '': 'text', tokens: decode(passages[0] ?? []) },
    { '': 'input', tokens: decode(shown.source) },
    { '': 'target', tokens: decode(shown.target) },
  ]),
);

// %%
/** Rows of different lengths as one tensor [B, longest], the rest filled. */
function matrix(rows: number[][], filler: number): tf.Tensor2D {
  const longest = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]);
  return tf.tensor2d(padded, [rows.length, longest], 'int32');
}

function lossOf(now: typeof params, rows: Row[]): tf.Scalar {
  const inputIds = matrix(
    rows.map(({ source }) => source),
    padId,
  );
  const labels = matrix(
    rows.map(({ target }) => target),
    lab.IGNORED,
  );
  const attentionMask = tf.cast(tf.notEqual(inputIds, padId), 'int32');
  const { loss } = lab.t5ForConditionalGeneration(now, { inputIds, attentionMask, labels }, config);
  return loss ?? tf.scalar(Number.NaN);
}

const BATCH = 32;
/** Trains on rows of the given stream and returns the losses, one a step. */
async function learn(
  title: string,
  rows: (epoch: number) => Iterable<Row>,
  steps: number,
  peak: number,
): Promise<number[]> {
  const losses: number[] = [];
  const curve = lab.liveLoss({ title, names: ['loss'] });
  await lab.train({
    params,
    loss: lossOf,
    *batches(epoch) {
      let batch: Row[] = [];
      for (const row of rows(epoch)) {
        batch.push(row);
        if (batch.length < BATCH) continue;
        yield batch;
        batch = [];
      }
    },
    optimizer: lab.adamW({ weightDecay: 0 }),
    schedule: lab.linearSchedule({ peak, warmupSteps: Math.ceil(steps / 10), totalSteps: steps }),
    steps,
    clipNorm: 1,
    onStep: ({ step, loss }) => {
      losses.push(loss);
      curve.add(step, { loss });
    },
    progress: lab.progressBar(title),
  });
  await curve.finish();
  return losses;
}
const meanOf = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const gapLosses = await learn(
  'Filling gaps',
  function* (epoch) {
    const rng = lab.createRng(`gaps ${epoch}`);
    for (const ids of lab.shuffle(passages, rng)) yield gappedRow(ids, rng);
  },
  lab.stepsFor(500, 8),
  4e-3,
);
const gapLossBefore = meanOf(gapLosses.slice(0, 3));
const gapLossAfter = meanOf(gapLosses.slice(-20));
console.log(`loss per token: ${gapLossBefore.toFixed(2)} at first, ${gapLossAfter.toFixed(2)} at last`);

// %% [markdown]
// ### The gaps it fills
//
// Passages of stories that were held back. The model writes the target token by token (greedily: always the likeliest next),
// and `restoreSpans` puts its words into the gaps. A model learns the form first, one answer for each sentinel in order, then
// words that are common, and last those that fit *here*. After these few hundred steps ours has the form and the common
// words; for sense it needs many times as many. Raise the number of steps and see.

// %%
const language: lab.LanguageModel = {
  defaults: { decoderStartTokenId: padId, eosTokenId: endId, padTokenId: padId },
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

/** What the model writes for each source, without its start and end. */
async function answersTo(sources: number[][], maxNewTokens: number): Promise<number[][]> {
  const longest = Math.max(...sources.map(({ length }) => length));
  const filled = (row: number[], filler: number): number[] => [
    ...row,
    ...Array.from({ length: longest - row.length }, () => filler),
  ];
  const written = await lab.generate(
    language,
    {
      inputIds: sources.map((row) => filled(row, padId)),
      attentionMask: sources.map((row) =>
        filled(
          row.map(() => 1),
          0,
        ),
      ),
    },
    { maxNewTokens },
  );
  return written.map((ids) => {
    const end = ids.indexOf(endId);
    return ids.slice(1, end === -1 ? undefined : end);
  });
}

const restoreWith = await lab.orReference(
  't5/restore-spans',
  restoreSpans,
  (inputIds, labels, first, sentinels) =>
    lab.restoreSpans(inputIds, labels, { firstSentinel: first, sentinels }),
);
const newPassages = stories
  .slice(-HELD_BACK)
  .flatMap((story) => passagesOf(story).slice(0, 1))
  .slice(0, 8);
const gapRng = lab.createRng('new gaps');
const gapped = newPassages.map((ids) => gappedRow(ids, gapRng));
const fillings = await answersTo(
  gapped.map(({ source }) => source),
  24,
);
const filledGaps = gapped.map(({ source }, i) => ({
  'with gaps': decode(source),
  'the model writes': decode(fillings[i] ?? []),
  restored: decode(restoreWith(source, fillings[i] ?? [], firstSentinel, SENTINELS)),
  original: decode(newPassages[i] ?? []),
}));
await lab.show(lab.table(filledGaps));

// %% [markdown]
// ## Part 6 · Every task as text
//
// Now that the model knows something of words, it is fine-tuned, on all tasks at once.

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
// ### Mixing
//
// Tasks differ in size. If every example were as likely as any other, a large task would drown the small ones. T5 acts as if
// no task had more than $K$ examples (section 3.5.2). With $e_m$ examples of task $m$, its share of the batches is
//
// $$r_m = \frac{\min(e_m, K)}{\sum_n \min(e_n, K)}$$
//
// Here six tasks have 1,200 examples each, and the differences ("subtract") a few hundred more.

// %%
const differences = (part: lab.ArithmeticProblem[]): { input: string; target: string }[] =>
  part
    .filter(({ operation, form }) => operation === 'subtract' && form === 'formula')
    .map(({ question, answer }) => ({ input: question, target: answer }));
const tasksIn = (
  records: lab.TextToTextRecord[],
  problems: lab.ArithmeticProblem[],
): lab.TextToTextTask[] => [
  ...lab.tasksOf(records),
  { name: 'subtract', prefix: 'subtract: ', examples: differences(problems) },
];
const tasks = tasksIn(taskRecords, arithmetic.train);
const testTasks = tasksIn(testRecords, arithmetic.test);
const sizesOfTasks = tasks.map(({ examples }) => examples.length);
const CAP = 1200;
const asTheyAre = lab.mixingRates(sizesOfTasks);
const capped = lab.mixingRates(sizesOfTasks, { cap: CAP });
await lab.show(
  lab.table(
    tasks.map(({ name, prefix, examples }, i) => ({
      task: name,
      input: prefix + (examples[0]?.input ?? ''),
      target: examples[0]?.target ?? '',
      examples: examples.length,
      'share as they are': asTheyAre[i] ?? 0,
      'share with K = 1200': capped[i] ?? 0,
    })),
  ),
);

// %%
const rowOf = ({ input, target }: { input: string; target: string }): Row => ({
  source: [...encode(input), endId],
  target: [...encode(target), endId],
});
const taskLosses = await learn(
  'Seven tasks',
  function* (epoch) {
    for (const example of lab.mixTasks(tasks, lab.createRng(`tasks ${epoch}`), { cap: CAP }))
      yield rowOf(example);
  },
  lab.stepsFor(1800, 20),
  4e-3,
);
const taskLossBefore = meanOf(taskLosses.slice(0, 3));
const taskLossAfter = meanOf(taskLosses.slice(-20));
console.log(`loss per token: ${taskLossBefore.toFixed(2)} at first, ${taskLossAfter.toFixed(2)} at last`);

// %% [markdown]
// ### One model, seven tasks
//
// Only inputs that training did not have. An answer counts if all of it is right.

// %%
const scores: { label: string; value: number }[] = [];
const samples: { input: string; answer: string; right: string }[] = [];
for (const { name, prefix, examples } of testTasks) {
  const asked = examples.slice(0, lab.stepsFor(100, 8));
  const rows = asked.map(({ input, target }) => rowOf({ input: prefix + input, target }));
  const written = await answersTo(
    rows.map(({ source }) => source),
    14,
  );
  const answers = rows.map(({ target }, i) => {
    const [answer, wanted] = [decode(written[i] ?? []), decode(target)];
    const input = prefix + (asked[i]?.input ?? '');
    return { input, answer, right: answer === wanted ? 'yes' : `no: ${wanted}` };
  });
  scores.push({ label: name, value: answers.filter(({ right }) => right === 'yes').length / answers.length });
  samples.push(...answers.slice(0, 2));
}
await lab.show(lab.barChart(scores, { title: 'New inputs answered rightly', value: 'share' }));
await lab.show(lab.table(samples));

// %% [markdown]
// Compare the bars. A word that has one other form (plural, past) is easiest: the rest of the answer is copied. Others need
// more reading, or more steps. Arithmetic is another matter: the result cannot be copied from anywhere, a thousand sums are
// few to find the rule of the carry, and the answer has to begin with the digit that depends on all others. A test on sums
// that training *did* have would hide that.
//
// The prefix is all that tells the model what to do. The same input under three of them:

// %%
const underPrefixes = ['plural', 'reverse', 'title'].map((name) => `${name}: the old red kite`);
const bent = await answersTo(
  underPrefixes.map((text) => rowOf({ input: text, target: '' }).source),
  14,
);
await lab.show(lab.table(underPrefixes.map((input, i) => ({ input, answer: decode(bent[i] ?? []) }))));

// %% [markdown]
// ### What the biases have learned
//
// The numbers that the encoder's heads add for each distance, after training. A head whose curve has a peak prefers keys at
// that distance; a flat one does not care about order.

// %%
const bias = tf.tidy(() =>
  lab.relativePositionBias(params.encoder.relativeBias, 25, 25, {
    ...config.relative_positions,
    bidirectional: true,
  }),
);
const biasValues = await bias.data();
bias.dispose();
await lab.show(
  lab.lineChart(
    Array.from({ length: config.num_heads }, (_, head) => ({
      name: `head ${head}`,
      points: Array.from({ length: 25 }, (_, key): [number, number] => [
        key - 12,
        biasValues[head * 625 + 12 * 25 + key] ?? 0,
      ]),
    })),
    { title: 'The learned bias of the encoder', x: 'key − query', y: 'added to the score' },
  ),
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
        { text: 'It has a head for each.', why: 'It has one head, over the vocabulary, for everything.' },
        {
          text: 'The input begins with words that say it.',
          right: true,
          why: 'The prefix is text like any other; fine-tuning gives it its meaning.',
        },
        { text: 'From the length of the input.', why: 'Inputs of all tasks may have any length.' },
      ],
    },
    {
      ask: 'Where do positions enter?',
      choices: [
        { text: 'As a vector added to each token.', why: 'That is BERT and BART.' },
        {
          text: 'As a number added to each score.',
          right: true,
          why: 'It depends on key − query, through a bucket, and each head has its own.',
        },
        { text: 'By rotating queries and keys.', why: 'That is LLaMA, chapter 10.' },
      ],
    },
    {
      ask: 'Why do far distances share buckets?',
      choices: [
        {
          text: 'Whether a word is 90 or 95 places away matters little.',
          right: true,
          why: 'And a text longer than any seen in training still has a bucket for every pair.',
        },
        { text: 'To make the softmax stable.', why: 'The softmax takes any numbers.' },
        { text: 'Far words are masked.', why: 'They are seen; they only share a number.' },
      ],
    },
    {
      ask: 'Why is there no 1/√d in the attention?',
      choices: [
        {
          text: 'The relative bias makes up for it.',
          why: 'The bias is added; it cannot undo a factor of the scores.',
        },
        {
          text: 'The query weights start smaller by that factor.',
          right: true,
          why: 'Training begins as if the factor were there.',
        },
        { text: 'The heads are too narrow to need it.', why: 'd is 64 in T5, as in BERT.' },
      ],
    },
    {
      ask: 'Which attention has no relative bias?',
      choices: [
        {
          text: 'Cross-attention.',
          right: true,
          why: 'A place in the target and a place in the input have no distance from each other.',
        },
        { text: 'That of layer 1 and above.', why: 'They share the bias of layer 0.' },
        { text: 'The causal one of the decoder.', why: 'It has one, with all buckets for the past.' },
      ],
    },
    {
      ask: 'A batch holds 512 tokens of text. Why can T5 train on it with less work than BART?',
      choices: [
        { text: 'Its encoder is smaller.', why: 'The two are built alike; any size can be chosen.' },
        {
          text: 'Its target holds the gaps only, so the decoder has few tokens to write.',
          right: true,
          why: 'BART writes all 512 again, T5 about a fifth of them and the sentinels.',
        },
        { text: 'It does not look at the kept words.', why: 'The encoder reads them all.' },
      ],
    },
    {
      ask: 'Why has each gap a sentinel of its own, and not all the same?',
      choices: [
        {
          text: 'So that the target can say which gap it is filling.',
          right: true,
          why: 'And so that the text can be put together again, even if a gap is left out.',
        },
        { text: 'To make the target longer.', why: 'That would be a reason against it.' },
        {
          text: 'So that the model knows how many words are missing.',
          why: 'A sentinel says nothing of that.',
        },
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
        { text: 'To make the gradients larger.', why: 'It makes the logits smaller.' },
        {
          text: 'To keep the sum of the probabilities at 1.',
          why: 'The softmax sees to that whatever the logits are.',
        },
      ],
    },
    {
      ask: 'One task has 100,000 examples, six have 1,000. You mix with K = 2,000. What is the large one’s share?',
      choices: [
        { text: '100,000 of 106,000.', why: 'That is the mixture without a limit.' },
        { text: 'One in seven.', why: 'That would be K = 1,000 or less: all equal.' },
        { text: '2,000 of 8,000.', right: true, why: 'min(100,000, 2,000) against six times 1,000.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Raffel et al., 2020, [Exploring the limits of transfer learning with a unified text-to-text
//   transformer](https://arxiv.org/abs/1910.10683): a long paper that tries one thing at a time. Sections 2 and 3.
// - Shazeer, 2020, [GLU variants improve transformer](https://arxiv.org/abs/2002.05202): the gate of version 1.1, on five
//   pages.
// - Zhang and Sennrich, 2019, [Root mean square layer normalization](https://arxiv.org/abs/1910.07467).
// - Shaw et al., 2018, [Self-attention with relative position representations](https://arxiv.org/abs/1803.02155).
// - Wei et al., 2022, [Finetuned language models are zero-shot learners](https://arxiv.org/abs/2109.01652): prefixes that are
//   whole sentences, and tasks that training never had.
//
// Next: chapter 09, a decoder alone.
