// %% [markdown]
// # 10 · LLaMA
//
// GPT-3 was closed, and very large. LLaMA (Touvron et al., 2023, [LLaMA: open and efficient foundation language
// models](https://arxiv.org/abs/2302.13971)) is a smaller decoder, trained for longer on public text, with published weights. The
// block is that of GPT-2 with four parts replaced:
//
// | | GPT-2 | LLaMA |
// |---|---|---|
// | norm | layer norm | RMS norm: nothing subtracted, no shift |
// | positions | a learned vector added to each token | queries and keys are **turned** by an angle that grows with the position |
// | feed-forward | two matrices, GELU | three matrices, a gate: SwiGLU |
// | keys and values | one head for each query head | from the second generation on, shared by groups of query heads |
//
// Letters: B sequences, T new tokens, P cached tokens, S = P + T keys, D width, H query heads, G key-value heads, d width of a
// head, F feed-forward width. You need chapters 02 and 09.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'LLaMA',
    rows: [
      [{ label: 'token embedding', note: 'table [V, D]', kind: 'data', shape: '[B, T, D]' }],
      [{ label: 'RMS norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'causal self-attention', note: 'rotary, H queries, G keys', shape: '[B, T, D]' }],
      [{ label: 'add', shape: '[B, T, D]' }],
      [{ label: 'RMS norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'SwiGLU', note: 'D → F → D', shape: '[B, T, D]' }],
      [{ label: 'add', shape: '[B, T, D]' }],
      [{ label: 'final RMS norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'head', note: 'logits', kind: 'head', shape: '[B, T, V]' }],
    ],
    groups: [{ from: 1, to: 6, label: '× L' }],
    residuals: [
      { from: 1, to: 3 },
      { from: 4, to: 6 },
    ],
  }),
);

// %% [markdown]
// ## Part 1 · RMS norm
//
// $$y = \frac{x}{\sqrt{\operatorname{mean}(x^2) + \epsilon}} \odot g$$
//
// (Zhang and Sennrich, 2019, [Root mean square layer normalization](https://arxiv.org/abs/1910.07467), equation 4.)

// %% [exercise] llama/rms-norm difficulty=1 minutes=10
// ### Exercise: RMS norm
// Write `rmsNorm(params, x, eps)`: x `[B, T, D]`, `params.weight` `[D]`.
//
// <!-- hint -->
// A layer norm with two things taken away: nothing is subtracted, and there is no shift.
// <!-- hint -->
// x [B, T, D] → square → mean over the last axis [B, T, 1] → + eps → root; x divided by it [B, T, D]; times weight [D].
// <!-- hint -->
// y = x / √(mean(x²) + eps) ⊙ weight. Zhang and Sennrich, 2019, equation 4; used in LLaMA, Touvron et al., 2023, section 2.2.

// %% [answer] llama/rms-norm
function rmsNorm<X extends tf.Tensor>(params: lab.RmsNormParams, x: X, eps: number): X {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const meanSquare = tf.mean(tf.square(x), -1, true); // [B, T, 1]
    return tf.mul<X>(tf.div(x, tf.sqrt(tf.add(meanSquare, eps))), params.weight);
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('rmsNorm is not written yet');
}

// %%
await lab.check('llama/rms-norm', rmsNorm);

// %% [markdown]
// ## Part 2 · Rotary positions
//
// Take two features of a query as a point in the plane and turn it by $m\varphi$, m the position. Turn the key at position n by
// $n\varphi$. Their product then depends on $m - n$ alone: the distance. Pair i turns by $\varphi_i = \theta^{-2i/d}$ per position.
// (Su et al., 2021, [RoFormer](https://arxiv.org/abs/2104.09864).) With a cache, the first new token stands at position P, not 0.
//
// Which features make a pair is a convention. Hugging Face pairs i with i + d/2, LLaMA's own code 2i with 2i + 1.

// %% [exercise] llama/rotary-halves difficulty=3 minutes=25
// ### Exercise: halves
// Write `rotateHalves(x, theta, start)`: x `[B, H, T, d]`; the first token stands at position start.
//
// <!-- hint -->
// Each pair of features is a point in the plane. Position by position it turns about the origin. Which two features make a pair?
// <!-- hint -->
// first = x[…, 0 … d/2 − 1], second = x[…, d/2 … d − 1], each [B, H, T, d/2]; angles [T, d/2] = (start + t)·θ^(−2i/d); cos and sin of them broadcast; two rotated halves, put one after the other [B, H, T, d].
// <!-- hint -->
// (a, b) → (a·cos φ − b·sin φ, b·cos φ + a·sin φ) with φ = position·θ^(−2i/d). Su et al., 2021, section 3.2.2, equation 34. Hugging Face checkpoints pair i with i + d/2.

// %% [answer] llama/rotary-halves
function rotateHalves(x: tf.Tensor4D, theta: number, start: number): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, heads, length, width] = x.shape;
    const half = width / 2;
    const frequencies = tf.pow(theta, tf.mul(tf.range(0, half), -2 / width)); // [d/2]
    const positions = tf.reshape(tf.range(start, start + length), [length, 1]);
    const angles = tf.mul(positions, frequencies); // [T, d/2]
    const [cos, sin] = [tf.cos(angles), tf.sin(angles)];
    const a = tf.slice(x, [0, 0, 0, 0], [batch, heads, length, half]);
    const b = tf.slice(x, [0, 0, 0, half], [batch, heads, length, half]);
    return tf.concat<tf.Tensor4D>(
      [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))],
      3,
    );
  });
  // END SOLUTION
  //| // Return [B, H, T, d].
  //| throw new Error('rotateHalves is not written yet');
}

