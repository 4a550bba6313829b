// %% [markdown]
// # 06 · ELECTRA
//
// BERT learns from 15% of the tokens. The other 85% pass through the whole network and teach nothing. And the tokens that
// do teach are hidden behind a `[MASK]` that never occurs when the model is used. ELECTRA (Clark et al., 2020) repairs
// both with one idea: do not *hide* tokens, *replace* some by plausible others, and ask of **every** token: is it the
// original?
//
// Who makes plausible replacements? A small BERT, the **generator**, trained beside. Who finds them? The
// **discriminator**: the model we are after. When training ends, the generator is thrown away.
//
// | | BERT | ELECTRA |
// |---|---|---|
// | the model reads | a text with `[MASK]`s | a text without a gap, but with a few wrong words |
// | it answers | which word was here? (V choices) | is this word the original? (2 choices) |
// | it learns from | 15% of the tokens | **all** tokens |
//
// It looks like a game of forger and detective (a GAN), but it is none: the generator is *not* trained to fool anybody,
// only to fill gaps, as BERT is.
//
// You need chapter 03.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

const backend = await lab.startBackend();
await lab.show(`Computing on **${backend.name}**: ${backend.device}.`);

// %%
await lab.show(
  lab.architectureFigure({
    title: 'ELECTRA in training',
    rows: [
      [{ label: 'text with gaps', note: 'the [MASK] cooked the [MASK]', kind: 'data', shape: '[B, T]' }],
      [{ label: 'generator', note: 'a small BERT', shape: '[B, P, V]' }],
      [{ label: 'draw a token for each gap', note: 'no gradient passes', shape: '[B, P]' }],
      [{ label: 'corrupted text', note: 'the chef ate the meal', kind: 'data', shape: '[B, T]' }],
      [{ label: 'discriminator', note: 'the model we keep', shape: '[B, T, D]' }],
      [{ label: 'replaced or original?', note: 'for every token', kind: 'head', shape: '[B, T]' }],
    ],
  }),
);

// %% [markdown]
// (B texts of T tokens in a batch, width D, a vocabulary of V tokens as always; P is the number of gaps in a row. The sentence is the one in figure 2 of the paper: the generator put "ate" where
// "cooked" stood, and guessed "the" right.)
//
// ## Part 1 · Filling the gaps by drawing
//
// The generator gives scores for every gap. Taking the best one each time would make few mistakes, and always the same.
// So a token is *drawn*, with the probabilities of the softmax. There is a neat way to draw with the operations that
// a GPU is good at: add noise of the right kind to the scores and take the largest.
//
// The right kind is *Gumbel* noise, $g = -\ln(-\ln u)$ with $u$ uniform on (0, 1). Then the place of the largest
// $z_i + g_i$ is a draw from $\text{softmax}(z)$: exactly, not approximately.

// %% [exercise] electra/gumbel-sample difficulty=2 minutes=20
// ### Exercise: sampling with Gumbel noise
// Write `sampleTokens(logits, uniforms, temperature)`: `[B, P, V]` → `[B, P]`, whole numbers. The logits are divided by the
// `temperature` first (above 1: bolder, below 1: safer). The uniform numbers come as an argument, so that the result is
// determined.
//
// <!-- hint -->
// Which axis holds the candidates for one gap?
// <!-- hint -->
// logits / temperature `[B, P, V]` + (−ln(−ln uniforms)) `[B, P, V]` → `tf.argMax(…, -1)` → int32 `[B, P]`.
// <!-- hint -->
// $\arg\max_i (z_i/\tau + g_i)$ is distributed as $\text{softmax}(z/\tau)$: the Gumbel-max trick (Maddison, Tarlow and
// Minka, 2014, "A* sampling"). Clark et al., 2020, section 3.1.

