// %% [markdown]
// # 02 · Three architectures
//
// BERT, BART and GPT are built of the same part, **attention**, and differ in one thing above all: *who may look at
// whom*. In this chapter you write that part, and the masks that make three architectures of it:
//
// | architecture | reads | writes | in this course |
// |---|---|---|---|
// | **encoder-only** | the whole text at once, in both directions | nothing; it describes what it read | BERT, RoBERTa, ALBERT, ELECTRA |
// | **decoder-only** | what came before | one token after another | GPT, LLaMA |
// | **encoder-decoder** | the whole input, in both directions | one token after another, looking at the input all the time | BART, T5 |
//
// Before 2017, most models of language were *recurrent*: they read a text word by word and carried a single state along,
// so the beginning of a long sentence had to survive many steps to matter at its end. The *transformer* (Vaswani et al., 2017, "Attention
// is all you need") dropped that chain: every position can look at every other one directly, and all positions are
// computed at the same time.
//
// You need chapter 00: tensors, shapes and `tidy`. Words that are new here are explained where they first come up.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

const backend = await lab.startBackend();
await lab.show(`Computing on **${backend.name}**: ${backend.device}.`);

// %% [markdown]
// ## Tokens, vectors and letters for sizes
//
// A text enters a model as **tokens**: words or pieces of words, each with a number. Each token becomes a vector of
// numbers, its **embedding**, and from then on a sequence is a matrix. Models work on several sequences at once, a **batch**. These
// letters name the sizes throughout the course:
//
// | letter | size of |
// |---|---|
// | B | the batch: how many sequences |
// | T | the sequence whose positions ask ("queries") |
// | S | the sequence that is asked ("keys"); often the same one |
// | D | the vectors: the width of the model |
// | H | heads: how many attentions run side by side |
// | d | the width of one head, D/H |
//
// `[B, T, D]` is thus a batch of B sequences of T vectors of width D.

// %%
await lab.show(
  lab.architectureFigure({
    title: 'Encoder-only',
    rows: [
      [{ label: 'tokens', kind: 'data', shape: '[B, T]' }],
      [{ label: 'embeddings', shape: '[B, T, D]' }],
      [{ label: 'self-attention', note: 'everybody sees everybody', shape: '[B, T, D]' }],
      [{ label: 'feed-forward', note: 'each position by itself', shape: '[B, T, D]' }],
      [{ label: 'a vector for each token', kind: 'head' }],
    ],
    groups: [{ from: 2, to: 3, label: '× L' }],
  }),
);
await lab.show(
  lab.architectureFigure({
    title: 'Decoder-only',
    rows: [
      [{ label: 'tokens so far', kind: 'data', shape: '[B, T]' }],
      [{ label: 'embeddings', shape: '[B, T, D]' }],
      [{ label: 'causal self-attention', note: 'nobody sees the future', shape: '[B, T, D]' }],
      [{ label: 'feed-forward', note: 'each position by itself', shape: '[B, T, D]' }],
      [{ label: 'scores for the next token', kind: 'head', shape: '[B, T, V]' }],
    ],
    groups: [{ from: 2, to: 3, label: '× L' }],
  }),
);
await lab.show(
  lab.architectureFigure({
    title: 'Encoder-decoder: the decoder',
    rows: [
      [{ label: 'tokens so far', kind: 'data', shape: '[B, T]' }],
      [{ label: 'embeddings', shape: '[B, T, D]' }],
      [{ label: 'causal self-attention', note: 'among what is written', shape: '[B, T, D]' }],
      [{ label: 'cross-attention', note: 'asks the encoder, [B, S, D]', shape: '[B, T, D]' }],
      [{ label: 'feed-forward', note: 'each position by itself', shape: '[B, T, D]' }],
      [{ label: 'scores for the next token', kind: 'head', shape: '[B, T, V]' }],
    ],
    groups: [{ from: 2, to: 4, label: '× L' }],
  }),
);

// %% [markdown]
// The three figures have nearly the same boxes. (V is the size of the vocabulary, and "× L" means that the framed part
// is repeated L times, each time with its own numbers to learn.) What differs is written inside the attention boxes.
//
// ## Part 1 · Who may look at whom
//
// Attention gives every *query* (a position that asks) a **score** for every *key* (a position that can be looked at).
// The scores of a query become weights that sum to 1. To forbid a look, we add a very large negative number to its
// score *before* that: its weight becomes 0. The numbers that are added are called the **bias**.
//
// Why a finite number and not −∞? Because −∞ − (−∞) is not a number, and a row in which everything is forbidden would
// turn the whole model into `NaN`. −10³⁰ hides just as well: next to it a score of some hundreds is lost to rounding.

// %% [exercise] architectures/padding-mask difficulty=1 minutes=10
// ### Exercise: the padding mask
// Sequences of a batch differ in length, so short ones are filled up with **padding** tokens that mean nothing and must
// not be looked at. The *attention mask* says where they are: 1 for a token, 0 for padding.
//
// Write `paddingMask`: it turns such a mask `[B, S]` into a bias `[B, 1, 1, S]`, 0 for tokens and `masked` for padding.
// The two axes of size 1 make it fit to scores of shape `[B, H, T, S]`: what is hidden is hidden from every head and
// every query.
//
// <!-- hint -->
// A bias is added to the scores. What must be added to a score so that nothing changes, and what so that it no longer
// counts?
// <!-- hint -->
// `[B, S]` with 1 and 0 → cast to float32 → 1 − mask, which is 0 for tokens and 1 for padding → times `masked` →
// reshape to `[B, 1, 1, S]`.
// <!-- hint -->
// $\text{bias} = (1 - \text{mask}) \cdot \text{masked}$. Vaswani et al., 2017, section 3.2.3, set the scores of what
// must not be seen to −∞.