// %%
await lab.check('llama/rotary-halves', rotateHalves);

// %% [exercise] llama/rotary-interleaved difficulty=3 minutes=25
// ### Exercise: neighbours
// Write `rotateInterleaved(x, theta, start)`: the same, with pairs 2i and 2i + 1.
//
// <!-- hint -->
// The same rotation as with halves. Only the two features of a pair are found elsewhere, and go back there.
// <!-- hint -->
// x [B, H, T, d] → [B, H, T, d/2, 2]: the last axis holds a pair; rotate with angles [T, d/2]; stack the two results on a new last axis and reshape to [B, H, T, d].
// <!-- hint -->
// (a, b) → (a·cos φ − b·sin φ, b·cos φ + a·sin φ) with φ = position·θ^(−2i/d). Su et al., 2021, section 3.2.2, equation 34. LLaMA's own checkpoints pair 2i with 2i + 1.

// %% [answer] llama/rotary-interleaved
function rotateInterleaved(x: tf.Tensor4D, theta: number, start: number): tf.Tensor4D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, heads, length, width] = x.shape;
    const half = width / 2;
    const frequencies = tf.pow(theta, tf.mul(tf.range(0, half), -2 / width)); // [d/2]
    const positions = tf.reshape(tf.range(start, start + length), [length, 1]);
    const angles = tf.mul(positions, frequencies); // [T, d/2]
    const [cos, sin] = [tf.cos(angles), tf.sin(angles)];
    const pairs = tf.reshape(x, [batch * heads, length, half, 2]);
    const part = (which: number): tf.Tensor =>
      tf.reshape(tf.slice(pairs, [0, 0, 0, which], [batch * heads, length, half, 1]), [-1, length, half]);
    const [a, b] = [part(0), part(1)];
    const turned = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))];
    return tf.reshape<tf.Rank.R4>(tf.stack(turned, -1), [batch, heads, length, width]);
  });
  // END SOLUTION
  //| // Return [B, H, T, d].
  //| throw new Error('rotateInterleaved is not written yet');
}

// %%
await lab.check('llama/rotary-interleaved', rotateInterleaved);

// %% [exercise] llama/permute-weights difficulty=3 minutes=20
// ### Exercise: from one pairing to the other
// Write `interleavedToHalves(weight, heads)`: reorder the rows of a query or key weight `[H·d, D]` made for neighbours, so that it serves halves.
//
// <!-- hint -->
// Row r of the weight makes feature r of the query. Where must a feature move, so that its partner is found d/2 places on?
// <!-- hint -->
// weight [H·d, D] → [H, d/2, 2, D] → transpose to [H, 2, d/2, D] → [H·d, D].
// <!-- hint -->
// New row h·d + j·d/2 + i is old row h·d + 2i + j, j = 0 or 1. Queries and keys are reordered alike, so their products stay the same: a sum does not care about the order of its terms.

// %% [answer] llama/permute-weights
function interleavedToHalves(weight: tf.Tensor2D, heads: number): tf.Tensor2D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [rows, width] = weight.shape;
    const pairs = tf.reshape(weight, [heads, rows / heads / 2, 2, width]);
    return tf.reshape<tf.Rank.R2>(tf.transpose(pairs, [0, 2, 1, 3]), [rows, width]);
  });
  // END SOLUTION
  //| // Return [H·d, D].
  //| throw new Error('interleavedToHalves is not written yet');
}

