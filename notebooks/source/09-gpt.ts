// %% [markdown]
// # 09 · GPT
//
// BERT reads a text and answers questions about it. It cannot write one. The models of this chapter do only one thing:
// given the beginning of a text, they say which token may come next. Said again and again, that writes.
//
// | | GPT (2018) | GPT-2 (2019) | GPT-3 (2020) |
// |---|---|---|---|
// | parameters | 0.117 billion | up to 1.5 billion | up to 175 billion |
// | what is new | pre-train on plain text, then fine-tune the whole model for each task | norms **before** attention and feed-forward, one more at the end; smaller first steps | no fine-tuning: the task and a few examples stand in the prompt |
// | tasks | by fine-tuning | by asking | by showing examples |
//
// (Radford et al., 2018, *Improving language understanding by generative pre-training*; Radford et al., 2019, *Language
// models are unsupervised multitask learners*; Brown et al., 2020, [Language models are few-shot
// learners](https://arxiv.org/abs/2005.14165).)
//
// The block is a transformer layer as in chapter 02, with a causal mask: a token sees itself and those before it. So
// every position can be trained to predict the next token, all at once, and no answer is in sight.
//
// | letter | what it counts |
// |---|---|
// | B, T | sequences in a batch, tokens in a sequence |
// | S | keys: all tokens so far, those of a cache included |
// | D, H, d | width, heads, width of a head: D = H·d |
// | F, V, L | feed-forward width, tokens in the vocabulary, layers |
//
// You need chapters 02 and 03.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'GPT-2',
    rows: [
      [
        { label: 'token embedding', note: 'table [V, D]', kind: 'data', shape: '[B, T, D]' },
        { label: 'position embedding', note: 'table [T max, D]', kind: 'data', shape: '[T, D]' },
      ],
      [{ label: 'sum', shape: '[B, T, D]' }],
      [{ label: 'norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'causal self-attention', note: 'H heads, no look ahead', shape: '[B, T, D]' }],
      [{ label: 'add', shape: '[B, T, D]' }],
      [{ label: 'norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'feed-forward', note: 'D → F → D with GELU', shape: '[B, T, D]' }],
      [{ label: 'add', shape: '[B, T, D]' }],
      [{ label: 'final norm', note: 'not in GPT', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'compare with the token table', note: 'logits [B, T, V]', kind: 'head', shape: '[B, T, V]' }],
    ],
    groups: [{ from: 2, to: 7, label: '× L' }],
    residuals: [
      { from: 2, to: 4 },
      { from: 5, to: 7 },
    ],
  }),
);

// %% [markdown]
// ## Part 1 · Two blocks
//
// Both blocks have the same parts: attention, feed-forward network, two norms, two residual sums. They differ in their
// order.
//
// $$\text{GPT:}\quad a = \operatorname{LN}(x + \operatorname{MHA}(x)), \qquad y = \operatorname{LN}(a + \operatorname{FF}(a))$$
//
// $$\text{GPT-2:}\quad a = x + \operatorname{MHA}(\operatorname{LN}(x)), \qquad y = a + \operatorname{FF}(\operatorname{LN}(a))$$
//
// with $\operatorname{FF}(x) = W_2\operatorname{GELU}(W_1 x + b_1) + b_2$. In GPT-2 nothing stands in the way of the
// sum: $x$ goes from the first layer to the last, and each sublayer only adds to it. Gradients go back along the same
// way, which makes deep stacks easier to train (Xiong et al., 2020, [On layer normalization in the transformer
// architecture](https://arxiv.org/abs/2002.04745)).
//
// The parameters of a block, of either kind: `attentionNorm`, `attention`, `feedForwardNorm`, `feedForward: {up, down}`.
// You have `lab.multiHeadAttention(params, x, {numHeads, bias})`, `lab.causalBias(T, S)` `[1, 1, T, S]`,
// `lab.layerNorm(params, x, eps)`, `lab.linear(params, x)` and `lab.geluTanh(x)`, the GELU that both models use.

// %% [exercise] gpt/post-norm-block difficulty=3 minutes=25
// ### Exercise: the block of GPT
// Write `gptBlock(params, x, {n_head, layer_norm_epsilon})`: `[B, T, D]` → `[B, T, D]`, with the norms after the sums.
//
// <!-- hint -->
// Two sublayers, the same three steps for each: compute, add what went in, normalise. What may a token see in the first?
// <!-- hint -->
// x `[B, T, D]` → multiHeadAttention with the bias causalBias(T, T) → + x → attentionNorm = a `[B, T, D]` →
// feedForward.up `[B, T, F]` → geluTanh → feedForward.down `[B, T, D]` → + a → feedForwardNorm `[B, T, D]`.
// <!-- hint -->
// The first formula above. Radford et al., 2018, section 3.1, equation 2; the order is that of Vaswani et al., 2017.

// %% [answer] gpt/post-norm-block
interface BlockSettings {
  n_head: number;
  layer_norm_epsilon: number;
}

function gptBlock(params: lab.GptBlockParams, x: tf.Tensor, config: BlockSettings): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [, length = 0] = x.shape;
    const attended = lab.multiHeadAttention(params.attention, x, {
      numHeads: config.n_head,
      bias: lab.causalBias(length, length),
    });
    const a = lab.layerNorm(params.attentionNorm, tf.add(x, attended), config.layer_norm_epsilon);
    const inner = lab.geluTanh(lab.linear(params.feedForward.up, a)); // [B, T, F]
    const sum = tf.add(a, lab.linear(params.feedForward.down, inner));
    return lab.layerNorm(params.feedForwardNorm, sum, config.layer_norm_epsilon);
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('gptBlock is not written yet');
}

// %%
await lab.check('gpt/post-norm-block', gptBlock);

// %% [exercise] gpt/pre-norm-block difficulty=2 minutes=15
// ### Exercise: the block of GPT-2
// Write `gpt2Block(params, x, {n_head, layer_norm_epsilon})`: the norms before the sublayers.
//
// <!-- hint -->
// The same parts as in GPT, in another order: what does the attention get to see, and what is added to its output?
// <!-- hint -->
// x → attentionNorm → multiHeadAttention with causalBias(T, T) → + x = a → feedForwardNorm → feedForward.up → geluTanh →
// feedForward.down → + a. Everything `[B, T, D]`, inside the network `[B, T, F]`.
// <!-- hint -->
// The second formula above. Radford et al., 2019, section 2.3.

// %% [answer] gpt/pre-norm-block
function gpt2Block(params: lab.GptBlockParams, x: tf.Tensor, config: BlockSettings): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [, length = 0] = x.shape;
    const seen = lab.layerNorm(params.attentionNorm, x, config.layer_norm_epsilon);
    const a = tf.add(
      x,
      lab.multiHeadAttention(params.attention, seen, {
        numHeads: config.n_head,
        bias: lab.causalBias(length, length),
      }),
    );
    const normed = lab.layerNorm(params.feedForwardNorm, a, config.layer_norm_epsilon);
    const inner = lab.geluTanh(lab.linear(params.feedForward.up, normed)); // [B, T, F]
    return tf.add(a, lab.linear(params.feedForward.down, inner));
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('gpt2Block is not written yet');
}

// %%
await lab.check('gpt/pre-norm-block', gpt2Block);

// %% [markdown]
// The next cell lets the notebook go on whether or not your blocks are done: where one does not pass its check yet, the
// library's takes its place.