// %% [answer] electra/gumbel-sample
function sampleTokens(logits: tf.Tensor3D, uniforms: tf.Tensor3D, temperature: number): tf.Tensor2D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const noise = tf.neg(tf.log(tf.neg(tf.log(uniforms))));
    return tf.argMax<tf.Tensor2D>(tf.add(tf.div(logits, temperature), noise), -1);
  });
  // END SOLUTION
  //| // Return int32 [B, P].
  //| throw new Error('sampleTokens is not written yet');
}

// %%
await lab.check('electra/gumbel-sample', sampleTokens);

// %% [markdown]
// Is it really a draw from the softmax? Here are 20,000 draws, counted, beside the probabilities.

// %%
const drawWith = await lab.orReference(
  'electra/gumbel-sample',
  sampleTokens,
  (logits: tf.Tensor3D, uniforms: tf.Tensor3D, temperature: number) =>
    tf.tidy(() => {
      const noise = tf.neg(tf.log(tf.neg(tf.log(uniforms))));
      return tf.argMax<tf.Tensor2D>(tf.add(tf.div(logits, temperature), noise), -1);
    }),
);

function uniformNumbers(rng: lab.Rng, shape: [number, number, number]): tf.Tensor3D {
  const size = shape[0] * shape[1] * shape[2];
  // Never 0 or 1, whose logarithms are infinite.
  return tf.tensor3d(
    Float32Array.from({ length: size }, () => 1e-6 + (1 - 2e-6) * rng.next()),
    shape,
  );
}

const scores = [2, 1, 0, -1, 0.5];
const draws = 20_000;
const drawn = tf.tidy(() => {
  const logits = tf.tile(tf.tensor3d(scores, [1, 1, scores.length]), [1, draws, 1]);
  return drawWith(logits, uniformNumbers(lab.createRng('draws'), [1, draws, scores.length]), 1);
});
const counts = new Map<number, number>();
for (const token of await drawn.data()) counts.set(token, (counts.get(token) ?? 0) + 1);
drawn.dispose();
const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
const frequencies = scores.map((score, token) => ({
  token,
  drawn: (counts.get(token) ?? 0) / draws,
  softmax: Math.exp(score) / total,
}));
await lab.show(lab.table(frequencies, `${draws} draws`));

// %% [exercise] electra/corrupt difficulty=2 minutes=15
// ### Exercise: replaced, or only guessed right?
// Write `corrupt(original, positions, sampled)`: the text with `sampled[k]` at `positions[k]`, and `replaced`, for every
// token 1 if it differs from the original, else 0. Where the generator guessed right, nothing was replaced.
//
// <!-- hint -->
// Can anybody tell a right guess from the original?
// <!-- hint -->
// inputIds = copy of `original`, with the samples put in; replaced[i] = 1 where inputIds[i] ≠ original[i]. Both have the
// length of `original`.
// <!-- hint -->
// Clark et al., 2020, section 2: a token that the generator got right counts as original.

// %% [answer] electra/corrupt
function corrupt(
  original: number[],
  positions: number[],
  sampled: number[],
): { inputIds: number[]; replaced: number[] } {
  // BEGIN SOLUTION
  const inputIds = [...original];
  for (const [k, position] of positions.entries()) inputIds[position] = sampled[k] ?? 0;
  return { inputIds, replaced: inputIds.map((id, i) => (id === original[i] ? 0 : 1)) };
  // END SOLUTION
  //| // Return {inputIds, replaced}, both as long as original.
  //| throw new Error('corrupt is not written yet');
}

// %%
await lab.check('electra/corrupt', corrupt);

// %% [markdown]
// ## Part 2 · The detective
//
// The discriminator is BERT's encoder with a small head: one number for each token, large where it suspects a
// replacement.

// %% [exercise] electra/discriminator-head difficulty=1 minutes=10
// ### Exercise: the head
// Write `discriminatorHead(params, hidden)`: `[B, T, D]` → `[B, T]`. A dense layer, GELU (the exact one, `lab.gelu`), a
// linear layer with one output (`params.prediction`).
//
// <!-- hint -->
// One number for each token: what must happen to the last axis at the end?
// <!-- hint -->
// hidden `[B, T, D]` → dense `[B, T, D]` → gelu → prediction `[B, T, 1]` → `tf.squeeze(…, [2])` → `[B, T]`.
// <!-- hint -->
// $z_t = w^\top \text{GELU}(W h_t + b) + c$ and $D(x, t) = \sigma(z_t)$. Clark et al., 2020, section 2, and the released
// code.