// %% [answer] architectures/padding-mask
function paddingMask(attentionMask: tf.Tensor2D, masked: number): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, length] = attentionMask.shape;
    const padding = tf.sub(1, tf.cast(attentionMask, 'float32')); // [B, S]
    return tf.reshape(tf.mul(padding, masked), [batch, 1, 1, length]);
  });
  // END SOLUTION
  //| // attentionMask: int32 [B, S]. Return [B, 1, 1, S].
  //| throw new Error('paddingMask is not written yet');
}

// %%
await lab.check('architectures/padding-mask', paddingMask);

// %% [exercise] architectures/causal-mask difficulty=2 minutes=15
// ### Exercise: the causal mask
// A model that writes must not see the future: when it learns to predict token 5, tokens 5, 6, 7 … lie right there in
// the training text. The **causal mask** hides from each query all keys behind it.
//
// One detail matters later: when a model writes, it computes only the newest T tokens and keeps the keys of the earlier
// ones. Then there are more keys than queries, S > T, and the queries are the *last* T of the S positions. So the
// triangle is aligned with the lower right corner.
//
// Write `causalMask(T, S, masked)`: a bias `[1, 1, T, S]`.
//
// <!-- hint -->
// Where in the whole sequence does query 0 stand, if there are S keys and the T queries are the last ones?
// <!-- hint -->
// Query i stands at position i + S − T and sees keys 0 … i + S − T. Fill T·S numbers row by row, or compare
// `tf.range` as a column with `tf.range` as a row; reshape to `[1, 1, T, S]`.
// <!-- hint -->
// $M_{ij} = 0$ if $j \le i + S - T$, else masked. Vaswani et al., 2017, section 3.2.3.

// %% [answer] architectures/causal-mask
function causalMask(queries: number, keys: number, masked: number): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const place = tf.expandDims(tf.range(keys - queries, keys), 1); // [T, 1]
    const key = tf.expandDims(tf.range(0, keys), 0); // [1, S]
    const future = tf.cast(tf.greater(key, place), 'float32'); // [T, S]
    return tf.reshape(tf.mul(future, masked), [1, 1, queries, keys]);
  });
  // END SOLUTION
  //| // Return [1, 1, T, S]: 0 where a query may look, `masked` where it may not.
  //| throw new Error('causalMask is not written yet');
}

// %%
await lab.check('architectures/causal-mask', causalMask);

// %% [exercise] architectures/prefix-mask difficulty=2 minutes=10
// ### Exercise: the prefix pattern
// There is a pattern between the two: the first tokens, the *prefix* (a question, say), are read in both directions,
// and what follows is written causally. A decoder with this pattern behaves much like an encoder-decoder.
//
// Write `prefixMask(T, prefix)`: a matrix `[T, T]` of whole numbers, 1 where the query (row) may look at the key
// (column), else 0.
//
// <!-- hint -->
// There are two kinds of key: those that were given, and those that are written. Who may look at each?
// <!-- hint -->
// Row i, column j: 1 if j < prefix (everybody sees the prefix) or j ≤ i (nobody sees the future). dtype `'int32'`.
// <!-- hint -->
// $M_{ij} = 1$ if $j < \text{prefix}$ or $j \le i$. Raffel et al., 2020, "Exploring the limits of transfer learning
// with a unified text-to-text transformer", section 3.2.1 and figure 4.

// %% [answer] architectures/prefix-mask
function prefixMask(length: number, prefix: number): tf.Tensor2D {
  // BEGIN SOLUTION
  const rows = Array.from({ length }, (_, i) =>
    Array.from({ length }, (_, j) => (j < prefix || j <= i ? 1 : 0)),
  );
  return tf.tensor2d(rows, [length, length], 'int32');
  // END SOLUTION
  //| // Return int32 [T, T]: 1 = may look.
  //| throw new Error('prefixMask is not written yet');
}

// %%
await lab.check('architectures/prefix-mask', prefixMask);

// %% [markdown]
// ### Looking at the masks
//
// The next cell draws the patterns of the three architectures with *your* functions. (Where one does not pass its check
// yet, the library's stands in, and a line says so.) In the encoder-decoder picture, read the rows as the tokens being
// written.

// %%
const maskOf = await lab.orReference(
  'architectures/causal-mask',
  causalMask,
  (queries: number, keys: number, masked: number) =>
    tf.tidy(() => tf.mul<tf.Tensor4D>(tf.div(lab.causalBias(queries, keys), lab.MASKED), masked)),
);
const prefixOf = await lab.orReference(
  'architectures/prefix-mask',
  prefixMask,
  (length: number, prefix: number) =>
    tf.tidy(() => {
      const causal = tf.equal(tf.reshape(lab.causalBias(length, length), [length, length]), 0);
      const given = tf.less(tf.range(0, length), prefix);
      return tf.cast<tf.Tensor2D>(tf.logicalOr(causal, given), 'int32');
    }),
);

async function visible(bias: tf.Tensor4D): Promise<number[][]> {
  const [, , rows, columns] = bias.shape;
  const values = await bias.data();
  bias.dispose();
  return Array.from({ length: rows }, (_, i) =>
    Array.from({ length: columns }, (_, j) => (values[i * columns + j] === 0 ? 1 : 0)),
  );
}