// %%
/** What the library's block needs beside its parameters and input. */
const contextOf = (x: tf.Tensor, settings: BlockSettings, normFirst: boolean): lab.GptContext => ({
  config: {
    ...lab.parseGpt2Config({ n_embd: x.shape[2] ?? 1, n_head: settings.n_head }),
    ...settings,
    norm_first: normFirst,
  },
  layer: 0,
  bias: lab.causalBias(x.shape[1] ?? 0, x.shape[1] ?? 0),
  cache: undefined,
  rng: undefined,
  components: lab.gptComponents,
});
const postNormBlock = await lab.orReference('gpt/post-norm-block', gptBlock, (params, x, settings) =>
  tf.tidy(() => lab.gptBlock(params, x, contextOf(x, settings, false))),
);
const preNormBlock = await lab.orReference('gpt/pre-norm-block', gpt2Block, (params, x, settings) =>
  tf.tidy(() => lab.gptBlock(params, x, contextOf(x, settings, true))),
);

// %% [exercise] gpt/stack difficulty=2 minutes=15
// ### Exercise: the stack
// Write `gptStack(params, x, config)`. It runs `params.blocks` in order: `preNormBlock` where `config.norm_first` is
// true (GPT-2), else `postNormBlock` (GPT). One of the two models has `params.finalNorm` after the last block. Both are
// given one, so decide which.
//
// <!-- hint -->
// The output of a block is the input of the next. Is what leaves the last one normalised already?
// <!-- hint -->
// x `[B, T, D]`; for each block, x = block(x) `[B, T, D]`; then, in one of the models, layerNorm(params.finalNorm, x,
// config.layer_norm_epsilon).
// <!-- hint -->
// GPT: $h_L$. GPT-2: $\operatorname{LN}_f(h_L)$. Radford et al., 2019, section 2.3: "an additional layer normalization
// was added after the final self-attention block".

// %% [answer] gpt/stack
interface StackParams {
  blocks: lab.GptBlockParams[];
  finalNorm: lab.LayerNormParams;
}

function gptStack(
  params: StackParams,
  x: tf.Tensor,
  config: BlockSettings & { norm_first: boolean },
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    let hidden = x;
    for (const one of params.blocks) {
      hidden = config.norm_first ? preNormBlock(one, hidden, config) : postNormBlock(one, hidden, config);
    }
    if (!config.norm_first) return hidden;
    return lab.layerNorm(params.finalNorm, hidden, config.layer_norm_epsilon);
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('gptStack is not written yet');
}

// %%
await lab.check('gpt/stack', gptStack);

// %% [markdown]
// ### Your blocks inside the real models
//
// The library's GPT and GPT-2 with random weights: once as they are, once with *your* block in place of theirs.

// %%
const sizes = { vocab_size: 40, n_positions: 16, n_embd: 24, n_layer: 3, n_head: 4, initializer_range: 0.2 };
const comparison: { model: string; 'largest difference of the logits': number }[] = [];
for (const [model, settings, own] of [
  ['GPT', lab.parseOpenAIGptConfig(sizes), postNormBlock],
  ['GPT-2', lab.parseGpt2Config(sizes), preNormBlock],
] as const) {
  const weights = lab.initParameters(lab.gptLMHeadWeights(settings), lab.createRng(model));
  const apart = tf.tidy(() => {
    const inputIds = tf.tensor2d(
      [
        [3, 17, 31, 8, 3],
        [2, 25, 9, 30, 1],
      ],
      [2, 5],
      'int32',
    );
    const library = lab.gptLMHeadModel(weights, { inputIds }, settings).logits;
    const components: Partial<lab.GptComponents> = { block: (block, x, { config }) => own(block, x, config) };
    const yours = lab.gptLMHeadModel(weights, { inputIds }, settings, { components }).logits;
    return tf.max(tf.abs(tf.sub(library, yours)));
  });
  const [farthest = Number.NaN] = await apart.data();
  comparison.push({ model, 'largest difference of the logits': farthest });
  apart.dispose();
  lab.disposeParameters(weights);
}
await lab.show(lab.table(comparison));

// %% [markdown]
// ## Part 2 · The loss of the next token
//
// The logits at position t speak of token t + 1. So the tokens themselves serve as labels, shifted by one place. The
// shift is made in **one** place, the loss. Data that is shifted already would teach the model to skip a token, and
// data that is not shifted at all teaches it to repeat what it has just read, with a loss close to 0.
//
// $$\mathcal{L} = -\frac{1}{N}\sum_{t} \log p(u_{t+1} \mid u_0 \dots u_t)$$

// %% [exercise] gpt/next-token-loss difficulty=2 minutes=20
// ### Exercise: the loss
// Write `nextTokenLoss(logits, labels)`: logits `[B, T, V]`, labels int32 `[B, T]`, the tokens themselves, −100 where
// nothing is scored. `lab.crossEntropy(logits, labels)` averages over all labels that are not −100.
//
// <!-- hint -->
// The model has read tokens 0 … t when it writes the logits at position t. Which token do they speak of?
// <!-- hint -->
// logits without the last position `[B, T − 1, V]`; labels without the first `[B, T − 1]`; crossEntropy of the two.
// <!-- hint -->
// The formula above; N counts the labels that are scored. Radford et al., 2018, equation 1.

// %% [answer] gpt/next-token-loss
function nextTokenLoss(logits: tf.Tensor3D, labels: tf.Tensor2D): tf.Scalar {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, length, vocabularySize] = logits.shape;
    const predictions = tf.slice(logits, [0, 0, 0], [batch, length - 1, vocabularySize]);
    return lab.crossEntropy(predictions, tf.slice(labels, [0, 1], [batch, length - 1]));
  });
  // END SOLUTION
  //| // Return one number.
  //| throw new Error('nextTokenLoss is not written yet');
}

// %%
await lab.check('gpt/next-token-loss', nextTokenLoss);

// %% [markdown]
// ## Part 3 · How it begins
//
// Each of the L layers adds to the same sum twice. If all additions have the same variance, that of the sum grows with
// 2L. GPT-2 makes each addition smaller from the start: the weights that write into the sum, `attention.output` and
// `feedForward.down`, are drawn with a spread of $\sigma / \sqrt{2L}$, all others with $\sigma$ (0.02 in the real
// model). Biases begin at 0, the gains of norms at 1.

// %% [exercise] gpt/initial-parameters difficulty=2 minutes=20
// ### Exercise: initial parameters
// Write `initialParameters(draws, {n_layer, initializer_range})`. `draws` holds a tensor of standard normal numbers for
// every parameter, by name (`tokens`, `blocks.0.attention.output.weight`, `blocks.0.attentionNorm.bias`,
// `finalNorm.weight` …). Return a record with the same names: the initial values.
//
// <!-- hint -->
// L layers add to the same vector, twice each. If each addition had the same spread, how large would the sum be?
// <!-- hint -->
// Ends with bias → zeros; a norm's weight → ones; `attention.output.weight` and `feedForward.down.weight` → draws ·
// range / √(2L); all other weights → draws · range.
// <!-- hint -->
// N terms of variance $\sigma^2$ sum to $N\sigma^2$, so each gets $\sigma/\sqrt{N}$, N = 2L. Radford et al., 2019,
// section 2.3.

// %% [answer] gpt/initial-parameters
function initialParameters(
  draws: Record<string, tf.Tensor>,
  config: { n_layer: number; initializer_range: number },
): Record<string, tf.Tensor> {
  // BEGIN SOLUTION
  const result: Record<string, tf.Tensor> = {};
  for (const [name, draw] of Object.entries(draws)) {
    const writesIntoSum = /(attention\.output|feedForward\.down)\.weight$/.test(name);
    const spread = writesIntoSum
      ? config.initializer_range / Math.sqrt(2 * config.n_layer)
      : config.initializer_range;
    if (name.endsWith('.bias')) result[name] = tf.zerosLike(draw);
    else if (/norm\.weight$/i.test(name)) result[name] = tf.onesLike(draw);
    else result[name] = tf.mul(draw, spread);
  }
  return result;
  // END SOLUTION
  //| // A tensor for every name in draws.
  //| throw new Error('initialParameters is not written yet');
}