// %% [answer] electra/discriminator-head
function discriminatorHead(
  params: { dense: lab.LinearParams; prediction: lab.LinearParams },
  hidden: tf.Tensor,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const inner = lab.gelu(lab.linear(params.dense, hidden)); // [B, T, D]
    return tf.squeeze(lab.linear(params.prediction, inner), [2]); // [B, T]
  });
  // END SOLUTION
  //| // hidden [B, T, D] in, logits [B, T] out.
  //| throw new Error('discriminatorHead is not written yet');
}

// %%
await lab.check('electra/discriminator-head', discriminatorHead);

// %% [exercise] electra/discriminator-loss difficulty=2 minutes=15
// ### Exercise: a loss from every token
// Two classes need only one logit $z$: the probability of "replaced" is $\sigma(z) = 1/(1 + e^{-z})$, and the loss of a token
// is $-\ln$ of the probability of its label $y$. Written so that nothing overflows, that is $\ln(1 + e^z) - z y$, and
// `tf.softplus(z)` is $\ln(1 + e^z)$.
//
// Write `discriminatorLoss(logits, batch)`: the mean over all tokens that are not padding. The batch has `replaced` (the
// labels), `attentionMask` (1 = token), and `masked` (where the generator was at work).
//
// <!-- hint -->
// About which tokens can the discriminator be right or wrong?
// <!-- hint -->
// softplus(z) − z · y `[B, T]` → times the weights `[B, T]`, as float32 → one sum → divided by the sum of the weights.
// <!-- hint -->
// $L = -\frac{1}{n}\sum_t \big(y_t \ln \sigma(z_t) + (1 - y_t) \ln(1 - \sigma(z_t))\big)$. Clark et al., 2020, section 2.

// %% [answer] electra/discriminator-loss
function discriminatorLoss(
  logits: tf.Tensor2D,
  batch: { replaced: tf.Tensor2D; attentionMask: tf.Tensor2D; masked: tf.Tensor2D },
): tf.Scalar {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const weights = tf.cast(batch.attentionMask, 'float32');
    const losses = tf.sub(tf.softplus(logits), tf.mul(logits, tf.cast(batch.replaced, 'float32')));
    return tf.div<tf.Scalar>(tf.sum(tf.mul(losses, weights)), tf.sum(weights));
  });
  // END SOLUTION
  //| // Return a scalar.
  //| throw new Error('discriminatorLoss is not written yet');
}

// %%
await lab.check('electra/discriminator-loss', discriminatorLoss);

// %% [markdown]
// ## Part 3 · Two networks, trained as one
//
// Generator and discriminator are trained together, on the sum of their losses. A choice among two classes has a loss of
// at most about ln 2 = 0.69, one among thousands starts near 10, so the smaller one gets a weight: 50.
//
// No gradient flows from the discriminator into the generator: between them stands a *draw*, a whole number, and whole
// numbers have no derivative. What they do share is the **table of word embeddings**. The generator learns much about
// words, since its softmax touches every word of the vocabulary; the discriminator sees only those that occur.

// %% [exercise] electra/joint-loss difficulty=1 minutes=10
// ### Exercise: the joint loss
// Write `jointLoss(generator, discriminator)`: the masked-LM loss of the generator plus 50 times the loss of the
// discriminator. `lab.crossEntropy(logits, labels)` and `lab.binaryCrossEntropy(logits, labels, weights)` are at your
// service.
//
// <!-- hint -->
// Which of the two losses is the small one?
// <!-- hint -->
// Both are single numbers: first + 50 · second. The weights of the second are the attention mask.
// <!-- hint -->
// $L = L_\text{MLM} + \lambda L_\text{Disc}$, $\lambda = 50$. Clark et al., 2020, section 2 and appendix A.