const sentence = ['the', 'cat', 'sat', 'down', '.'];
const everything = sentence.map(() => sentence.map(() => 1));
const prefixMatrix = prefixOf(sentence.length, 2);
await lab.show(
  lab.maskChart(
    {
      'encoder-only': everything,
      'decoder-only': await visible(maskOf(sentence.length, sentence.length, -1)),
      'prefix of two': await prefixMatrix.array(),
    },
    { title: 'Who may look at whom: rows look at columns', queries: sentence },
  ),
);
prefixMatrix.dispose();
await lab.show(
  lab.maskChart(
    {
      'encoder: self': everything,
      'decoder: causal self': await visible(maskOf(3, 3, -1)),
      'decoder: cross': ['le', 'chat', 's’assit'].map(() => sentence.map(() => 1)),
      'with a cache: 2 new of 5': await visible(maskOf(2, 5, -1)),
    },
    { title: 'The parts of an encoder-decoder, and causal attention with a cache' },
  ),
);

// %% [markdown]
// ## Part 2 · Attention
//
// Each position sends out a **query** ("what am I looking for?") and offers a **key** ("what am I?") and a **value**
// ("what do I have to say?"), three vectors of width $d$. The score of a query for a key is their dot product: large
// where they point the same way. The scores become weights by a **softmax**, $e^{s_j} / \sum_k e^{s_k}$: positive, and
// summing to 1. What a query gets is the mixture of the values with these weights:
//
// $$\text{Attention}(Q, K, V) = \text{softmax}\!\left(\frac{Q K^\top}{\sqrt{d}} + \text{bias}\right) V$$
//
// (Vaswani et al., 2017, equation 1; the bias carries the masks.)

// %% [exercise] architectures/scaled-attention difficulty=3 minutes=30
// ### Exercise: scaled dot-product attention
// Write `attention(q, k, v, bias)`. It returns both the `output` `[B, H, T, d]` and the `probabilities` `[B, H, T, S]`,
// which we want to look at. One rule for the odd case: a query that may see no key at all (every score below −10²⁰)
// gets probabilities of 0, and therefore an output of 0.
//
// `tf.matMul(a, b, false, true)` multiplies with the transpose of `b`, for each batch and head by itself.
//
// <!-- hint -->
// Every query compares itself with every key. Over which axis must the weights sum to 1?
// <!-- hint -->
// q `[B, H, T, d]` · kᵀ `[B, H, d, S]` → scores `[B, H, T, S]` → divide by √d → add the bias → softmax over the last
// axis → `[B, H, T, S]` → multiply by 0 where the largest score of the row is below −1e20 (`tf.max(scores, -1, true)`
// is `[B, H, T, 1]`) → · v `[B, H, S, d]` → `[B, H, T, d]`.
// <!-- hint -->
// $\text{softmax}(QK^\top/\sqrt{d} + \text{bias})\,V$. Vaswani et al., 2017, equation 1; footnote 4 explains the root.

// %% [answer] architectures/scaled-attention
function attention(
  q: tf.Tensor4D,
  k: tf.Tensor4D,
  v: tf.Tensor4D,
  bias: tf.Tensor,
): { output: tf.Tensor4D; probabilities: tf.Tensor4D } {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const width = q.shape[3];
    const scores = tf.add(tf.div(tf.matMul(q, k, false, true), Math.sqrt(width)), bias); // [B, H, T, S]
    const sees = tf.cast(tf.greater(tf.max(scores, -1, true), -1e20), 'float32'); // [B, H, T, 1]
    const probabilities: tf.Tensor4D = tf.mul(tf.softmax(scores), sees); // [B, H, T, S]
    const output: tf.Tensor4D = tf.matMul(probabilities, v); // [B, H, T, d]
    return { output, probabilities };
  });
  // END SOLUTION
  //| // Return {output: [B, H, T, d], probabilities: [B, H, T, S]}.
  //| throw new Error('attention is not written yet');
}

// %%
await lab.check('architectures/scaled-attention', attention);

// %% [markdown]
// ### Why the square root?
//
// Let the entries of a query and a key be independent with mean 0 and variance 1. Their dot product is a sum of $d$
// products, each of variance 1: its standard deviation is $\sqrt{d}$. Without the division, scores grow with the width,
// the softmax puts nearly all weight on one key, and its gradient, which is what learning runs on, vanishes. Do not
// take our word for it: the next cell draws the largest of 16 weights, on average, against the width.

// %%
async function largestWeight(width: number, scale: number): Promise<number> {
  const rng = lab.createRng(`width ${width}`);
  const drawn = tf.tidy(() => {
    const normal = (rows: number): tf.Tensor2D =>
      tf.tensor2d(
        Float32Array.from({ length: rows * width }, () => rng.normal()),
        [rows, width],
      );
    const weights = tf.softmax(tf.mul(tf.matMul(normal(200), normal(16), false, true), scale)); // [200, 16]
    return tf.mean(tf.max(weights, -1));
  });
  const [largest = Number.NaN] = await drawn.data();
  drawn.dispose();
  return largest;
}

const widths = [1, 4, 16, 64, 256, 1024];
const plain: [number, number][] = [];
const scaled: [number, number][] = [];
for (const width of widths) {
  plain.push([width, await largestWeight(width, 1)]);
  scaled.push([width, await largestWeight(width, 1 / Math.sqrt(width))]);
}
await lab.show(
  lab.lineChart(
    [
      { name: 'without scaling', points: plain },
      { name: 'divided by √d', points: scaled },
    ],
    {
      title: 'The largest of 16 weights',
      x: 'width d of a head',
      y: 'mean largest weight',
      logX: true,
      marks: true,
    },
  ),
);