// %%
await lab.check('gpt/initial-parameters', initialParameters);

// %% [markdown]
// What does the scale do? We send random vectors through 12 layers and look at the spread of the sum after each.

// %%
const spreadAfterLayers = async (scaled: boolean): Promise<[number, number][]> => {
  const settings = lab.parseGpt2Config({ ...sizes, n_embd: 48, n_layer: 12, initializer_range: 0.1 });
  const weights = lab.initParameters(lab.gptLMHeadWeights(settings), lab.createRng('spread'));
  const spreads = tf.tidy(() => {
    const rng = lab.createRng('vectors');
    const values = Float32Array.from({ length: 16 * 48 }, () => 0.1 * rng.normal());
    let x: tf.Tensor = tf.tensor3d(values, [1, 16, 48]);
    const measured = [tf.sqrt(tf.mean(tf.square(x)))];
    const undo = scaled ? 1 : Math.sqrt(2 * settings.n_layer);
    for (const block of weights.blocks) {
      const { attention, feedForward } = block;
      const unscaled = {
        ...block,
        attention: {
          ...attention,
          output: { ...attention.output, weight: tf.mul(attention.output.weight, undo) },
        },
        feedForward: {
          ...feedForward,
          down: { ...feedForward.down, weight: tf.mul(feedForward.down.weight, undo) },
        },
      };
      x = lab.gptBlock(unscaled, x, contextOf(x, settings, true));
      measured.push(tf.sqrt(tf.mean(tf.square(x))));
    }
    return tf.stack(measured);
  });
  const numbers = await spreads.data();
  spreads.dispose();
  lab.disposeParameters(weights);
  return Array.from(numbers, (value, layer): [number, number] => [layer, value]);
};
const withScale = await spreadAfterLayers(true);
const allAlike = await spreadAfterLayers(false);
await lab.show(
  lab.lineChart(
    [
      { name: 'all weights alike', points: allAlike },
      { name: 'scaled by 1/√(2L)', points: withScale },
    ],
    { title: 'Size of the residual sum before training', x: 'layers', y: 'root mean square', marks: true },
  ),
);

// %% [markdown]
// ## Part 4 · A GPT-2 that writes stories
//
// Our stories, as byte-level BPE (chapter 04), one after another with an end token between, cut into rows of 96
// tokens. That is also the number of positions the model gets: a position that never comes up in training would have a
// vector that never learned anything. Nothing is masked and nothing is labelled: the text is its own teacher.

// %%
const stories = await lab.loadStories();
const storyTexts = stories.map((sentences) => sentences.join(' '));
const END = '<|endoftext|>';
const bpeModel = lab.trainByteLevelBpe(storyTexts.slice(0, 600), { vocabSize: 640, specialTokens: [END] });
const tokenizer = lab.byteLevelBpeTokenizer(bpeModel, { specialTokens: { eos: END } });
const endId = tokenizer.tokenToId(END) ?? 0;
const idsOf = (text: string): number[] =>
  tokenizer.tokenize(text).map((token) => tokenizer.tokenToId(token) ?? 0);
const textOf = (ids: readonly number[]): string => tokenizer.decode([...ids], { skipSpecialTokens: true });

const LENGTH = 96;
const rows = lab.packBlocks(storyTexts.slice(0, 1500).map(idsOf), LENGTH, endId);
const heldOutRows = lab.packBlocks(storyTexts.slice(-40).map(idsOf), LENGTH, endId);
console.log(`${rows.length} rows of ${LENGTH} tokens to learn from, ${heldOutRows.length} held back`);
console.log(tokenizer.decode(rows[0] ?? []));

// %%
const gptConfig = lab.parseGpt2Config({
  vocab_size: tokenizer.vocabSize,
  n_positions: LENGTH,
  n_embd: 64,
  n_layer: 2,
  n_head: 4,
  initializer_range: 0.05,
});
const params = lab.trainable(
  lab.initParameters(lab.gptLMHeadWeights(gptConfig), lab.createRng('story teller')),
);
const matrix = (values: number[][]): tf.Tensor2D =>
  tf.tensor2d(values, [values.length, values[0]?.length ?? 0], 'int32');

// Your initial values, in place of the library's.
await lab.whenSolved('gpt/initial-parameters', initialParameters, () => {
  const rng = lab.createRng('your beginning');
  tf.tidy(() => {
    const named = lab.namedVariables(params);
    const draws = [...named].map(([name, { shape, size }]) => {
      const numbers = Float32Array.from({ length: size }, () => rng.normal());
      return [name, tf.tensor(numbers, shape)] as const;
    });
    const begin = initialParameters(Object.fromEntries(draws), gptConfig);
    for (const [name, variable] of named) variable.assign(begin[name] ?? variable);
  });
});

const ownLoss = await lab.orReference('gpt/next-token-loss', nextTokenLoss, (logits, labels) =>
  lab.nextTokenLoss(logits, labels),
);
const components: Partial<lab.GptComponents> = {
  block: (block, x, { config }) => preNormBlock(block, x, config),
};
const lossOn = (now: lab.GptLMHeadParams, batch: number[][]): tf.Scalar => {
  const inputIds = matrix(batch);
  const { logits } = lab.gptLMHeadModel(now, { inputIds }, gptConfig, { components });
  return ownLoss(logits.as3D(batch.length, LENGTH, gptConfig.vocab_size), inputIds);
};
const heldOutLoss = async (): Promise<number> => {
  const loss = tf.tidy(() => lossOn(params, heldOutRows.slice(0, 16)));
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return value;
};
const lossBefore = await heldOutLoss();
console.log(`${lab.parameterCount(params)} parameters; loss before training ${lossBefore.toFixed(2)}`);

// %% [markdown]
// Now train. The model begins with *your* initial values and computes with *your* blocks and *your* loss. The dotted
// line is the loss of guessing among all tokens alike, $\ln V$. The curve can fall far below it, because the world of
// these stories is small: a program made them from seven plots and a fixed set of people and things. Real text is never
// that predictable.