// %% [answer] electra/joint-loss
function jointLoss(
  generator: { logits: tf.Tensor3D; labels: tf.Tensor2D },
  discriminator: { logits: tf.Tensor2D; replaced: tf.Tensor2D; attentionMask: tf.Tensor2D },
): tf.Scalar {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const { logits, replaced, attentionMask } = discriminator;
    const gaps = lab.crossEntropy(generator.logits, generator.labels);
    const tokens = lab.binaryCrossEntropy(logits, replaced, attentionMask);
    return tf.add<tf.Scalar>(gaps, tf.mul(50, tokens));
  });
  // END SOLUTION
  //| // Return a scalar.
  //| throw new Error('jointLoss is not written yet');
}

// %%
await lab.check('electra/joint-loss', jointLoss);

// %% [exercise] electra/shared-embeddings difficulty=2 minutes=15
// ### Exercise: one table for two networks
// Write `embedBoth(params, ids)`. Both texts, `ids.masked` for the generator and `ids.corrupted` for the discriminator, are
// looked up in the *same* `params.table`. Where a network is not as wide as the table, a linear layer leads there
// (`params.generator`, `params.discriminator`); where it is, that layer is `null`.
//
// <!-- hint -->
// What do the two networks do differently after the look-up?
// <!-- hint -->
// `lab.embed(params.table, ids.masked)` `[B, T, E]` → `lab.linear(params.generator, …)` unless it is null; the same for the
// other.
// <!-- hint -->
// Clark et al., 2020, section 3.2, weight sharing.

// %% [answer] electra/shared-embeddings
function embedBoth(
  params: { table: tf.Tensor2D; generator: lab.LinearParams | null; discriminator: lab.LinearParams | null },
  ids: { masked: tf.Tensor2D; corrupted: tf.Tensor2D },
): { generator: tf.Tensor; discriminator: tf.Tensor } {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const lookUp = (tokens: tf.Tensor2D, projection: lab.LinearParams | null): tf.Tensor => {
      const words = lab.embed(params.table, tokens); // [B, T, E]
      return projection === null ? words : lab.linear(projection, words);
    };
    return {
      generator: lookUp(ids.masked, params.generator),
      discriminator: lookUp(ids.corrupted, params.discriminator),
    };
  });
  // END SOLUTION
  //| // Return {generator, discriminator}.
  //| throw new Error('embedBoth is not written yet');
}

// %%
await lab.check('electra/shared-embeddings', embedBoth);

// %% [markdown]
// ### Your pieces inside the real model
//
// The library's ELECTRA with random weights judges two texts, once with its own head and once with yours. Your two losses
// are compared with the library's on the same verdicts.