// %% [markdown]
// ## Part 3 · Heads
//
// One attention can look for one thing at a time. So the model width D is cut into H **heads** of width d = D/H, and
// each head attends by itself: one may look at the previous word, another at the verb. All of them run as one product.
//
// ```
// [B, T, D] ──linear──▶ [B, T, D] ──split──▶ [B, H, T, d] ──attention──▶ [B, H, T, d] ──merge──▶ [B, T, D] ──linear──▶ [B, T, D]
// ```

// %% [exercise] architectures/split-heads difficulty=2 minutes=10
// ### Exercise: split into heads
// Write `splitHeads`: `[B, T, D]` → `[B, H, T, d]`. Head h owns the neighbouring columns h·d … h·d + d − 1.
//
// Careful: a *reshape* never moves a number, it only reads the same row of numbers with other axes. A *transpose* does
// move them.
//
// <!-- hint -->
// Which numbers that are neighbours in memory belong to one head? Make an axis of them first.
// <!-- hint -->
// `[B, T, D]` → reshape `[B, T, H, d]` → transpose with `[0, 2, 1, 3]` → `[B, H, T, d]`.
// <!-- hint -->
// $Y_{b,h,t,i} = X_{b,\,t,\,h \cdot d + i}$. Vaswani et al., 2017, section 3.2.2.

// %% [answer] architectures/split-heads
function splitHeads(x: tf.Tensor3D, numHeads: number): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, length, width] = x.shape;
    const perHead: tf.Tensor4D = tf.reshape(x, [batch, length, numHeads, width / numHeads]);
    return tf.transpose(perHead, [0, 2, 1, 3]);
  });
  // END SOLUTION
  //| // [B, T, D] in, [B, H, T, d] out.
  //| throw new Error('splitHeads is not written yet');
}

// %%
await lab.check('architectures/split-heads', splitHeads);

// %% [exercise] architectures/merge-heads difficulty=1 minutes=5
// ### Exercise: merge the heads
// Write the inverse, `mergeHeads`: `[B, H, T, d]` → `[B, T, H·d]`, head 0 in the first d columns.
//
// <!-- hint -->
// `splitHeads` took two steps. Undo them in the opposite order.
// <!-- hint -->
// `[B, H, T, d]` → transpose with `[0, 2, 1, 3]` → `[B, T, H, d]` → reshape `[B, T, H·d]`.
// <!-- hint -->
// $\text{Concat}(\text{head}_1, \dots, \text{head}_H)$ of Vaswani et al., 2017, section 3.2.2.

// %% [answer] architectures/merge-heads
function mergeHeads(x: tf.Tensor4D): tf.Tensor3D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, heads, length, width] = x.shape;
    return tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [batch, length, heads * width]);
  });
  // END SOLUTION
  //| // [B, H, T, d] in, [B, T, H·d] out.
  //| throw new Error('mergeHeads is not written yet');
}

// %%
await lab.check('architectures/merge-heads', mergeHeads);

// %% [exercise] architectures/multi-head-attention difficulty=3 minutes=25
// ### Exercise: multi-head attention
// Now put it together. The learned part of attention are four linear layers: `query`, `key`, `value`, and `output`,
// which mixes the heads at the end. `lab.linear(params, x)` computes $x W^\top + b$ on the last axis.
//
// Write `multiHead(params, x, source, bias, numHeads)`. Queries come from `x`; **keys and values come from `source`**.
// With `source = x` this is *self*-attention. In an encoder-decoder, `x` is what the decoder has so far and `source`
// what the encoder made of the input: *cross*-attention.
//
// Use the library's `lab.splitHeads`, `lab.mergeHeads` and `lab.scaledDotProductAttention(q, k, v, {bias})`, which
// returns `{output, probabilities}`, or your own functions of above. (While you are graded, only this cell is yours:
// helpers from other exercises are replaced by reference versions.)
//
// <!-- hint -->
// Who asks, and who answers?
// <!-- hint -->
// x `[B, T, D]` → query → split → `[B, H, T, d]`; source `[B, S, D]` → key and value → split → `[B, H, S, d]`;
// attention → `[B, H, T, d]` → merge → `[B, T, D]` → output → `[B, T, D]`.
// <!-- hint -->
// $\text{Concat}(\text{head}_1 \dots \text{head}_H) W_O$ with $\text{head}_i = \text{Attention}(X W^Q_i, Y W^K_i, Y
// W^V_i)$. Vaswani et al., 2017, section 3.2.2; section 3.2.3 lists its three uses.

// %% [answer] architectures/multi-head-attention
function multiHead(
  params: lab.AttentionParams,
  x: tf.Tensor,
  source: tf.Tensor,
  bias: tf.Tensor,
  numHeads: number,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const q = lab.splitHeads(lab.linear(params.query, x), numHeads); // [B, H, T, d]
    const k = lab.splitHeads(lab.linear(params.key, source), numHeads); // [B, H, S, d]
    const v = lab.splitHeads(lab.linear(params.value, source), numHeads); // [B, H, S, d]
    const { output } = lab.scaledDotProductAttention(q, k, v, { bias }); // [B, H, T, d]
    return lab.linear(params.output, lab.mergeHeads(output)); // [B, T, D]
  });
  // END SOLUTION
  //| // x [B, T, D], source [B, S, D], bias [B, 1, 1, S]. Return [B, T, D].
  //| throw new Error('multiHead is not written yet');
}