// %%
const STEPS = lab.stepsFor(500, 20);
const BATCH = 12;
const curve = lab.liveLoss({
  title: 'A small GPT-2 learns to write stories',
  names: ['next token'],
  level: { value: Math.log(gptConfig.vocab_size), name: 'guessing' },
});
const optimizer = lab.adamW({ weightDecay: 0.01, beta2: 0.98 });
const training = await lab.train({
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
const perplexities = [lossBefore, lossAfter].map((loss) => lab.perplexity(loss).toFixed(1));
await lab.show(
  `On stories held back the loss fell from **${lossBefore.toFixed(2)}** to **${lossAfter.toFixed(2)}** after ` +
    `${training.steps} steps. Where the model hesitated between ${perplexities[0]} equally likely tokens, ` +
    `it now hesitates between ${perplexities[1]}.`,
);

// %% [markdown]
// ## Part 5 · Choosing the next token
//
// The model gives a probability for every token. How do we choose? Always the likeliest is safe and dull, and it tends
// to repeat itself. A draw from the whole distribution brings in, now and then, a token that fits nowhere. Three knobs
// lie between, applied in this order:
//
// 1. **Temperature** τ: divide the logits by τ. Below 1 the likely become likelier, above 1 all move closer together.
// 2. **Top-k**: keep the k likeliest tokens.
// 3. **Top-p**, the *nucleus*: keep the fewest likeliest tokens that hold at least p together. Few where the model is
//    sure, many where it is not.

// %% [exercise] gpt/filter difficulty=3 minutes=30
// ### Exercise: temperature, top-k, top-p
// Write `nextTokenProbabilities(logits, {temperature, topK, topP})` on plain numbers: V logits in, V probabilities out,
// which sum to 1; tokens that are filtered out get 0. `topK` of 0 and `topP` of 1 mean: off. Top-p works with the
// probabilities of what top-k has left, made to sum to 1 again.
//
// <!-- hint -->
// Three steps, in the order of the title. What does each need to know of the one before?
// <!-- hint -->
// scores = logits / temperature; sort; all but the topK largest become −∞; softmax; go down the sorted list and add
// until the sum is at least topP, the token that gets there included; the rest becomes −∞; softmax.
// <!-- hint -->
// $p_i = e^{z_i/\tau} / \sum_j e^{z_j/\tau}$. Top-k: Fan, Lewis and Dauphin, 2018, section 5.1. Top-p: the smallest set
// whose probabilities sum to at least p, Holtzman et al., 2020, section 3.1.

// %% [answer] gpt/filter
interface SamplingSettings {
  temperature: number;
  topK: number;
  topP: number;
}

function nextTokenProbabilities(logits: number[], { temperature, topK, topP }: SamplingSettings): number[] {
  // BEGIN SOLUTION
  const highest = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp((logit - highest) / temperature));
  const order = logits.map((_, token) => token).sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0));
  let kept = topK > 0 ? order.slice(0, topK) : order;
  const sumOf = (tokens: number[]): number => tokens.reduce((sum, token) => sum + (weights[token] ?? 0), 0);
  if (topP < 1) {
    const enough = topP * sumOf(kept);
    let mass = 0;
    let count = 0;
    while (count < kept.length && mass < enough) {
      mass += weights[kept[count] ?? 0] ?? 0;
      count++;
    }
    kept = kept.slice(0, Math.max(1, count));
  }
  const total = sumOf(kept);
  const alive = new Set(kept);
  return weights.map((weight, token) => (alive.has(token) ? weight / total : 0));
  // END SOLUTION
  //| // V probabilities.
  //| throw new Error('nextTokenProbabilities is not written yet');
}

// %%
await lab.check('gpt/filter', nextTokenProbabilities);

// %% [exercise] gpt/sample difficulty=2 minutes=15
// ### Exercise: drawing a token
// Write `sampleTokens(probabilities, uniforms)`: for each row of probabilities and its uniform number u in [0, 1), the
// token that u falls on, when the probabilities are laid end to end in the order of their ids. A token of probability 0
// is never drawn. Rounding may leave the sum a little under 1: then the last possible token is drawn.
//
// The random numbers are passed in. So a story can be written a second time, and your answer can be checked.
//
// <!-- hint -->
// Lay the probabilities end to end on a line from 0 to 1. In whose part does the uniform number fall?
// <!-- hint -->
// For each row: sum = 0; for token = 0 … V − 1: sum += p[token]; the first token with u < sum is drawn. If none is, the
// last one with p > 0.
// <!-- hint -->
// $\min\{i : u < p_0 + \dots + p_i\}$: the inverse of the cumulative distribution (Devroye, 1986, *Non-uniform random
// variate generation*, chapter III.2).

// %% [answer] gpt/sample
function sampleTokens(probabilities: number[][], uniforms: number[]): number[] {
  // BEGIN SOLUTION
  return probabilities.map((row, n) => {
    let covered = 0;
    for (const [token, probability] of row.entries()) {
      covered += probability;
      if ((uniforms[n] ?? 0) < covered) return token;
    }
    return row.findLastIndex((probability) => probability > 0);
  });
  // END SOLUTION
  //| // One token id for each row.
  //| throw new Error('sampleTokens is not written yet');
}

// %%
await lab.check('gpt/sample', sampleTokens);

// %%
const probabilitiesOf = await lab.orReference('gpt/filter', nextTokenProbabilities, (logits, settings) => {
  let scores: Float32Array = lab.temperature(settings.temperature)(Float32Array.from(logits));
  if (settings.topK > 0) scores = lab.topK(settings.topK)(scores);
  if (settings.topP < 1) scores = lab.topP(settings.topP)(scores);
  return Array.from(lab.softmax(scores));
});
const drawTokens = await lab.orReference('gpt/sample', sampleTokens, (chances, uniforms) =>
  chances.map((row, n) =>
    lab.sampleToken(Float32Array.from(row, Math.log), { ...lab.createRng(0), next: () => uniforms[n] ?? 0 }),
  ),
);

/** The logits of the token after the given ones. */
const nextLogits = async (ids: number[]): Promise<number[]> => {
  const logits = tf.tidy(() => {
    const options = { lastLogitsOnly: true };
    return lab.gptLMHeadModel(params, { inputIds: matrix([ids]) }, gptConfig, options).logits;
  });
  const values = Array.from(await logits.data());
  logits.dispose();
  return values;
};
const afterSaid = await nextLogits([endId, ...idsOf('The cow was hungry and said')]);
const settingsTried: Record<string, SamplingSettings> = {
  'τ = 1': { temperature: 1, topK: 0, topP: 1 },
  'τ = 0.5': { temperature: 0.5, topK: 0, topP: 1 },
  'τ = 2': { temperature: 2, topK: 0, topP: 1 },
  'τ = 1, p = 0.9': { temperature: 1, topK: 0, topP: 0.9 },
};
await lab.show(
  lab.table(
    Object.entries(settingsTried).map(([setting, settings]) => {
      const chances = probabilitiesOf(afterSaid, settings);
      const best = lab
        .topIndices(chances, 3)
        .map((id) => `${textOf([id]).trim()} ${(100 * (chances[id] ?? 0)).toFixed(0)}%`);
      return {
        setting,
        'tokens left': chances.filter((p) => p > 0).length,
        'the likeliest': best.join(', '),
      };
    }),
    'The cow was hungry and said …',
  ),
);

// %% [markdown]
// A voice may be cut into several tokens; the table shows the first of them.
//
// And now it writes, with your sampler: the same beginning, three temperatures. The story ends where the model writes
// the end token.

// %%
const writeStory = async (beginning: string, settings: SamplingSettings, seed: string): Promise<string> => {
  const rng = lab.createRng(seed);
  const ids = [endId, ...idsOf(beginning)];
  while (ids.length < gptConfig.n_positions) {
    const [token = endId] = drawTokens([probabilitiesOf(await nextLogits(ids), settings)], [rng.next()]);
    if (token === endId) break;
    ids.push(token);
  }
  return textOf(ids);
};
const written: { temperature: number; story: string }[] = [];
for (const temperature of [0.3, 0.8, 1.5]) {
  const story = await writeStory('One morning', { temperature, topK: 0, topP: 0.95 }, 'a story');
  written.push({ temperature, story });
}
await lab.show(lab.table(written));

// %% [markdown]
// ## Part 6 · The key-value cache
//
// The loop above does the same work again and again: for every new token it reads the whole text from the start. But
// the keys and values of a token depend on nothing that comes after it, because of the causal mask. So they can be
// kept. A step then computes the new tokens only; their queries meet the kept keys and their own.
//
// Two things go wrong easily. The new tokens stand **after** the kept ones, so their positions go on where those end.
// And when a new text shares only its beginning with the old one, the cache must be **cut back** to that beginning
// first.