// %%
const headOf = await lab.orReference('electra/discriminator-head', discriminatorHead, (params, hidden) =>
  tf.tidy(() => tf.squeeze(lab.linear(params.prediction, lab.gelu(lab.linear(params.dense, hidden))), [2])),
);
const smallConfig = lab.parseElectraConfig({
  vocab_size: 40,
  embedding_size: 10,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 48,
  max_position_embeddings: 16,
});
const small = lab.initParameters(lab.electraForPreTrainingWeights(smallConfig), lab.createRng('electra'));
const sample = {
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
const detectiveLoss = await lab.orReference(
  'electra/discriminator-loss',
  discriminatorLoss,
  (logits, { replaced, attentionMask }) =>
    tf.tidy(() => lab.binaryCrossEntropy(logits, replaced, attentionMask)),
);
const lossOf = await lab.orReference('electra/joint-loss', jointLoss, (generator, detective) =>
  tf.tidy(() => {
    const tokens = lab.binaryCrossEntropy(detective.logits, detective.replaced, detective.attentionMask);
    return tf.add<tf.Scalar>(lab.crossEntropy(generator.logits, generator.labels), tf.mul(50, tokens));
  }),
);
const differences = tf.tidy(() => {
  const { logits } = lab.electraForPreTraining(small, sample, smallConfig);
  const { lastHiddenState } = lab.electraModel(small, sample, smallConfig);
  const verdicts = tf.reshape<tf.Rank.R2>(logits, [2, 5]);
  const replaced = tf.tensor2d(
    [
      [0, 1, 0, 0, 0],
      [0, 1, 0, 0, 0],
    ],
    [2, 5],
    'int32',
  );
  const { attentionMask } = sample;
  const labels = tf.tensor2d([17, -100, -100, 25], [2, 2], 'int32');
  const guesses = tf.tensor3d(
    Float32Array.from({ length: 160 }, (_, i) => Math.sin(i)),
    [2, 2, 40],
  );
  const tokens = lab.binaryCrossEntropy(verdicts, replaced, attentionMask);
  const joint = tf.add(lab.crossEntropy(guesses, labels), tf.mul(50, tokens));
  const apart = (own: tf.Tensor, library: tf.Tensor): tf.Tensor => tf.max(tf.abs(tf.sub(own, library)));
  return tf.stack([
    apart(headOf(small.discriminator, lastHiddenState), logits),
    apart(detectiveLoss(verdicts, { replaced, attentionMask, masked: replaced }), tokens),
    apart(lossOf({ logits: guesses, labels }, { logits: verdicts, replaced, attentionMask }), joint),
  ]);
});
const differenceValues = Array.from(await differences.data());
const farthest = Math.max(...differenceValues);
tf.dispose([differences, ...Object.values(sample)]);
lab.disposeParameters(small);
await lab.show(
  lab.table(
    ['discriminator head: logits', 'discriminator loss', 'joint loss'].map((part, i) => ({
      part,
      'largest difference': (differenceValues[i] ?? Number.NaN).toExponential(1),
    })),
    'Your pieces and the library’s',
  ),
);
console.log(`At most ${farthest.toExponential(1)} apart.`);

// %% [markdown]
// ## Part 4 · Finding the wrong words: a training run
//
// A generator of one narrow layer and a discriminator of two layers learn from our stories. (Clark et al. found generators
// of a quarter to half the discriminator's width best, section 3.2: one that is too good leaves nothing to find.)

// %%
const stories = await lab.loadStories();
const sentences = stories.slice(0, 2000).flat();
const heldOut = stories.slice(2000, 2040).flat();
const vocabulary = lab.trainWordPiece(sentences, { vocabSize: 600, score: 'frequency' });
const tokenizer = lab.wordPieceTokenizer(vocabulary);
const idOf = (token: string): number => tokenizer.tokenToId(token) ?? 0;
const [padId, maskId] = [idOf('[PAD]'), idOf('[MASK]')];
const specialIds = new Set([padId, idOf('[UNK]'), idOf('[CLS]'), idOf('[SEP]'), maskId]);

const settings = {
  vocab_size: tokenizer.vocabSize,
  embedding_size: 64,
  max_position_embeddings: 48,
  initializer_range: 0.06,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
};
const generatorConfig = lab.parseElectraConfig({
  ...settings,
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 64,
});
const discriminatorConfig = lab.parseElectraConfig({
  ...settings,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
});

const ownGenerator = lab.initParameters(
  lab.electraForMaskedLMWeights(generatorConfig),
  lab.createRng('generator'),
);
const discriminator = lab.initParameters(
  lab.electraForPreTrainingWeights(discriminatorConfig),
  lab.createRng('discriminator'),
);
// One table in two places: what the generator had of its own is let go.
tf.dispose(ownGenerator.embeddings.wordEmbeddings.weight);
const params = lab.trainable({
  generator: {
    ...ownGenerator,
    embeddings: { ...ownGenerator.embeddings, wordEmbeddings: discriminator.embeddings.wordEmbeddings },
  },
  discriminator,
});

interface Row {
  original: number[];
  masked: number[];
  labels: number[];
}

/** A sentence with gaps: all of the chosen tokens become [MASK], as in ELECTRA. */
function rowOf(text: string, rng: lab.Rng): Row {
  const { inputIds } = tokenizer.encode(text, { maxLength: 40 });
  const original = [...inputIds];
  const { inputIds: masked, labels } = lab.maskTokens(
    original,
    original.map((id) => (specialIds.has(id) ? 1 : 0)),
    { rng, maskId, vocabSize: tokenizer.vocabSize, specialIds, maskFraction: 1, randomFraction: 0 },
  );
  return { original, masked, labels };
}

function matrix(rows: number[][], filler: number): tf.Tensor2D {
  const longest = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]);
  return tf.tensor2d(padded, [rows.length, longest], 'int32');
}