// %%
await lab.check('llama/permute-weights', interleavedToHalves);

// %% [markdown]
// ### Longer texts: LLaMA 3
//
// Pairs that turn slowly have not made one full turn in training. LLaMA 3.1 slows them further, so that a longer text shows them only
// angles they know. Fast pairs stay, and a ramp joins the two.

// %% [exercise] llama/scaled-frequencies difficulty=3 minutes=25
// ### Exercise: the frequencies of LLaMA 3
// Write `scaledFrequencies(headWidth, theta, scaling)`: d/2 numbers.
//
// <!-- hint -->
// How many full turns does a pair make within the length of training? Those with many have seen every angle; those with less than one have not.
// <!-- hint -->
// For each pair i: f = θ^(−2i/d), wavelength = 2π/f, turns = original length / wavelength. More than high: f. Less than low: f/factor. Between: a mix.
// <!-- hint -->
// kept = (turns − low)/(high − low); f′ = kept·f + (1 − kept)·f/factor. Grattafiori et al., 2024, "The Llama 3 herd of models", for θ; the rule is that of the released code of LLaMA 3.1.

// %% [answer] llama/scaled-frequencies
interface Scaling {
  factor: number;
  low_freq_factor: number;
  high_freq_factor: number;
  original_max_position_embeddings: number;
}

function scaledFrequencies(headWidth: number, theta: number, scaling: Scaling): number[] {
  // BEGIN SOLUTION
  const { factor, low_freq_factor: low, high_freq_factor: high } = scaling;
  return Array.from({ length: headWidth / 2 }, (_, pair) => {
    const frequency = theta ** ((-2 * pair) / headWidth);
    const turns = (scaling.original_max_position_embeddings * frequency) / (2 * Math.PI);
    const kept = Math.min(1, Math.max(0, (turns - low) / (high - low)));
    return kept * frequency + (1 - kept) * (frequency / factor);
  });
  // END SOLUTION
  //| // d/2 numbers.
  //| throw new Error('scaledFrequencies is not written yet');
}

// %%
await lab.check('llama/scaled-frequencies', scaledFrequencies);

// %% [markdown]
// ## Part 3 · SwiGLU
//
// $$y = W_{down}(\operatorname{SiLU}(W_{gate}x) \odot W_{up}x), \qquad \operatorname{SiLU}(z) = z\,\sigma(z)$$
//
// (Shazeer, 2020, [GLU variants improve transformer](https://arxiv.org/abs/2002.05202), equation 6.) Three matrices instead of two: with
// ⅔ of the usual 4·D hidden features there are as many parameters as before.

// %% [exercise] llama/swiglu difficulty=2 minutes=15
// ### Exercise: SwiGLU
// Write `swiglu({gate, up, down}, x)`: `[B, T, D]` → `[B, T, D]`. You have `lab.linear` and `lab.silu`.
//
// <!-- hint -->
// Two matrices read x. The numbers of one decide how much of the other passes. Which of the two has an activation?
// <!-- hint -->
// gate(x) [B, T, F] → silu; up(x) [B, T, F]; their product, element by element [B, T, F] → down [B, T, D].
// <!-- hint -->
// W_down·(SiLU(W_gate·x) ⊙ W_up·x), SiLU(z) = z·sigmoid(z). Shazeer, 2020, "GLU variants improve transformer", equation 6.

// %% [answer] llama/swiglu
function swiglu(params: lab.GatedFeedForwardParams, x: tf.Tensor): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const gate = lab.silu(lab.linear(params.gate, x)); // [B, T, F]
    return lab.linear(params.down, tf.mul(gate, lab.linear(params.up, x)));
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('swiglu is not written yet');
}

// %%
await lab.check('llama/swiglu', swiglu);

// %% [exercise] llama/hidden-size difficulty=1 minutes=10
// ### Exercise: the hidden size
// Write `hiddenSize(width, multipleOf)`: ⅔·4D, cut to a whole number, rounded up to a multiple.
//
// <!-- hint -->
// Two matrices of D × 4·D, or three of D × F: for which F do both have as many parameters?
// <!-- hint -->
// ⌊8·D / 3⌋, divided by multipleOf, rounded up, times multipleOf. D = 4096, multiple 256: 10922 → 11008.
// <!-- hint -->
// F = m·⌈⌊⅔·4·D⌋ / m⌉. Touvron et al., 2023, section 2.2 (⅔·4d); Shazeer, 2020, section 3.