// %% [exercise] gpt/cached-step difficulty=4 minutes=45
// ### Exercise: a step with a cache
// Write `cachedStep(params, ids, cache, keep, {n_head})`, the first half of a GPT-2 block with its embeddings. `ids`
// `[B, T]` are the new tokens. `cache` holds `key` and `value` `[B, H, P, d]`, of which the first `keep` belong to this
// text.
//
// - x = rows of `params.tokens` + rows keep … keep + T − 1 of `params.positions`
// - queries, keys and values come from `lab.layerNorm(params.norm, x, 1e-5)`
// - the new keys and values are appended to the kept ones
// - hidden = x + attention, with `params.attention.output` applied to the merged heads
//
// Return `{hidden: [B, T, D], cache: {key, value}}`, the new cache `[B, H, keep + T, d]`. Useful: `lab.splitHeads(x,
// H)`, `lab.scaledDotProductAttention(q, k, v, {bias}).output`, `lab.mergeHeads`, `lab.causalBias(T, S)`, whose last
// row sees all S keys. `tf.tidy` can return an array of tensors.
//
// <!-- hint -->
// What is left to compute for the new tokens, and where in the text do they stand?
// <!-- hint -->
// x `[B, T, D]` → norm → q, k, v `[B, H, T, d]`; key = concat(first keep of cache.key, k) on axis 2 `[B, H, keep + T,
// d]`, value likewise; attention with causalBias(T, keep + T) `[B, H, T, d]` → mergeHeads → output → + x.
// <!-- hint -->
// $\operatorname{softmax}(q\,[K; k]^\top/\sqrt{d} + M)\,[V; v]$; row t of M is open for keys 0 … keep + t. Shazeer,
// 2019, section 2.3, on incremental decoding.

// %% [answer] gpt/cached-step
interface StepParams {
  tokens: tf.Tensor2D;
  positions: tf.Tensor2D;
  norm: lab.LayerNormParams;
  attention: lab.AttentionParams;
}

function cachedStep(
  params: StepParams,
  ids: tf.Tensor2D,
  cache: lab.KeyValue,
  keep: number,
  config: { n_head: number },
): { hidden: tf.Tensor; cache: lab.KeyValue } {
  // BEGIN SOLUTION
  const [hidden, key, value] = tf.tidy(() => {
    const [, length] = ids.shape;
    const positions = tf.slice(params.positions, [keep, 0], [length, -1]); // [T, D]
    const x = tf.add(lab.embed(params.tokens, ids), positions); // [B, T, D]
    const normed = lab.layerNorm(params.norm, x, 1e-5);
    const [q, k, v] = (['query', 'key', 'value'] as const).map((name) =>
      lab.splitHeads(lab.linear(params.attention[name], normed), config.n_head),
    ) as [tf.Tensor4D, tf.Tensor4D, tf.Tensor4D]; // [B, H, T, d]
    const kept = (held: tf.Tensor4D): tf.Tensor4D => tf.slice(held, [0, 0, 0, 0], [-1, -1, keep, -1]);
    const allKeys = tf.concat([kept(cache.key), k], 2); // [B, H, keep + T, d]
    const allValues = tf.concat([kept(cache.value), v], 2);
    const bias = lab.causalBias(length, keep + length);
    const { output } = lab.scaledDotProductAttention(q, allKeys, allValues, { bias });
    const attended = lab.linear(params.attention.output, lab.mergeHeads(output));
    return [tf.add(x, attended), allKeys, allValues] as [tf.Tensor, tf.Tensor4D, tf.Tensor4D];
  });
  return { hidden, cache: { key, value } };
  // END SOLUTION
  //| // Return {hidden, cache: {key, value}}.
  //| throw new Error('cachedStep is not written yet');
}

// %%
await lab.check('gpt/cached-step', cachedStep);

// %% [markdown]
// The check compares more than numbers: a text read in two parts, the second with the cache of the first, must give
// what it gives when read at once. The library's generation works so. With its cache and without it, our model must
// write the same tokens; what differs is the work.

// %%
const language: lab.LanguageModel = {
  defaults: {},
  vocabSize: gptConfig.vocab_size,
  maxPositions: gptConfig.n_positions,
  lastLogits: ({ ids, ...step }) =>
    lab.gptLMHeadModel(params, { inputIds: ids, ...step }, gptConfig, { lastLogitsOnly: true }).logits,
};
const beginning = [endId, ...idsOf('Tom went to')];
const timed: { cache: string; milliseconds: number; ids: string }[] = [];
for (const useCache of [true, false]) {
  const started = performance.now();
  const [sequence = []] = await lab.generate(
    language,
    { inputIds: [beginning] },
    { maxNewTokens: 64, eosTokenId: endId, useCache },
  );
  timed.push({
    cache: useCache ? 'with' : 'without',
    milliseconds: Math.round(performance.now() - started),
    ids: sequence.join(' '),
  });
}
const sameTokens = timed[0]?.ids === timed[1]?.ids;
await lab.show(lab.table(timed.map(({ cache, milliseconds }) => ({ cache, milliseconds }))));
console.log(sameTokens ? 'Both wrote the same tokens.' : 'They wrote different tokens!');
console.log(textOf(timed[0]?.ids.split(' ').map(Number) ?? []));

// %% [markdown]
// In a model of this size a step costs so little that the measured difference may be small. What must be *computed*
// differs a lot: without a cache, n new tokens after a beginning of m mean m + (m + 1) + … positions, with it m + n − 1.
//
// The price is memory: two numbers for each token, layer and unit of width.

// %%
const newTokens = [1, 50, 100, 200, 400, 800];
await lab.show(
  lab.lineChart(
    [
      { name: 'with cache', points: newTokens.map((n): [number, number] => [n, 10 + n - 1]) },
      { name: 'without', points: newTokens.map((n): [number, number] => [n, 10 * n + (n * (n - 1)) / 2]) },
    ],
    {
      title: 'Positions computed, after a beginning of 10 tokens',
      x: 'new tokens',
      y: 'positions',
      logY: true,
      marks: true,
    },
  ),
);

const cacheBytes = (layers: number, width: number, tokens: number): number => 2 * layers * width * tokens * 4;
const large = lab.gpt3Config('175b');
const gigabytes = cacheBytes(large.n_layer, large.n_embd, large.n_positions) / 1e9;
console.log(
  `GPT-3, one text of ${large.n_positions} tokens: ${gigabytes.toFixed(1)} GB of keys and values in float32`,
);

// %% [markdown]
// ## Part 7 · Fine-tuning
//
// A model that continues text does not yet answer questions. In **supervised fine-tuning** it is shown prompts with good
// answers. The text is prompt, answer, end token; the loss is the one you know, but only the answer and its end are
// scored. Rows are often padded with the end token itself, and that is where mistakes hide: count all of it, and the
// model learns mostly to stop; count none of it, and it never stops.

// %% [exercise] gpt/supervised-labels difficulty=2 minutes=20
// ### Exercise: labels
// Write `supervisedLabels(rows, promptLengths, endId)`: for each row of ids its labels, as long as the row: −100 for the
// prompt, the ids of the answer up to and including its first end token, −100 after it. An end token inside the prompt
// (from an earlier turn) does not count. Do not shift; the loss does.
//
// <!-- hint -->
// Which tokens should the model learn to write? And which one tells it to stop?
// <!-- hint -->
// end = ids.indexOf(endId, promptLength), or the length of the row if there is none; the label is the id where
// promptLength ≤ place ≤ end, −100 elsewhere.
// <!-- hint -->
// $\mathcal{L} = -\sum_t \log p(y_t \mid \text{prompt}, y_{<t})$ over the answer y and its end. Ouyang et al., 2022,
// section 3.5.