/** Both networks on a batch: the generator fills the gaps, the discriminator judges every token. */
function runBoth(now: typeof params, rows: Row[], rng: lab.Rng) {
  const original = matrix(
    rows.map((row) => row.original),
    padId,
  );
  const inputIds = matrix(
    rows.map((row) => row.masked),
    padId,
  );
  const labels = matrix(
    rows.map((row) => row.labels),
    lab.IGNORED,
  );
  const attentionMask = tf.cast<tf.Tensor2D>(tf.notEqual(original, padId), 'int32');
  const guesses = lab.electraForMaskedLM(now.generator, { inputIds, attentionMask }, generatorConfig);
  const [batch, length] = original.shape;
  const logits = tf.reshape<tf.Rank.R3>(guesses.logits, [batch, length, tokenizer.vocabSize]);
  const sampled = drawWith(logits, uniformNumbers(rng, [batch, length, tokenizer.vocabSize]), 1); // [B, T]
  const gap = tf.notEqual(labels, lab.IGNORED);
  const corrupted = tf.cast<tf.Tensor2D>(tf.where(gap, sampled, original), 'int32');
  const replaced = tf.cast<tf.Tensor2D>(tf.notEqual(corrupted, original), 'int32');
  const judged = lab.electraForPreTraining(
    now.discriminator,
    { inputIds: corrupted, attentionMask },
    discriminatorConfig,
  );
  const verdicts = tf.reshape<tf.Rank.R2>(judged.logits, [batch, length]);
  return { logits, labels, verdicts, replaced, attentionMask, corrupted };
}