// %% [answer] llama/hidden-size
function hiddenSize(width: number, multipleOf: number): number {
  // BEGIN SOLUTION
  return multipleOf * Math.ceil(Math.floor((8 * width) / 3) / multipleOf);
  // END SOLUTION
  //| // Return F.
  //| throw new Error('hiddenSize is not written yet');
}

// %%
await lab.check('llama/hidden-size', hiddenSize);

// %% [markdown]
// ## Part 4 · Grouped queries and a small cache
//
// In writing, the cache of chapter 09 fills the memory. Let H/G query heads read the same keys and values, and it shrinks by that factor.
// (Ainslie et al., 2023, [GQA](https://arxiv.org/abs/2305.13245).) G = H is multi-head, G = 1 multi-query attention.

// %% [exercise] llama/grouped-attention difficulty=3 minutes=30
// ### Exercise: grouped-query attention
// Write `groupedAttention(query, fresh, cache)`; return `{output, cache}`. You have `lab.scaledDotProductAttention(q, k, v, {bias}).output` and `lab.causalBias(T, S)`.
//
// <!-- hint -->
// G key-value heads serve H query heads. Which query heads share one? And must the copies be kept?
// <!-- hint -->
// key = concat(cache.key, fresh.key) [B, G, S, d], S = P + T, likewise value: this is the new cache. Repeat each head H/G times in place [B, H, S, d]; scaledDotProductAttention with the bias causalBias(T, S).
// <!-- hint -->
// Query head h reads key-value head ⌊h·G/H⌋. Ainslie et al., 2023, "GQA", section 2.2, figure 2.

// %% [answer] llama/grouped-attention
interface Held {
  key: tf.Tensor4D;
  value: tf.Tensor4D;
}

function groupedAttention(query: tf.Tensor4D, fresh: Held, cache: Held): { output: tf.Tensor; cache: Held } {
  // BEGIN SOLUTION
  const [, heads, length] = query.shape;
  const share = heads / fresh.key.shape[1];
  const key = tf.concat([cache.key, fresh.key], 2);
  const value = tf.concat([cache.value, fresh.value], 2);
  const output = tf.tidy(() => {
    const places = Array.from({ length: heads }, (_, h) => Math.floor(h / share));
    const repeat = (x: tf.Tensor4D): tf.Tensor4D => tf.gather(x, tf.tensor1d(places, 'int32'), 1);
    const bias = lab.causalBias(length, key.shape[2]);
    return lab.scaledDotProductAttention(query, repeat(key), repeat(value), { bias }).output;
  });
  return { output, cache: { key, value } };
  // END SOLUTION
  //| // Return {output, cache}.
  //| throw new Error('groupedAttention is not written yet');
}

// %%
await lab.check('llama/grouped-attention', groupedAttention);

// %% [exercise] llama/cache-bytes difficulty=1 minutes=10
// ### Exercise: bytes of the cache
// Write `cacheBytes(config, batch, length, bytesPerNumber)`.
//
// <!-- hint -->
// Which tensors does a layer keep for each token, and with how many heads?
// <!-- hint -->
// For each layer a key [B, G, S, d] and a value [B, G, S, d]; each number takes bytesPerNumber bytes.
// <!-- hint -->
// bytes = 2·L·B·G·S·d·bytesPerNumber, G = H for multi-head, 1 for multi-query attention (Shazeer, 2019), between for grouped (Ainslie et al., 2023).

// %% [answer] llama/cache-bytes
interface CacheConfig {
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
}

function cacheBytes(config: CacheConfig, batch: number, length: number, bytesPerNumber: number): number {
  // BEGIN SOLUTION
  const perToken = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim;
  return perToken * batch * length * bytesPerNumber;
  // END SOLUTION
  //| // Return a number.
  //| throw new Error('cacheBytes is not written yet');
}

// %%
await lab.check('llama/cache-bytes', cacheBytes);

// %%
const bytesOf = await lab.orReference(
  'llama/cache-bytes',
  cacheBytes,
  (config, batch, length, size) =>
    2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * batch * length * size,
);
const shape = { num_hidden_layers: 32, num_attention_heads: 32, head_dim: 128 };
await lab.show(
  lab.barChart(
    [32, 8, 1].map((groups) => ({
      label: `${groups} key-value heads`,
      value: bytesOf({ ...shape, num_key_value_heads: groups }, 1, 8192, 2) / 2 ** 20,
    })),
    { title: 'Cache of 8192 tokens, 32 layers, 32 query heads of 128, 2 bytes a number', value: 'MiB' },
  ),
);