// %% [answer] gpt/supervised-labels
function supervisedLabels(rows: number[][], promptLengths: number[], endId: number): number[][] {
  // BEGIN SOLUTION
  return rows.map((ids, row) => {
    const start = promptLengths[row] ?? 0;
    const found = ids.indexOf(endId, start);
    const end = found === -1 ? ids.length - 1 : found;
    return ids.map((id, place) => (place >= start && place <= end ? id : -100));
  });
  // END SOLUTION
  //| // One row of labels for each row of ids.
  //| throw new Error('supervisedLabels is not written yet');
}

// %%
await lab.check('gpt/supervised-labels', supervisedLabels);

// %%
const labelsOf = await lab.orReference('gpt/supervised-labels', supervisedLabels, (all, starts, stop) =>
  all.map((ids, row) => lab.supervisedLabels(ids, starts[row] ?? 0, stop)),
);
const asked = idsOf('What does the cow say?');
const answered = [...asked, ...idsOf(' moo'), endId, endId, endId];
const [shownLabels = []] = labelsOf([answered], [asked.length], endId);
await lab.show(
  lab.table(
    answered.map((id, place) => ({
      place,
      token: tokenizer.idToToken(id) ?? '',
      label: shownLabels[place] ?? 0,
      learned: shownLabels[place] === -100 ? '' : 'yes',
    })),
  ),
);

// %% [markdown]
// ### Our story teller learns to answer
//
// The world of the stories has facts: what an animal says and eats, where it sleeps, which colour a fruit has and how
// it tastes. Our model read all of them. But ask it, and it tells on:

// %%
const factsIn = (pattern: RegExp): Map<string, string> =>
  new Map([...storyTexts.join(' ').matchAll(pattern)].map(([, thing = '', fact = '']) => [thing, fact]));
const kindsOfQuestion = [
  {
    facts: factsIn(/The (\w+) was hungry and said (\w+)\./g),
    ask: (animal: string) => `What does the ${animal} say?`,
    reply: (voice: string) => ` ${voice}.`,
  },
  {
    facts: factsIn(/The (\w+) had a little \w+ that wanted (\w+) too\./g),
    ask: (animal: string) => `What does the ${animal} eat?`,
    reply: (food: string) => ` ${food}.`,
  },
  {
    facts: factsIn(/The (\w+) came out of the (\w+)\./g),
    ask: (animal: string) => `Where does the ${animal} sleep?`,
    reply: (home: string) => ` in the ${home}.`,
  },
  {
    facts: factsIn(/a (\w+) that was (\w+)/g),
    ask: (fruit: string) => `Which colour is the ${fruit}?`,
    reply: (colour: string) => ` ${colour}.`,
  },
  {
    facts: factsIn(/A (\w+) is \w+ and tastes (\w+)/g),
    ask: (fruit: string) => `How does the ${fruit} taste?`,
    reply: (taste: string) => ` ${taste}.`,
  },
];
// Of each kind of question, every third thing is kept for the test.
const dialogues = kindsOfQuestion.flatMap(({ facts, ask, reply }, kind) =>
  [...facts.keys()].sort().map((thing, i) => ({
    question: ask(thing),
    answer: reply(facts.get(thing) ?? ''),
    kept: (i + kind) % 3 === 0,
  })),
);

/** What a model goes on with after a question, always the likeliest token, until it ends or 12 tokens are written. */
const replyOf = async (
  model: lab.GptLMHeadParams,
  question: string,
): Promise<{ text: string; ended: boolean }> => {
  const prompt = [endId, ...idsOf(question)];
  const written: number[] = [];
  while (written.length < 12) {
    const logits = tf.tidy(() => {
      const inputIds = matrix([[...prompt, ...written]]);
      return lab.gptLMHeadModel(model, { inputIds }, gptConfig, { lastLogitsOnly: true }).logits;
    });
    const token = lab.argmax(Float32Array.from(await logits.data()));
    logits.dispose();
    if (token === endId) return { text: textOf(written), ended: true };
    written.push(token);
  }
  return { text: textOf(written), ended: false };
};
const untaught = await replyOf(params, 'What does the cow say?');
console.log(`What does the cow say?${untaught.text} …`);

// %% [markdown]
// Now supervised fine-tuning: questions with their answers, your labels, your loss, your block. A copy of the model is
// trained. A third of the questions is kept back: their facts are in the stories, but nobody shows the model that they
// answer a question.

// %%
const taught = dialogues.filter(({ kept }) => !kept);
const questionsKept = dialogues.filter(({ kept }) => kept);
const lengthOf = ({ question, answer }: { question: string; answer: string }): number =>
  idsOf(question).length + idsOf(answer).length + 2;
const LONGEST = Math.max(...taught.map(lengthOf));
const lessons = taught.map((one) => {
  const prompt = [endId, ...idsOf(one.question)];
  const padding = Array.from({ length: LONGEST + 1 - lengthOf(one) }, () => endId);
  return { ids: [...prompt, ...idsOf(one.answer), endId, ...padding], promptLength: prompt.length };
});

const tuned = lab.trainable(lab.cloneParameters(params));
const TUNING_STEPS = lab.stepsFor(80, 8);
const tuningCurve = lab.liveLoss({ title: 'Learning to answer', names: ['answer tokens'] });
const tuningOptimizer = lab.adamW();
await lab.train({
  params: tuned,
  loss: (now, batch: typeof lessons) => {
    const rowsOfIds = batch.map(({ ids }) => ids);
    const starts = batch.map(({ promptLength }) => promptLength);
    const { logits } = lab.gptLMHeadModel(now, { inputIds: matrix(rowsOfIds) }, gptConfig, { components });
    const shaped = logits.as3D(batch.length, LONGEST + 1, gptConfig.vocab_size);
    return ownLoss(shaped, matrix(labelsOf(rowsOfIds, starts, endId)));
  },
  *batches(epoch) {
    const mixed = lab.shuffle(lessons, lab.createRng(`lessons ${epoch}`));
    for (let start = 0; start + 10 <= mixed.length; start += 10) yield mixed.slice(start, start + 10);
  },
  optimizer: tuningOptimizer,
  schedule: lab.cosineSchedule({ peak: 2e-3, warmupSteps: 5, totalSteps: TUNING_STEPS, floor: 0.1 }),
  clipNorm: 1,
  steps: TUNING_STEPS,
  onStep: ({ step, loss }) => tuningCurve.add(step, { 'answer tokens': loss }),
  progress: lab.progressBar('fine-tuning'),
});
await tuningCurve.finish();
tuningOptimizer.dispose();

const examined: { question: string; reply: string; right: string; shown: boolean; ended: boolean }[] = [];
for (const { question, answer, kept } of dialogues) {
  const { text, ended } = await replyOf(tuned, question);
  examined.push({ question, reply: text.trim(), right: answer.trim(), shown: !kept, ended });
}
lab.disposeParameters(tuned);
const rightOf = (shown: boolean): number =>
  examined.filter((one) => one.shown === shown && one.reply === one.right).length;
const stopped = examined.filter(({ ended }) => ended).length;
await lab.show(
  lab.table(
    examined.filter(({ shown }) => !shown).map(({ question, reply, right }) => ({ question, reply, right })),
    'Questions that were kept back',
  ),
);
await lab.show(
  `Right: **${rightOf(true)} of ${taught.length}** questions it was taught, **${rightOf(false)} of ${questionsKept.length}** that were ` +
    `kept back. It ended its reply **${stopped} of ${examined.length}** times.`,
);