// %%
await lab.check('architectures/multi-head-attention', multiHead);

// %% [markdown]
// ## Part 4 · What stands between the attentions
//
// Three small functions occur in every model of this course.

// %% [exercise] architectures/layer-norm difficulty=2 minutes=15
// ### Exercise: layer normalisation
// Deep stacks train badly when the size of their vectors drifts from layer to layer. **Layer norm** brings every vector
// to mean 0 and variance 1, then lets the model choose scale and shift by two learned vectors.
//
// Write `layerNorm({weight, bias}, x, eps)`; `eps` keeps the root away from 0.
//
// <!-- hint -->
// Which numbers are averaged: those of one token, or those of one feature over all tokens?
// <!-- hint -->
// x `[..., D]` → mean over the last axis, kept as `[..., 1]` → x − mean → mean of its squares `[..., 1]` → + eps → root
// → quotient → · weight `[D]` + bias `[D]`. `tf.mean(x, -1, true)` keeps the axis.
// <!-- hint -->
// $y = \gamma \cdot \frac{x - \mu}{\sqrt{\sigma^2 + \varepsilon}} + \beta$, with $\sigma^2$ the *population* variance
// (divided by D). Ba, Kiros and Hinton, 2016, "Layer normalization", equation 4.

// %% [answer] architectures/layer-norm
function layerNorm(params: lab.LayerNormParams, x: tf.Tensor, eps: number): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    const normed = tf.div(centred, tf.sqrt(tf.add(variance, eps)));
    return tf.add(tf.mul(normed, params.weight), params.bias);
  });
  // END SOLUTION
  //| // x [..., D]. Return the same shape.
  //| throw new Error('layerNorm is not written yet');
}

// %%
await lab.check('architectures/layer-norm', layerNorm);

// %% [exercise] architectures/dropout difficulty=1 minutes=10
// ### Exercise: dropout
// While training, a share `rate` of the numbers is set to 0 at random, so that the model cannot lean on any single one.
// What is kept is scaled up by 1/(1 − rate), so that sums keep their size. When the model is *used*, nothing is dropped.
//
// Write `dropout(x, rate, uniforms, training)`. The random numbers come as an argument (`uniforms`, as large as x, each
// in [0, 1)): an element is dropped where its number is below `rate`. That makes the result determined, and the function
// testable: a habit worth keeping.
//
// <!-- hint -->
// If a third of the numbers becomes 0, by how much must the others grow so that the sum stays the same on average?
// <!-- hint -->
// training: `uniforms ≥ rate` cast to float32 (like x) → · x → / (1 − rate). Not training: x as it is.
// <!-- hint -->
// $y = x \cdot m / (1 - p)$. Srivastava et al., 2014, "Dropout: a simple way to prevent neural networks from
// overfitting", section 10.

// %% [answer] architectures/dropout
function dropout(x: tf.Tensor, rate: number, uniforms: tf.Tensor, training: boolean): tf.Tensor {
  // BEGIN SOLUTION
  if (!training) return x;
  return tf.tidy(() => {
    const kept = tf.cast(tf.greaterEqual(uniforms, rate), 'float32');
    return tf.div(tf.mul(x, kept), 1 - rate);
  });
  // END SOLUTION
  //| // Return the same shape as x.
  //| throw new Error('dropout is not written yet');
}

// %%
await lab.check('architectures/dropout', dropout);

// %% [exercise] architectures/gelu difficulty=1 minutes=10
// ### Exercise: GELU
// Between the two layers of the feed-forward network stands a function that bends: without one, two linear layers would
// collapse into one. BERT and GPT use **GELU**: x times the probability that a normal random number is smaller than x.
// BERT computes it exactly, with the function erf; GPT-2 with an approximation by tanh. The two differ little, but a
// model trained with one is slightly wrong with the other.
//
// Write `gelu(x, kind)` with `kind` `'erf'` or `'tanh'`.
//
// <!-- hint -->
// `tf.erf` is nearly the probability you need. What is its range, and what must it become?
// <!-- hint -->
// Element by element, the shape stays. erf: x · ½ · (1 + erf(x/√2)). tanh: x · ½ · (1 + tanh(√(2/π) · (x + 0.044715 x³))).
// <!-- hint -->
// $\text{GELU}(x) = x\,\Phi(x)$. Hendrycks and Gimpel, 2016, "Gaussian error linear units (GELUs)", section 2.

// %% [answer] architectures/gelu
function gelu(x: tf.Tensor, kind: 'erf' | 'tanh'): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    if (kind === 'erf') return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2))));
    const cubic = tf.add(x, tf.mul(0.044715, tf.pow(x, 3)));
    return tf.mul(tf.mul(x, 0.5), tf.add(1, tf.tanh(tf.mul(Math.sqrt(2 / Math.PI), cubic))));
  });
  // END SOLUTION
  //| // Return the same shape as x.
  //| throw new Error('gelu is not written yet');
}

// %%
await lab.check('architectures/gelu', gelu);

// %% [markdown]
// How far apart are the two? The next cell computes it.