// %% [markdown]
// ## Part 5 · Your pieces inside a LLaMA that writes stories

// %%
const ownNorm = await lab.orReference('llama/rms-norm', rmsNorm, lab.rmsNorm);
const ownRotation = await lab.orReference('llama/rotary-halves', rotateHalves, (x, theta, start) =>
  tf.tidy(() =>
    lab.rotateHalves(
      x,
      lab.rotaryTables(
        { theta, headWidth: x.shape[3], maxPositions: 96, scaling: { type: 'default' } },
        { start, count: x.shape[2] },
      ),
    ),
  ),
);
const ownNetwork = await lab.orReference('llama/swiglu', swiglu, (p, x) =>
  tf.tidy(() => lab.linear(p.down, tf.mul(lab.silu(lab.linear(p.gate, x)), lab.linear(p.up, x)))),
);
const ownSize = await lab.orReference(
  'llama/hidden-size',
  hiddenSize,
  (width, multiple) => multiple * Math.ceil(Math.floor((8 * width) / 3) / multiple),
);

const stories = await lab.loadStories();
const storyTexts = stories.map((sentences) => sentences.join(' '));
const END = '<|endoftext|>';
const bpeModel = lab.trainByteLevelBpe(storyTexts.slice(0, 600), { vocabSize: 640, specialTokens: [END] });
const tokenizer = lab.byteLevelBpeTokenizer(bpeModel, { specialTokens: { eos: END } });
const endId = tokenizer.tokenToId(END) ?? 0;
const idsOf = (text: string): number[] =>
  tokenizer.tokenize(text).map((token) => tokenizer.tokenToId(token) ?? 0);
const LENGTH = 96;
const rows = lab.packBlocks(storyTexts.slice(0, 1500).map(idsOf), LENGTH, endId);
const heldOutRows = lab.packBlocks(storyTexts.slice(-40).map(idsOf), LENGTH, endId);

const config = lab.parseLlamaConfig({
  vocab_size: tokenizer.vocabSize,
  hidden_size: 64,
  intermediate_size: ownSize(64, 16),
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: LENGTH,
  initializer_range: 0.05,
});
const params = lab.trainable(
  lab.initParameters(lab.llamaForCausalLMWeights(config), lab.createRng('story teller')),
);
const components: Partial<lab.LlamaComponents> = {
  rmsNorm: ownNorm,
  rotate: (x) => ownRotation(x, config.rotary.theta, 0),
  feedForward: (p, x) => ownNetwork(p, x),
};
const matrix = (values: number[][]): tf.Tensor2D =>
  tf.tensor2d(values, [values.length, values[0]?.length ?? 0], 'int32');

// %%
/** Your grouped attention with an empty cache. */
const ownGrouped = await lab.orReference('llama/grouped-attention', groupedAttention, (query, fresh) => ({
  output: lab.scaledDotProductAttention(query, fresh.key, fresh.value, {
    bias: lab.causalBias(query.shape[2], query.shape[2]),
  }).output,
  cache: fresh,
}));
const grouped: lab.ScaledDotProductAttention = (query, key, value, options) => {
  const empty = tf.zeros<tf.Rank.R4>([key.shape[0], key.shape[1], 0, key.shape[3]]);
  const { output } = ownGrouped(query, { key, value }, { key: empty, value: empty });
  const { probabilities } = lab.scaledDotProductAttention(query, key, value, options);
  return { output: output.as4D(...query.shape), probabilities };
};
const apart = tf.tidy(() => {
  const inputIds = matrix(heldOutRows.slice(0, 2));
  const library = lab.llamaForCausalLM(params, { inputIds }, config).logits;
  const yours = lab.llamaForCausalLM(params, { inputIds }, config, {
    components: { ...components, scaledDotProductAttention: grouped },
  }).logits;
  return tf.max(tf.abs(tf.sub(library, yours)));
});
const [farthest = Number.NaN] = await apart.data();
apart.dispose();
console.log(`Largest difference between the library's logits and yours: ${farthest.toExponential(1)}`);