// %% [markdown]
// Compare the two numbers. The **form** is learned quickly: a short reply, and then the end token, which comes because
// its label is not −100. The facts are another matter. The model has read what the cat says, yet having seen a few
// answers it cannot look up that fact for a question of the new form; it gives an answer that it was taught, or a fact
// of another kind. A large model, trained on far more varied text, manages better. So fine-tuning on a few examples is
// a good way to teach manners, and a poor one to teach knowledge.
//
// GPT, in 2018, was fine-tuned for classification instead: a linear layer on the last token gives class logits. It
// helped to keep the first task alive beside the new one, with half its weight:
//
// $$\mathcal{L}_3 = \mathcal{L}_2(\text{class}) + \lambda\,\mathcal{L}_1(\text{next token}), \qquad \lambda = 0.5$$

// %% [exercise] gpt/joint-loss difficulty=1 minutes=15
// ### Exercise: the joint loss
// Write `jointLoss({classLogits, logits}, classes, labels, weight)`: classLogits `[B, C]` with classes `[B]`, logits
// `[B, T, V]` with labels `[B, T]`. Return `{loss, classification, languageModel}`. `lab.nextTokenLoss` is the one you
// wrote.
//
// <!-- hint -->
// Two losses you know: one over classes, one over next tokens. Which of them is the task, and which only helps?
// <!-- hint -->
// classLogits with classes → crossEntropy → scalar; logits with labels → nextTokenLoss → scalar; loss = classification +
// weight · languageModel.
// <!-- hint -->
// $\mathcal{L}_3 = \mathcal{L}_2 + \lambda\,\mathcal{L}_1$. Radford et al., 2018, section 3.2, equation 5; λ = 0.5 in
// section 4.1.

// %% [answer] gpt/joint-loss
function jointLoss(
  outputs: { classLogits: tf.Tensor2D; logits: tf.Tensor3D },
  classes: tf.Tensor1D,
  labels: tf.Tensor2D,
  weight: number,
): { loss: tf.Tensor; classification: tf.Tensor; languageModel: tf.Tensor } {
  // BEGIN SOLUTION
  const classification = lab.crossEntropy(outputs.classLogits, classes);
  const languageModel = lab.nextTokenLoss(outputs.logits, labels);
  const loss = tf.tidy(() => tf.add(classification, tf.mul(weight, languageModel)));
  return { loss, classification, languageModel };
  // END SOLUTION
  //| // Return {loss, classification, languageModel}.
  //| throw new Error('jointLoss is not written yet');
}

// %%
await lab.check('gpt/joint-loss', jointLoss);

// %% [markdown]
// ## Part 8 · Learning from the prompt
//
// GPT-3 was used without any training for a task. The prompt says what is wanted, shows k solved examples (k-shot;
// 0-shot is the question alone), and ends where the answer begins. No parameter changes. That this works, and that it
// works better the larger the model is, was the finding of the paper (Brown et al., 2020, figure 1.2).

// %% [exercise] gpt/few-shot-prompt difficulty=1 minutes=10
// ### Exercise: the prompt
// Write `fewShotPrompt(examples, question, instruction)`. The parts are separated by an empty line: the instruction
// (unless it is null), each example as `Q: …` and, on the next line, `A: …`, and the question in the same form, with
// nothing after `A:`, not even a space.
//
// <!-- hint -->
// The model only continues a text. Which text has the answer as its most natural continuation?
// <!-- hint -->
// Parts: the instruction if there is one; each example as "Q: …\nA: …"; the question as "Q: …\nA:". Join with "\n\n".
// <!-- hint -->
// k examples, then the question. Brown et al., 2020, section 2 and figure 2.1.

// %% [answer] gpt/few-shot-prompt
function fewShotPrompt(
  examples: { question: string; answer: string }[],
  question: string,
  instruction: string | null,
): string {
  // BEGIN SOLUTION
  const solved = examples.map((example) => `Q: ${example.question}\nA: ${example.answer}`);
  const head = instruction === null ? [] : [instruction];
  return [...head, ...solved, `Q: ${question}\nA:`].join('\n\n');
  // END SOLUTION
  //| // Return the text.
  //| throw new Error('fewShotPrompt is not written yet');
}

// %%
await lab.check('gpt/few-shot-prompt', fewShotPrompt);

// %% [markdown]
// Where the possible answers are known, the model need not write: we ask which of them it finds likeliest. Only the
// tokens of the **answer** are scored. Those of the prompt are the same for all candidates and say nothing about them.
// And since long answers have smaller probabilities, the sum is often divided by the number of tokens.

// %% [exercise] gpt/score-candidates difficulty=3 minutes=30
// ### Exercise: scoring candidates
// Write `scoreCandidates(logits, inputIds, promptLength, answerLengths)`. Row n of `inputIds` `[N, T]` is the prompt,
// then candidate n with `answerLengths[n]` tokens, then padding; `logits` `[N, T, V]` are the model's for these rows.
// Return `{logLikelihood: [N], perToken: [N]}`. `lab.tokenLosses(logits, labels)` gives −log p of each label, `[…]`,
// and 0 where the label is −100.
//
// <!-- hint -->
// All candidates share the prompt. Which places of a row tell them apart, and at which places are these predicted?
// <!-- hint -->
// Labels at place t: the token at t + 1 if promptLength ≤ t + 1 < promptLength + answerLengths[n], else −100;
// tokenLosses `[N, T]`; minus their sum over T → `[N]`; divided by answerLengths → `[N]`.
// <!-- hint -->
// $\log p(a \mid \text{prompt}) = \sum_i \log p(a_i \mid \text{prompt}, a_{<i})$. Brown et al., 2020, section 2.4.

// %% [answer] gpt/score-candidates
function scoreCandidates(
  logits: tf.Tensor3D,
  inputIds: tf.Tensor2D,
  promptLength: number,
  answerLengths: number[],
): { logLikelihood: tf.Tensor; perToken: tf.Tensor } {
  // BEGIN SOLUTION
  const [logLikelihood, perToken] = tf.tidy(() => {
    const [batch, length, vocabularySize] = logits.shape;
    const next = tf.slice(inputIds, [0, 1], [batch, length - 1]); // [N, T − 1]
    const predictions = tf.slice(logits, [0, 0, 0], [batch, length - 1, vocabularySize]);
    const counted = tf.tensor2d(
      answerLengths.map((count) =>
        Array.from({ length: length - 1 }, (_, t) =>
          Number(t + 1 >= promptLength && t + 1 < promptLength + count),
        ),
      ),
    );
    const sum = tf.neg(tf.sum(tf.mul(lab.tokenLosses(predictions, next), counted), 1)); // [N]
    return [sum, tf.div(sum, tf.tensor1d(answerLengths))] as [tf.Tensor, tf.Tensor];
  });
  return { logLikelihood, perToken };
  // END SOLUTION
  //| // Return {logLikelihood, perToken}, both [N].
  //| throw new Error('scoreCandidates is not written yet');
}

// %%
await lab.check('gpt/score-candidates', scoreCandidates);

// %% [markdown]
// What does our story teller know? In its world each animal has a voice. We ask for it with 0, 1 and 3 examples in the
// prompt, written as sentences, because it has never seen a Q or an A.