// %%
const geluOf = await lab.orReference('architectures/gelu', gelu, (x: tf.Tensor, kind: 'erf' | 'tanh') =>
  kind === 'erf' ? lab.gelu(x) : lab.geluTanh(x),
);
const grid = Float32Array.from({ length: 321 }, (_, i) => -4 + i / 40);
const apart = tf.tidy(() => {
  const x = tf.tensor1d(grid);
  return tf.sub(geluOf(x, 'tanh'), geluOf(x, 'erf'));
});
const differences = Array.from(await apart.data());
apart.dispose();
await lab.show(
  lab.lineChart(
    [{ name: 'tanh − erf', points: Array.from(grid, (x, i): [number, number] => [x, differences[i] ?? 0]) }],
    {
      title: 'The approximation minus the exact GELU',
      x: 'x',
      y: 'difference',
    },
  ),
);
console.log(`largest difference: ${Math.max(...differences.map(Math.abs)).toExponential(2)}`);

// %% [markdown]
// ## Part 5 · What the mask decides: a training run
//
// Two small models, the same in every number except for the mask, learn the same task: *for each position, say which
// token comes next*, with the next token in plain sight. A model that sees everything only has to learn where to look.
// A model with the causal mask cannot do better than guessing, for the tokens are drawn at random: its loss must stay at
// $\ln V$, the loss of guessing among V tokens. (The **loss** is $-\ln p$ of the right token, averaged.)
//
// This is the whole difference between BERT and GPT: the encoder cannot be trained to predict the next token, because
// it would simply look; the decoder can, because it cannot.

// %%
const attend = await lab.orReference(
  'architectures/multi-head-attention',
  multiHead,
  (params: lab.AttentionParams, x: tf.Tensor, source: tf.Tensor, bias: tf.Tensor, numHeads: number) =>
    lab.multiHeadAttention(params, x, { numHeads, keyValue: source, bias }),
);

const task = { vocabulary: 12, length: 8, batch: 32, width: 24, heads: 4, steps: lab.stepsFor(300, 60) };

function smallModel(seed: string) {
  const rng = lab.createRng(seed);
  const matrix = (rows: number, columns: number): tf.Tensor2D =>
    tf.tensor2d(
      Float32Array.from({ length: rows * columns }, () => rng.normal() / Math.sqrt(columns)),
      [rows, columns],
    );
  const square = (): lab.LinearParams => ({
    weight: matrix(task.width, task.width),
    bias: tf.zeros([task.width]),
  });
  return lab.trainable({
    words: matrix(task.vocabulary, task.width),
    positions: matrix(task.length, task.width),
    attention: { query: square(), key: square(), value: square(), output: square() },
    head: matrix(task.vocabulary, task.width),
  });
}

function* sequences(seed: string): Generator<number[][]> {
  const rng = lab.createRng(seed);
  for (;;) {
    yield Array.from({ length: task.batch }, () =>
      Array.from({ length: task.length }, () => rng.integer(task.vocabulary)),
    );
  }
}

type SmallModel = ReturnType<typeof smallModel>;

function nextTokenLoss(params: SmallModel, batch: number[][], bias: tf.Tensor): tf.Scalar {
  const inputIds = tf.tensor2d(batch, [task.batch, task.length], 'int32');
  // The label of a position is the token after it; the last position has none.
  const labels = tf.tensor2d(
    batch.map((row) => [...row.slice(1), lab.IGNORED]),
    [task.batch, task.length],
    'int32',
  );
  const x = tf.add(lab.embed(params.words, inputIds), params.positions); // [B, T, D]
  const seen = attend(params.attention, x, x, bias, task.heads); // [B, T, D]
  return lab.crossEntropy(lab.linear({ weight: params.head }, tf.add(x, seen)), labels);
}

async function trainWith(bias: tf.Tensor, onStep: (report: lab.StepReport) => void): Promise<number> {
  const params = smallModel('the same for both');
  const result = await lab.train({
    params,
    loss: (now, batch: number[][]) => nextTokenLoss(now, batch, bias),
    batches: () => sequences('the same for both'),
    optimizer: lab.adamW({ weightDecay: 0 }),
    schedule: 0.01,
    steps: task.steps,
    onStep,
    progress: false,
  });
  lab.disposeParameters(params);
  const last = result.history.slice(-10);
  return last.reduce((sum, { loss }) => sum + loss, 0) / last.length;
}

const guessing = Math.log(task.vocabulary);
const curves = lab.liveLoss({
  title: 'Saying the next token',
  names: ['sees everything', 'causal'],
  level: { value: guessing, name: 'guessing' },
});
const open = tf.zeros([1, 1, task.length, task.length]);
const closed = lab.causalBias(task.length, task.length);
const lossOpen = await trainWith(open, ({ step, loss }) => curves.add(step, { 'sees everything': loss }));
const lossClosed = await trainWith(closed, ({ step, loss }) => curves.add(step, { causal: loss }));
await curves.finish();
tf.dispose([open, closed]);
console.log(
  `last ten steps: ${lossOpen.toFixed(3)} seeing everything, ${lossClosed.toFixed(3)} causal, ${guessing.toFixed(3)} guessing`,
);

// %% [markdown]
// ## Part 6 · Your attention inside a real BERT
//
// The library's models take any of their functions from outside. The next cell builds a small BERT with random numbers,
// runs it once as it is and once with *your* `attention` and `layerNorm` in place of the library's, and compares what
// comes out.

// %%
const ownAttention = await lab.orReference(
  'architectures/scaled-attention',
  attention,
  (q: tf.Tensor4D, k: tf.Tensor4D, v: tf.Tensor4D, bias: tf.Tensor) =>
    lab.scaledDotProductAttention(q, k, v, { bias }),
);
const ownNorm = await lab.orReference(
  'architectures/layer-norm',
  layerNorm,
  (params: lab.LayerNormParams, x: tf.Tensor, eps: number) => lab.layerNorm(params, x, eps),
);