// %%
const lossOn = (now: lab.LlamaForCausalLMParams, batch: number[][]): tf.Scalar => {
  const inputIds = matrix(batch);
  const { logits } = lab.llamaForCausalLM(now, { inputIds }, config, { components });
  return lab.nextTokenLoss(logits.as3D(batch.length, LENGTH, config.vocab_size), inputIds);
};
const heldOutLoss = async (): Promise<number> => {
  const loss = tf.tidy(() => lossOn(params, heldOutRows.slice(0, 16)));
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return value;
};
const lossBefore = await heldOutLoss();
const STEPS = lab.stepsFor(400, 20);
const BATCH = 12;
const curve = lab.liveLoss({
  title: 'A small LLaMA learns to write stories',
  names: ['next token'],
  level: { value: Math.log(config.vocab_size), name: 'guessing' },
});
const optimizer = lab.adamW({ weightDecay: 0.01, beta2: 0.98 });
await lab.train({
  params,
  loss: (now, batch: number[][]) => lossOn(now, batch),
  *batches(epoch) {
    const mixed = lab.shuffle(rows, lab.createRng(`order ${epoch}`));
    for (let start = 0; start + BATCH <= mixed.length; start += BATCH)
      yield mixed.slice(start, start + BATCH);
  },
  optimizer,
  schedule: lab.cosineSchedule({
    peak: 4e-3,
    warmupSteps: Math.ceil(STEPS / 10),
    totalSteps: STEPS,
    floor: 0.05,
  }),
  clipNorm: 1,
  steps: STEPS,
  onStep: ({ step, loss }) => curve.add(step, { 'next token': loss }),
  progress: lab.progressBar('training'),
});
await curve.finish();
optimizer.dispose();
const lossAfter = await heldOutLoss();
await lab.show(`Loss on stories held back: **${lossBefore.toFixed(2)}** → **${lossAfter.toFixed(2)}**`);

// %%
const rng = lab.createRng('a story');
const ids = [endId, ...idsOf('One morning')];
while (ids.length < LENGTH) {
  const logits = tf.tidy(
    () =>
      lab.llamaForCausalLM(params, { inputIds: matrix([ids]) }, config, { components, lastLogitsOnly: true })
        .logits,
  );
  const token = lab.sampleToken(
    lab.topP(0.9)(lab.temperature(0.7)(Float32Array.from(await logits.data()))),
    rng,
  );
  logits.dispose();
  if (token === endId) break;
  ids.push(token);
}
await lab.show(tokenizer.decode(ids, { skipSpecialTokens: true }));

// %% [markdown]
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'What does an RMS norm leave out of a layer norm?',
      choices: [
        { text: 'The mean and the shift.', right: true, why: 'It only divides, then multiplies by gains.' },
        { text: 'The gains.', why: 'They stay: one for each feature.' },
      ],
    },
    {
      ask: 'Query and key both move 10 positions on. What happens to their score?',
      choices: [
        { text: 'Nothing.', right: true, why: 'It depends on the distance, which is the same.' },
        { text: 'It shrinks.', why: 'Rotations change no length.' },
      ],
    },
    {
      ask: 'Why are values not rotated?',
      choices: [
        {
          text: 'Positions decide who is read, not what is read.',
          right: true,
          why: 'Only the scores need the distance.',
        },
        { text: 'They have no pairs.', why: 'They are as wide as the keys.' },
      ],
    },
    {
      ask: 'A checkpoint for neighbours is run with halves, unpermuted. What do you see?',
      choices: [
        { text: 'An error.', why: 'All shapes fit.' },
        { text: 'Text that makes little sense.', right: true, why: 'The wrong features turn together.' },
      ],
    },
    {
      ask: 'Why is F ⅔ of 4·D?',
      choices: [
        {
          text: 'Three matrices then have the parameters of two.',
          right: true,
          why: '3·D·(8/3)·D = 2·D·4·D.',
        },
        { text: 'SiLU needs fewer features.', why: 'The count of matrices is the reason.' },
      ],
    },
    {
      ask: '32 query heads, 8 key-value heads. The cache is smaller by …',
      choices: [
        { text: '4', right: true, why: 'It holds 8 heads instead of 32.' },
        { text: '8', why: '8 is how many heads are left.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Touvron et al., 2023, [LLaMA](https://arxiv.org/abs/2302.13971) and [Llama 2](https://arxiv.org/abs/2307.09288).
// - Grattafiori et al., 2024, [The Llama 3 herd of models](https://arxiv.org/abs/2407.21783).