// %%
const voices = new Map<string, string>();
for (const text of storyTexts) {
  const found = /The (\w+) was hungry and said (\w+)\./.exec(text);
  if (found?.[1] !== undefined && found[2] !== undefined) voices.set(found[1], found[2]);
}
const animals = [...voices.keys()];
const candidates = [...new Set(voices.values())];
const sentence = (animal: string): string => `The ${animal} was hungry and said`;

const scoresOf = await lab.orReference(
  'gpt/score-candidates',
  scoreCandidates,
  (logits, inputIds, promptLength, answerLengths) => {
    const [logLikelihood, perToken] = tf.tidy(() => {
      const [rows, length] = inputIds.shape;
      const positions = tf.range(0, length, 1, 'int32');
      const ends = tf.add(tf.tensor2d(answerLengths, [rows, 1], 'int32'), promptLength);
      const isAnswer = tf.logicalAnd(tf.greaterEqual(positions, promptLength), tf.less(positions, ends));
      const ignored = tf.fill([rows, length], lab.IGNORED, 'int32');
      const labels = tf.where(isAnswer, inputIds, ignored);
      const shifted = tf.concat([tf.slice(labels, [0, 1]), tf.slice(ignored, [0, 0], [rows, 1])], 1);
      const sum = tf.neg(tf.sum(lab.tokenLosses(logits, shifted), 1));
      return [sum, tf.div(sum, tf.tensor1d(answerLengths))] as const;
    });
    return { logLikelihood, perToken };
  },
);

/** The candidate that the model finds likeliest after a prompt. */
const choose = async (prompt: string): Promise<string> => {
  const promptIds = [endId, ...idsOf(prompt)];
  const answers = candidates.map((candidate) => idsOf(` ${candidate}`));
  const longest = Math.max(...answers.map(({ length }) => length));
  const padded = answers.map((answer) => [
    ...promptIds,
    ...answer,
    ...Array.from({ length: longest - answer.length }, () => endId),
  ]);
  const scores = tf.tidy(() => {
    const inputIds = matrix(padded);
    const { logits } = lab.gptLMHeadModel(params, { inputIds }, gptConfig);
    const shaped = logits.as3D(padded.length, promptIds.length + longest, gptConfig.vocab_size);
    const lengths = answers.map(({ length }) => length);
    return scoresOf(shaped, inputIds, promptIds.length, lengths).logLikelihood;
  });
  const values = await scores.data();
  scores.dispose();
  return candidates[lab.argmax(Float32Array.from(values))] ?? '';
};

const shots: { examples: number; right: number; of: number }[] = [];
for (const examples of [0, 1, 3]) {
  let right = 0;
  for (const [i, animal] of animals.entries()) {
    const others = Array.from(
      { length: examples },
      (_, k) => animals[(i + 1 + k) % animals.length] ?? animal,
    );
    const shown = others.map((other) => `${sentence(other)} ${voices.get(other)}. `).join('');
    if ((await choose(shown + sentence(animal))) === voices.get(animal)) right++;
  }
  shots.push({ examples, right, of: animals.length });
}
await lab.show(lab.table(shots, `Which of ${candidates.length} voices? (${candidates.join(', ')})`));

// %% [markdown]
// Read the table with care. Whatever our model knows of voices it learned in training; the examples can at most tell it
// what kind of word is wanted. And a prompt of several such sentences looks like no story it has seen. To pick up a
// *new* task from examples takes a far larger model and far more varied text.
//
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'Why does GPT-2 need a norm after the last block, and GPT not?',
      choices: [
        {
          text: 'In GPT-2 nothing has normalised the residual sum; in GPT the last block ends with a norm.',
          right: true,
          why: 'Pre-norm blocks normalise what they read, never the sum itself.',
        },
        { text: 'GPT-2 is deeper.', why: 'Depth does not matter here: it holds for one layer too.' },
        {
          text: 'To keep the loss small.',
          why: 'No norm is put in for that; it is there because the sum grows with every layer.',
        },
      ],
    },
    {
      ask: 'A training loss falls close to 0 within a few steps. What is the likeliest mistake?',
      choices: [
        { text: 'The learning rate is too low.', why: 'Then the loss would hardly fall.' },
        {
          text: 'The labels are not shifted.',
          right: true,
          why: 'Each position is asked for the token it has just read, which is easy.',
        },
        { text: 'The labels are shifted twice.', why: 'That makes the task harder: the next token but one.' },
      ],
    },
    {
      ask: 'Why 1/√(2L), and not 1/√L?',
      choices: [
        { text: 'To be on the safe side.', why: 'There is a count behind it.' },
        {
          text: 'Each of the L layers adds to the sum twice.',
          right: true,
          why: 'Once after the attention, once after the feed-forward network.',
        },
        { text: 'There are two norms in a layer.', why: 'Norms add nothing to the sum.' },
      ],
    },
    {
      ask: 'Three tokens have probabilities 0.6, 0.3 and 0.1; top-p is 0.7. Which remain?',
      choices: [
        { text: 'The first.', why: 'It holds 0.6 only, less than p.' },
        {
          text: 'The first two.',
          right: true,
          why: 'The token with which the sum reaches p is kept: 0.6 + 0.3 ≥ 0.7.',
        },
        { text: 'All three.', why: 'Two already hold 0.9.' },
      ],
    },
    {
      ask: 'What happens if the temperature is applied after top-p?',
      choices: [
        {
          text: 'Nothing changes.',
          why: 'Top-p depends on the probabilities, and these on the temperature.',
        },
        {
          text: 'Top-p keeps another number of tokens.',
          right: true,
          why: 'A high temperature flattens, so more tokens are needed to reach p. Top-k alone would not notice.',
        },
        { text: 'The probabilities no longer sum to 1.', why: 'A softmax at the end always sees to that.' },
      ],
    },
    {
      ask: 'Why may keys and values be kept between steps in GPT, but not in BERT?',
      choices: [
        {
          text: 'With a causal mask, nothing that comes later changes them.',
          right: true,
          why: 'In BERT each new token would change the states of all others, and with them their keys and values.',
        },
        { text: 'GPT is smaller.', why: 'Size has nothing to do with it.' },
        { text: 'BERT has no keys.', why: 'It has: attention is the same.' },
      ],
    },
    {
      ask: 'With a cache, a model suddenly repeats the beginning of its text. What would you look at first?',
      choices: [
        {
          text: 'The positions of the new tokens.',
          right: true,
          why: 'If they restart at 0, each new token believes it stands at the beginning.',
        },
        { text: 'The temperature.', why: 'It would show without the cache, too.' },
        { text: 'The tokenizer.', why: 'It knows nothing of the cache.' },
      ],
    },
    {
      ask: 'Padding has the id of the end token, and all of it has a label. What does the model learn?',
      choices: [
        {
          text: 'Nothing wrong: the end token should be learned.',
          why: 'Once for each answer, not fifty times.',
        },
        {
          text: 'Above all, that an end token follows an end token.',
          right: true,
          why: 'This easy case fills the loss, and the answers count for little.',
        },
        { text: 'Never to stop.', why: 'That happens when the first end token has no label.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Radford et al., 2018, *Improving language understanding by generative pre-training*; Radford et al., 2019, *Language
//   models are unsupervised multitask learners*.
// - Brown et al., 2020, [Language models are few-shot learners](https://arxiv.org/abs/2005.14165).
// - Holtzman et al., 2020, [The curious case of neural text degeneration](https://arxiv.org/abs/1904.09751): why the
//   likeliest text is not the best.
// - Ouyang et al., 2022, [Training language models to follow instructions with human
//   feedback](https://arxiv.org/abs/2203.02155): what comes after supervised fine-tuning.
//
// Next: chapter 10, what LLaMA changed in the block you have just written.