const bertConfig = lab.parseBertConfig({
  vocab_size: 40,
  hidden_size: 24,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  intermediate_size: 48,
  max_position_embeddings: 16,
});
const bertParams = lab.initParameters(lab.bertWeights(bertConfig), lab.createRng('bert'));
const bertInputs = {
  inputIds: tf.tensor2d(
    [
      [2, 17, 31, 8, 3],
      [2, 25, 3, 0, 0],
    ],
    [2, 5],
    'int32',
  ),
  attentionMask: tf.tensor2d(
    [
      [1, 1, 1, 1, 1],
      [1, 1, 1, 0, 0],
    ],
    [2, 5],
    'int32',
  ),
};
const difference = tf.tidy(() => {
  const library = lab.bertModel(bertParams, bertInputs, bertConfig);
  const yours = lab.bertModel(bertParams, bertInputs, bertConfig, {
    components: {
      scaledDotProductAttention: (q, k, v, options) =>
        ownAttention(q, k, v, options?.bias ?? tf.zeros([1, 1, 1, 1])),
      layerNorm: ownNorm,
    },
  });
  return tf.max(tf.abs(tf.sub(library.lastHiddenState, yours.lastHiddenState)));
});
const [farthest = Number.NaN] = await difference.data();
tf.dispose([difference, bertInputs.inputIds, bertInputs.attentionMask]);
lab.disposeParameters(bertParams);
console.log(`largest difference in the hidden states: ${farthest.toExponential(1)}`);

// %% [markdown]
// A difference around 10⁻⁷ or 0 is rounding: float32 has seven digits, and the order of operations decides the last.
//
// ## Part 7 · What a token costs
//
// An encoder reads a text once. A decoder computes a token, appends it, and computes the next. If it started from the
// beginning each time, the work would grow with the square of the length. But the keys and values of earlier tokens do
// not change, because no earlier token sees the new one. So they are kept, in the **key-value cache**: each new token
// computes its own query, key and value only, and attends to what is stored. What is saved in time is paid in memory.

// %% [exercise] architectures/decoding-cost difficulty=2 minutes=20
// ### Exercise: the cost of one more token
// Write `decodingCost(config, length)` for one new token of one sequence, with `length` positions to attend to (itself
// included):
//
// - `cacheBytes`: the memory of the cache. `config.bytes` is the size of one number, and `keyValueHeads` says how many
//   heads have keys and values of their own (in chapter 10, several query heads share one).
// - `flops`: the floating-point operations of the two products inside attention, over all layers. A product of an
//   `[n, m]` with an `[m, p]` matrix counts $2nmp$: a multiplication and an addition each.
//
// <!-- hint -->
// What must be kept so that earlier tokens need not be computed again? How many numbers is that for one head?
// <!-- hint -->
// d = width/heads. One head of one layer keeps keys `[length, d]` and values `[length, d]`. One query `[1, d]` meets
// keysᵀ `[d, length]`, then its weights `[1, length]` meet values `[length, d]`; that for all heads of all layers.
// <!-- hint -->
// bytes $= 2 \cdot L \cdot H_{kv} \cdot d \cdot S \cdot b$ and FLOP $= 4 \cdot L \cdot S \cdot D$. Kaplan et al., 2020,
// "Scaling laws for neural language models", table 1; Shazeer, 2019, "Fast transformer decoding".

// %% [answer] architectures/decoding-cost
function decodingCost(
  config: { layers: number; width: number; heads: number; keyValueHeads: number; bytes: number },
  length: number,
): { cacheBytes: number; flops: number } {
  // BEGIN SOLUTION
  const { layers, width, heads, keyValueHeads, bytes } = config;
  const headWidth = width / heads;
  return {
    cacheBytes: 2 * layers * keyValueHeads * headWidth * length * bytes,
    flops: layers * heads * 2 * (2 * headWidth * length),
  };
  // END SOLUTION
  //| // Return {cacheBytes, flops}.
  //| throw new Error('decodingCost is not written yet');
}

// %%
await lab.check('architectures/decoding-cost', decodingCost);

// %% [markdown]
// Now the three architectures side by side, for a model of the size of GPT-2 small (12 layers, width 768, 12 heads;
// Radford et al., 2019, table 2) with numbers of 4 bytes. Every layer also has its linear products, whose cost does not
// depend on the length: $2 \cdot 12 D^2$ FLOP a token and layer (four products of $D \times D$ in attention, two of $D
// \times 4D$ in the feed-forward network).
//
// - *decoder-only* computes one token and attends to the cache;
// - *encoder-decoder* does so too and also attends to an input, here of 256 tokens, whose keys and values are cached
//   once (and it has four more products for it);
// - *encoder-only* has no cache, because every token sees the new one: to go on writing it would have to compute the
//   whole text again for each token.

// %%
const costOf = await lab.orReference('architectures/decoding-cost', decodingCost, (config, length) => ({
  cacheBytes:
    2 * config.layers * config.keyValueHeads * (config.width / config.heads) * length * config.bytes,
  flops: 4 * config.layers * length * config.width,
}));
const small = { layers: 12, width: 768, heads: 12, keyValueHeads: 12, bytes: 4 };
const inputLength = 256;
const products = 2 * 12 * small.width ** 2 * small.layers;
const crossProducts = 2 * 2 * small.width ** 2 * small.layers; // query and output; the input's keys and values are cached
const lengths = [64, 128, 256, 512, 1024, 2048];
const flopsAt = (cost: (length: number) => number) =>
  lengths.map((length): [number, number] => [length, cost(length)]);