const STEPS = lab.stepsFor(900, 20);
const BATCH = 32;
const curves = lab.liveLoss({ title: 'Both losses', names: ['generator', 'discriminator × 10'] });
await lab.train({
  params,
  loss: (now, rows: Row[], step) => {
    const out = runBoth(now, rows, lab.createRng(`draw ${step}`));
    const gaps = lab.crossEntropy(out.logits, out.labels);
    const tokens = lab.binaryCrossEntropy(out.verdicts, out.replaced, out.attentionMask);
    const loss = lossOf(
      { logits: out.logits, labels: out.labels },
      { logits: out.verdicts, replaced: out.replaced, attentionMask: out.attentionMask },
    );
    return { loss, gaps, tokens };
  },
  *batches(epoch) {
    const rng = lab.createRng(`epoch ${epoch}`);
    const order = lab.shuffle(sentences, rng);
    for (let start = 0; start + BATCH <= order.length; start += BATCH) {
      yield order.slice(start, start + BATCH).map((text) => rowOf(text, rng));
    }
  },
  optimizer: lab.adamW({ weightDecay: 0.01 }),
  schedule: lab.linearSchedule({ peak: 3e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
  steps: STEPS,
  clipNorm: 5,
  onStep: ({ step, metrics }) =>
    curves.add(step, { generator: metrics.gaps ?? 0, 'discriminator × 10': 10 * (metrics.tokens ?? 0) }),
  progress: lab.progressBar('ELECTRA'),
});
await curves.finish();

// %% [markdown]
// ### Does it find them?
//
// Most tokens are original, so "original" everywhere would be right most of the time: accuracy says little. Better are two
// questions, on sentences that were held back. *Precision*: of the tokens it accuses, how many were replaced? *Recall*: of
// the replaced tokens, how many does it accuse?

// %%
const testRng = lab.createRng('test');
const testRows = heldOut.map((text) => rowOf(text, testRng));
const [verdicts, replaced, tokens, corrupted] = tf.tidy(() => {
  const out = runBoth(params, testRows, testRng);
  return [out.verdicts, out.replaced, out.attentionMask, out.corrupted];
});
const [verdictValues, replacedValues, tokenValues, corruptedValues] = await Promise.all(
  [verdicts, replaced, tokens, corrupted].map((tensor) => tensor.data()),
);
const width = verdicts.shape[1];
tf.dispose([verdicts, replaced, tokens, corrupted]);
const accused = Array.from(verdictValues ?? [], (z) => z > 0);
const isToken = Array.from(tokenValues ?? [], (value) => value === 1);
const isReplaced = Array.from(replacedValues ?? [], (value) => value === 1);
const count = (holds: (i: number) => boolean): number =>
  accused.filter((_, i) => isToken[i] && holds(i)).length;
const hits = count((i) => accused[i] === true && isReplaced[i] === true);
const precision =
  hits /
  Math.max(
    1,
    count((i) => accused[i] === true),
  );
const recall =
  hits /
  Math.max(
    1,
    count((i) => isReplaced[i] === true),
  );
console.log(
  `${count((i) => isReplaced[i] === true)} of ${count(() => true)} tokens were replaced; precision ${(100 * precision).toFixed(0)}%, recall ${(100 * recall).toFixed(0)}%`,
);

// %% [markdown]
// And to look at: sentences as the discriminator got them. A token that it accuses stands in «quotes», and the word that
// was replaced is named behind.

// %%
const shown = testRows.slice(0, 60).flatMap((row, r) => {
  const marks = row.original.slice(1, -1).map((id, k) => {
    const i = r * width + k + 1;
    const token = tokenizer.idToToken(corruptedValues?.[i] ?? 0) ?? '';
    const suspect = accused[i] ? `«${token}»` : token;
    return isReplaced[i] ? `${suspect} (was ${tokenizer.idToToken(id)})` : suspect;
  });
  const any = row.original.some((_, k) => isReplaced[r * width + k]);
  return any ? [{ 'what the discriminator says': marks.join(' ') }] : [];
});
await lab.show(lab.table(shown.slice(0, 8)));

// %% [markdown]
// And a sentence that *you* have spoiled? The bars show how likely the discriminator thinks it that each token was
// replaced. In this world a cow says *moo*, and a lemon is *yellow*.

// %%
const suspicionOf = async (text: string): Promise<lab.Bar[]> => {
  const { inputIds, tokens: pieces } = tokenizer.encode(text);
  const suspected = tf.tidy(() => {
    const inputs = { inputIds: tf.tensor2d([inputIds], [1, inputIds.length], 'int32') };
    return tf.sigmoid(lab.electraForPreTraining(params.discriminator, inputs, discriminatorConfig).logits);
  });
  const values = await suspected.data();
  suspected.dispose();
  // The place goes before the token: a token may come twice.
  return pieces.map((piece, i) => ({ label: `${i} ${piece}`, value: values[i] ?? 0 })).slice(1, -1);
};
const SPOILED = [
  'The cow was hungry and said meow.',
  'There was a lemon that was red.',
  'The hen came out of the market.',
];
const mostSuspect: { sentence: string; 'most suspect': string; probability: number }[] = [];
for (const text of SPOILED) {
  const bars = await suspicionOf(text);
  await lab.show(lab.barChart(bars, { title: text.slice(0, -1), value: 'probability that it was replaced' }));
  const top = bars.reduce((most, bar) => (bar.value > most.value ? bar : most));
  mostSuspect.push({ sentence: text, 'most suspect': top.label, probability: top.value });
}
await lab.show(lab.table(mostSuspect));
lab.disposeParameters(params);

// %% [markdown]
// When this chapter was written, *market* stood out at once: a hen comes out of a coop or a barn, not out of a market. *Meow* was
// overlooked. To know that it is wrong, one must connect the sound with the animal four words before, and generators seldom
// put another animal's sound there, so there was little to learn it from. And in the second sentence the model may accuse a
// word that is fine: it has never seen that sentence end so early, and takes the unusual for the wrong. A discriminator knows
// what it was *shown*, not what is true.

// %% [markdown]
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'Why does ELECTRA learn more from the same text than BERT?',
      choices: [
        {
          text: 'It has two networks.',
          why: 'The generator adds work, not signal for the discriminator’s other tokens.',
        },
        {
          text: 'Every token has a label, not only 15% of them.',
          right: true,
          why: 'Clark et al. test exactly this in section 3.4: with a loss on the replaced positions alone, most of the gain is lost.',
        },
        { text: 'Its vocabulary is larger.', why: 'It is BERT’s.' },
      ],
    },
    {
      ask: 'The generator guesses the original token. What is the label?',
      choices: [
        {
          text: '1: the position was masked.',
          why: 'The text is the same as the original: nobody could tell.',
        },
        {
          text: '0: nothing was replaced.',
          right: true,
          why: 'The label says whether the token differs from the original.',
        },
        { text: 'The position is left out.', why: 'It counts like every other original token.' },
      ],
    },
    {
      ask: 'Why are tokens drawn instead of taking the most likely?',
      choices: [
        { text: 'Drawing is faster.', why: 'It adds noise to every score.' },
        {
          text: 'The best guesses make few mistakes, and always the same ones.',
          right: true,
          why: 'The detective needs varied forgeries to learn from.',
        },
        { text: 'So that gradients flow.', why: 'They do not flow through either: both give whole numbers.' },
      ],
    },
    {
      ask: 'Is ELECTRA a GAN?',
      choices: [
        {
          text: 'Yes, a generator tries to fool a discriminator.',
          why: 'Its generator never hears what the discriminator says.',
        },
        {
          text: 'No: the generator is trained to fill gaps, by maximum likelihood.',
          right: true,
          why: 'Section 2 lists this among the differences from a GAN.',
        },
        { text: 'Only while training.', why: 'Not even then.' },
      ],
    },
    {
      ask: 'Why does the discriminator’s loss get the weight 50?',
      choices: [
        { text: 'There are 50 tokens in a row.', why: 'The number has nothing to do with the length.' },
        {
          text: 'A two-way choice has a much smaller loss than a choice among thousands.',
          right: true,
          why: 'Without the weight, the generator would dominate the shared table.',
        },
        { text: 'To slow it down.', why: 'A weight makes its gradients larger.' },
      ],
    },
    {
      ask: 'The generator is made as large as the discriminator. What happens?',
      choices: [
        { text: 'The discriminator gets better.', why: 'Clark et al. measured the opposite (section 3.2).' },
        {
          text: 'The replacements become so good that there is little to find.',
          right: true,
          why: 'And more computation goes into a network that is thrown away.',
        },
        { text: 'Nothing.', why: 'The size of the generator matters: a quarter to a half worked best.' },
      ],
    },
    {
      ask: 'Which part of ELECTRA is used afterwards?',
      choices: [
        { text: 'The generator.', why: 'It was only a means.' },
        {
          text: 'The discriminator, fine-tuned like BERT.',
          right: true,
          why: 'Its head is replaced by one for the task.',
        },
        { text: 'Both, averaged.', why: 'They do not even have the same width.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Clark et al., 2020, *ELECTRA: pre-training text encoders as discriminators rather than generators*.
// - Maddison, Tarlow and Minka, 2014, *A\* sampling*: Gumbel noise and the largest value.
// - Goodfellow et al., 2014, *Generative adversarial nets*: the game that this is not.
//
// Next: chapter 07, a model that reads a broken text and writes the whole one.