await lab.show(
  lab.lineChart(
    [
      { name: 'decoder-only', points: flopsAt((length) => products + costOf(small, length).flops) },
      {
        name: 'encoder-decoder',
        points: flopsAt(
          (length) =>
            products + crossProducts + costOf(small, length).flops + costOf(small, inputLength).flops,
        ),
      },
      {
        name: 'encoder-only, all over again',
        points: flopsAt((length) => length * (products + costOf(small, length).flops)),
      },
    ],
    { title: 'Work for one more token', x: 'tokens so far', y: 'FLOP', logX: true, logY: true, marks: true },
  ),
);
const megabytes = (length: number): number => costOf(small, length).cacheBytes / 2 ** 20;
await lab.show(
  lab.lineChart(
    [
      { name: 'decoder-only', points: flopsAt(megabytes) },
      { name: 'encoder-decoder', points: flopsAt((length) => megabytes(length) + megabytes(inputLength)) },
    ],
    { title: 'Memory of the cache, one sequence', x: 'tokens so far', y: 'MiB', marks: true },
  ),
);

// %% [markdown]
// ## Quiz
//
// Click a choice to see whether it is right, and why.

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'Why is the bias added before the softmax and not multiplied in after it?',
      choices: [
        { text: 'It is faster.', why: 'Both take one pass over the scores.' },
        {
          text: 'After it, the remaining weights would no longer sum to 1.',
          right: true,
          why: 'The softmax would already have given weight to what is hidden; removing it leaves the rest too small.',
        },
        {
          text: 'The softmax would overflow.',
          why: 'It subtracts the largest score first and cannot overflow.',
        },
      ],
    },
    {
      ask: 'There are S = 10 keys and T = 2 queries in causal attention. What does the first query see?',
      choices: [
        {
          text: 'Key 0 only.',
          why: 'That is the alignment with the upper left corner: the query is not at position 0.',
        },
        {
          text: 'Keys 0 to 8.',
          right: true,
          why: 'The two queries are positions 8 and 9; the first sees up to itself.',
        },
        { text: 'Keys 0 to 9.', why: 'Position 9 is the second query: the future.' },
      ],
    },
    {
      ask: 'What happens without the division by √d when heads become wider?',
      choices: [
        {
          text: 'The weights come closer to 0 and 1, and gradients vanish.',
          right: true,
          why: 'The scores spread with √d, and the softmax of widely spread scores is nearly a maximum.',
        },
        { text: 'All weights become equal.', why: 'That would happen if one divided by too much.' },
        {
          text: 'Nothing, the layers before it learn to compensate.',
          why: 'They may, slowly; at the start of training the harm is done.',
        },
      ],
    },
    {
      ask: 'In cross-attention, where do queries, keys and values come from?',
      choices: [
        { text: 'All three from the decoder.', why: 'That is the decoder’s self-attention.' },
        {
          text: 'Queries and keys from the encoder, values from the decoder.',
          why: 'Then the decoder would read itself.',
        },
        {
          text: 'Queries from the decoder, keys and values from the encoder.',
          right: true,
          why: 'The decoder asks, and the encoder’s positions answer.',
        },
      ],
    },
    {
      ask: 'Why can BERT not be trained to predict the next token?',
      choices: [
        { text: 'It has no output layer.', why: 'One could be added.' },
        {
          text: 'Every position sees the next token, so there is nothing to predict.',
          right: true,
          why: 'In the training run above that model reached a loss near 0 by looking. BERT hides tokens instead: chapter 03.',
        },
        { text: 'It has too few layers.', why: 'The run above needed only one.' },
      ],
    },
    {
      ask: 'Why can a decoder keep the keys and values of earlier tokens, and an encoder not?',
      choices: [
        {
          text: 'In a decoder no earlier token sees a later one, so what was computed stays right.',
          right: true,
          why: 'In an encoder a new token changes the vectors of all tokens in every layer but the first.',
        },
        { text: 'An encoder has no keys and values.', why: 'It has; both use the same attention.' },
        { text: 'An encoder is too large.', why: 'Size has nothing to do with it.' },
      ],
    },
    {
      ask: 'A reshape from [B, T, D] straight to [B, H, T, d] gives the right shape. What is wrong?',
      choices: [
        { text: 'Nothing.', why: 'The shape is right, the numbers are not.' },
        { text: 'It copies the data.', why: 'A reshape copies nothing: that is the point.' },
        {
          text: 'A head then holds pieces of different positions.',
          right: true,
          why: 'A reshape moves no number. Cut D into [H, d] first, then transpose.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Vaswani et al., 2017, *Attention is all you need*: the transformer, first as an encoder-decoder.
// - Bahdanau, Cho and Bengio, 2015, *Neural machine translation by jointly learning to align and translate*: attention
//   before the transformer.
// - Ba, Kiros and Hinton, 2016, *Layer normalization*.
// - Hendrycks and Gimpel, 2016, *Gaussian error linear units (GELUs)*.
// - Raffel et al., 2020, *Exploring the limits of transfer learning with a unified text-to-text transformer*: section 3.2
//   compares the three architectures at equal cost.
// - Shazeer, 2019, *Fast transformer decoding: one write-head is all you need*: why the cache is what limits decoding.
//
// Next: chapter 03, where an encoder learns from text with holes in it.
