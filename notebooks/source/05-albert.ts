// %% [markdown]
// # 05 · ALBERT
//
// Larger models were better, and memory set the limit: BERT-large has 334 million parameters, and an optimizer keeps two
// more numbers for each of them. ALBERT ("a lite BERT", Lan et al., 2020) asks how many are needed. It
// changes three things:
//
// | | BERT | ALBERT |
// |---|---|---|
// | embeddings | one table, V × D | **two steps**: V × E, then E × D, with E much smaller than D |
// | layers | L layers, each with its own parameters | **shared**: all L layers use one set |
// | second task | is B the next sentence of A? | **in which order** do A and B stand? |
//
// ALBERT-base has 12 million parameters where BERT-base has 108 million (Lan et al., table 1; counted below). It is not faster, though:
// all L layers are still computed. What shrinks is what must be stored, sent, and kept by the optimizer.
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
    title: 'ALBERT',
    rows: [
      [{ label: 'tokens', kind: 'data', shape: '[B, T]' }],
      [{ label: 'word + segment + position', note: 'width E', shape: '[B, T, E]' }],
      [{ label: 'norm', note: 'width E', kind: 'norm', shape: '[B, T, E]' }],
      [{ label: 'projection', note: 'E → D', shape: '[B, T, D]' }],
      [{ label: 'encoder layer', note: 'the same parameters every time', shape: '[B, T, D]' }],
      [{ label: 'dense, GELU, norm', note: 'D → E', shape: '[B, T, E]' }],
      [
        {
          label: 'compare with the word table',
          note: 'V × E, the one from below',
          kind: 'head',
          shape: '[B, T, V]',
        },
      ],
    ],
    groups: [{ from: 4, to: 4, label: '× L' }],
  }),
);

// %% [markdown]
// ## Part 1 · Embeddings in two steps
//
// A word's embedding says what the word means *by itself*; the states inside the model say what it means *here*. The
// second needs more room than the first, but in BERT both have the same width D. So the table of words grows with D
// although it need not. ALBERT gives it a width E of its own (128, for any D) and a matrix that leads from E up to D.

// %% [exercise] albert/embedding-count difficulty=1 minutes=10
// ### Exercise: what the factorisation saves
// Write `embeddingSaving(V, E, D)`: how many numbers a `plain` table of words has, and how many the `factorised` one.
// Count no biases.
//
// <!-- hint -->
// One matrix with V rows and D columns is replaced by two. Which sizes do they have?
// <!-- hint -->
// plain: `[V, D]`. factorised: `[V, E]` and `[E, D]`.
// <!-- hint -->
// $V D$ becomes $V E + E D$. Lan et al., 2020, section 3.1.

// %% [answer] albert/embedding-count
function embeddingSaving(
  vocabulary: number,
  embedding: number,
  width: number,
): { plain: number; factorised: number } {
  // BEGIN SOLUTION
  return { plain: vocabulary * width, factorised: vocabulary * embedding + embedding * width };
  // END SOLUTION
  //| // Return {plain, factorised}.
  //| throw new Error('embeddingSaving is not written yet');
}

// %%
await lab.check('albert/embedding-count', embeddingSaving);

// %%
const savingOf = await lab.orReference(
  'albert/embedding-count',
  embeddingSaving,
  (vocabulary: number, embedding: number, width: number) => ({
    plain: vocabulary * width,
    factorised: vocabulary * embedding + embedding * width,
  }),
);
const modelWidths = [128, 256, 512, 768, 1024, 2048, 4096];
await lab.show(
  lab.lineChart(
    [
      {
        name: 'plain, V × D',
        points: modelWidths.map((D): [number, number] => [D, savingOf(30_000, 128, D).plain / 1e6]),
      },
      {
        name: 'factorised, E = 128',
        points: modelWidths.map((D): [number, number] => [D, savingOf(30_000, 128, D).factorised / 1e6]),
      },
    ],
    { title: 'Numbers in the embeddings, V = 30,000', x: 'width D of the model', y: 'millions', marks: true },
  ),
);

// %% [markdown]
// And the whole models? The library counts them from the shapes of their tensors, pooler included. The sizes are those of
// table 1 of the paper; beside each stands a BERT of the same width and depth.

// %%
const counted = [
  { size: 'base', D: 768, L: 12, H: 12 },
  { size: 'large', D: 1024, L: 24, H: 16 },
  { size: 'xlarge', D: 2048, L: 24, H: 16 },
  { size: 'xxlarge', D: 4096, L: 12, H: 64 },
].map(({ size, D, L, H }) => {
  const shape = {
    vocab_size: 30_000,
    hidden_size: D,
    num_hidden_layers: L,
    num_attention_heads: H,
    intermediate_size: 4 * D,
    max_position_embeddings: 512,
  };
  const total = (model_type: string, name: string): number =>
    lab.countModelParameters({ model_type, architectures: [name], embedding_size: 128, ...shape }).total;
  return { size, D, L, albert: total('albert', 'AlbertModel'), bert: total('bert', 'BertModel') };
});
await lab.show(
  lab.table(
    counted.map(({ size, D, L, albert, bert }) => ({
      size,
      D,
      L,
      ALBERT: albert.toLocaleString('en'),
      'a BERT of that shape': bert.toLocaleString('en'),
      'times fewer': (bert / albert).toFixed(1),
    })),
  ),
);

// %% [exercise] albert/factorised-embeddings difficulty=2 minutes=20
// ### Exercise: the embeddings
// Write `albertEmbeddings(params, inputIds, tokenTypeIds, config)`: `[B, T]` → `[B, T, D]`. All three tables
// (`wordEmbeddings`, `positionEmbeddings`, `tokenTypeEmbeddings`, each `{weight}`) and the norm have width E. Last comes
// `params.projection`, a linear layer from E to D.
//
// `lab.embed(table, ids)` looks rows up, `lab.layerNorm(params, x, eps)` normalises, `lab.linear(params, x)` projects.
//
// <!-- hint -->
// Up to the norm it is BERT, only narrower.
// <!-- hint -->
// words `[B, T, E]` + segments `[B, T, E]` + rows 0 … T − 1 of the positions `[T, E]` → norm → projection with a weight
// `[D, E]` → `[B, T, D]`.
// <!-- hint -->
// $h = W \, \text{LN}(\text{word} + \text{segment} + \text{position}) + b$. Lan et al., 2020, section 3.1; the order
// follows the released code.

// %% [answer] albert/factorised-embeddings
function albertEmbeddings(
  params: lab.BertEmbeddingsParams & { projection: lab.LinearParams },
  inputIds: tf.Tensor2D,
  tokenTypeIds: tf.Tensor2D,
  config: { layer_norm_eps: number },
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [, length] = inputIds.shape;
    const words = lab.embed(params.wordEmbeddings.weight, inputIds); // [B, T, E]
    const segments = lab.embed(params.tokenTypeEmbeddings.weight, tokenTypeIds); // [B, T, E]
    const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [length, -1]); // [T, E]
    const sum = tf.add(tf.add(words, segments), positions);
    const normed = lab.layerNorm(params.layerNorm, sum, config.layer_norm_eps);
    return lab.linear(params.projection, normed); // [B, T, D]
  });
  // END SOLUTION
  //| // Return [B, T, D].
  //| throw new Error('albertEmbeddings is not written yet');
}

// %%
await lab.check('albert/factorised-embeddings', albertEmbeddings);

// %% [markdown]
// ## Part 2 · One layer, many times
//
// What would a layer learn that the layer below has not? In ALBERT all layers are the *same* one, run L times, each time
// on what came out before. (In between there are *groups*: with G groups, the first L/G layers share one set of
// parameters, the next L/G another. ALBERT itself has G = 1.)
//
// "The same" is meant literally: one object in memory, used L times. When the model learns, each use has its say: the
// gradient of a shared parameter is the **sum** of the gradients of its uses. A copy would give the same output and the
// wrong gradient.

// %% [exercise] albert/shared-layers difficulty=2 minutes=20
// ### Exercise: the encoder
// Write `albertEncoder(groups, hidden, attentionMask, config)`. It runs `config.num_hidden_layers` layers; layer i uses
// `groups[⌊i·G/L⌋]`, where G is the number of groups. `lab.bertLayer(params, hidden, bias, config)` runs one layer, and
// `lab.paddingBias(attentionMask)` makes the bias. (`bertLayer` also reads BERT's other settings from its config: pass it
// `layerConfig(config)`, defined in the cell.)
//
// <!-- hint -->
// The loop runs L times, but there are only G sets of parameters. Which one does layer i use?
// <!-- hint -->
// bias `[B, 1, 1, T]` once; x = hidden; for i = 0 … L − 1: params = groups[Math.floor(i · G / L)]; x = layer(x)
// `[B, T, D]`.
// <!-- hint -->
// $\text{group}(i) = \lfloor i \cdot G / L \rfloor$. Lan et al., 2020, section 3.1.

// %% [answer] albert/shared-layers
interface AlbertSettings {
  num_hidden_layers: number;
  num_attention_heads: number;
  layer_norm_eps: number;
}

/** The settings of BERT that a layer reads, with these three among them. */
const layerConfig = (config: AlbertSettings): lab.BertConfig => ({
  ...lab.parseBertConfig({
    vocab_size: 1,
    hidden_size: config.num_attention_heads,
    num_hidden_layers: 1,
    num_attention_heads: config.num_attention_heads,
    intermediate_size: 1,
    max_position_embeddings: 1,
  }),
  ...config,
});

function albertEncoder(
  groups: lab.BertLayerParams[],
  hidden: tf.Tensor,
  attentionMask: tf.Tensor2D,
  config: AlbertSettings,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const bias = lab.paddingBias(attentionMask);
    let x = hidden;
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const params = groups[Math.floor((i * groups.length) / config.num_hidden_layers)];
      if (params !== undefined) x = lab.bertLayer(params, x, bias, layerConfig(config));
    }
    return x;
  });
  // END SOLUTION
  //| // Run L layers with the parameters of G groups. Return [B, T, D].
  //| throw new Error('albertEncoder is not written yet');
}

// %%
await lab.check('albert/shared-layers', albertEncoder);

// %% [markdown]
// The sum rule, measured. One layer is used three times. Then three *copies* of it are used once each: the output is the
// same, and each copy has a gradient of its own. Their sum must be the gradient of the shared layer.

// %%
const layersOnce = lab.parseAlbertConfig({
  vocab_size: 20,
  embedding_size: 12,
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 24,
  max_position_embeddings: 8,
});
const oneLayer = lab.initParameters(lab.albertWeights(layersOnce), lab.createRng('one layer'));
const gradientRows = await (async () => {
  const measured = tf.tidy(() => {
    const [layer] = oneLayer.groups.flat();
    if (layer === undefined) throw new Error('a model has a layer');
    const x = tf.tensor3d(
      Float32Array.from({ length: 60 }, (_, i) => Math.sin(i)),
      [1, 5, 12],
    );
    const mask = tf.ones<tf.Rank.R2>([1, 5], 'int32');
    const withUp = (up: tf.Tensor): lab.BertLayerParams => ({
      ...layer,
      intermediate: { ...layer.intermediate, weight: up },
    });
    const target = tf.cos(tf.mul(x, 3));
    const loss = (ups: tf.Tensor[]): tf.Scalar =>
      tf.sum(tf.mul(lab.bertEncoder(ups.map(withUp), x, lab.paddingBias(mask), layersOnce), target));
    const weight = layer.intermediate.weight;
    const shared = tf.grad((up: tf.Tensor) => loss([up, up, up]))(weight);
    const copies = tf.grads((...ups: tf.Tensor[]) => loss(ups))(
      [weight, weight, weight].map((w) => tf.clone(w)),
    );
    const size = (g: tf.Tensor): tf.Tensor => tf.sqrt(tf.sum(tf.square(g)));
    const gap = tf.max(tf.abs(tf.sub(shared, tf.addN(copies))));
    return tf.stack([...copies.map(size), size(tf.addN(copies)), size(shared), gap]);
  });
  const values = Array.from(await measured.data());
  measured.dispose();
  return values;
})();
lab.disposeParameters(oneLayer);
const gradientGap = gradientRows.at(-1) ?? Number.NaN;
await lab.show(
  lab.barChart(
    ['copy used first', 'copy used second', 'copy used third', 'sum of the three', 'the shared layer'].map(
      (label, i) => ({ label, value: gradientRows[i] ?? 0 }),
    ),
    { title: 'Gradient of one matrix of the layer', value: 'length of the gradient' },
  ),
);
console.log(`sum of the copies and shared layer differ by at most ${gradientGap.toExponential(1)}`);

// %% [markdown]
// ## Part 3 · A harder second task
//
// BERT's next-sentence task turned out too easy: its wrong pairs came from other documents, so the *topic* gave them
// away, and topic is something that masked words teach already. ALBERT's pairs always come from one document. The
// question is only whether they stand in their order. That takes coherence: what must have happened first?

// %% [exercise] albert/sentence-order difficulty=2 minutes=20
// ### Exercise: sentence-order pairs
// Write `sentenceOrder(documents, coins, {clsId, sepId})`. Each sentence is a list of token ids. For every two neighbours
// of a document, in reading order, make one example; k counts them. If `coins[k] < 0.5` the two are swapped (label 1),
// else they stay (label 0). The input is `[CLS] a [SEP] b [SEP]`; `tokenTypeIds` are 0 up to and including the first
// `[SEP]` and 1 from there on.
//
// <!-- hint -->
// Both kinds of example are made of two neighbouring sentences. What is the only difference?
// <!-- hint -->
// a, b = swapped ? next, first : first, next. inputIds = `[clsId, ...a, sepId, ...b, sepId]`; tokenTypeIds =
// a.length + 2 zeros, then b.length + 1 ones.
// <!-- hint -->
// Lan et al., 2020, section 3.1, inter-sentence coherence loss.

// %% [answer] albert/sentence-order
function sentenceOrder(
  documents: number[][][],
  coins: number[],
  special: { clsId: number; sepId: number },
): { inputIds: number[]; tokenTypeIds: number[]; label: number }[] {
  // BEGIN SOLUTION
  const neighbours = documents.flatMap((document) =>
    document.slice(1).map((next, i) => ({ first: document[i] ?? [], next })),
  );
  return neighbours.map(({ first, next }, k) => {
    const swapped = (coins[k] ?? 0) < 0.5;
    const [a, b] = swapped ? [next, first] : [first, next];
    const zeros = Array.from({ length: a.length + 2 }, () => 0);
    const ones = Array.from({ length: b.length + 1 }, () => 1);
    return {
      inputIds: [special.clsId, ...a, special.sepId, ...b, special.sepId],
      tokenTypeIds: [...zeros, ...ones],
      label: swapped ? 1 : 0,
    };
  });
  // END SOLUTION
  //| // One example for every two neighbours of a document.
  //| throw new Error('sentenceOrder is not written yet');
}

// %%
await lab.check('albert/sentence-order', sentenceOrder);

// %% [markdown]
// How much does the topic give away? Here is a judge that understands nothing. It looks whether the two sentences share a
// word that is not among the 40 most frequent, and if they do it says "B belongs to A" (or, for order, "not swapped"). We let it judge
// pairs of both kinds, made from the same stories.

// %%
const stories = await lab.loadStories();
const wordsOf = (text: string): string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];
const wordCounts = new Map<string, number>();
for (const word of stories.flat().flatMap(wordsOf)) wordCounts.set(word, (wordCounts.get(word) ?? 0) + 1);
const frequent = new Set(
  [...wordCounts]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 40)
    .map(([word]) => word),
);
const sharesAWord = ({ first, second }: { first: string; second: string }): boolean => {
  const rare = new Set(wordsOf(first).filter((word) => !frequent.has(word)));
  return wordsOf(second).some((word) => rare.has(word));
};
const shareRight = (pairs: { first: string; second: string; label: number }[]): number =>
  lab.accuracy(
    pairs.map((pair) => (sharesAWord(pair) ? 0 : 1)),
    pairs.map(({ label }) => label),
  );
const byTopic = {
  next: shareRight(lab.nextSentencePairs(stories, lab.createRng('next'))),
  order: shareRight(lab.sentenceOrderPairs(stories, lab.createRng('order'))),
};
await lab.show(
  lab.barChart(
    [
      { label: 'guessing', value: 0.5 },
      { label: 'next sentence', value: byTopic.next },
      { label: 'sentence order', value: byTopic.order },
    ],
    { title: 'What shared words alone can tell', value: 'share right' },
  ),
);

// %% [markdown]
// The order of two sentences does not show in which words they share: swapping changes nothing about that. Whoever wants to
// know must know what comes first in a story.

// %% [exercise] albert/mlm-head difficulty=2 minutes=15
// ### Exercise: the head goes down again
// To predict a hidden word, its state is compared with the table of words. The table has width E, the state width D. So
// ALBERT's head first leads from D down to E: a dense layer, GELU (here the one with tanh, `lab.geluTanh`), a norm.
//
// Write `albertHead(params, wordEmbeddings, hidden, config)`: `[B, T, D]` → `[B, T, V]`, with `params.bias` `[V]` added at
// the end. Use the table itself, not a copy: it must learn from this side too.
//
// <!-- hint -->
// What must happen to the states before they can be compared with rows of width E?
// <!-- hint -->
// hidden `[B, T, D]` → dense `[B, T, E]` → geluTanh → layerNorm → · tableᵀ `[E, V]` → `[B, T, V]` → + bias.
// `lab.linear({weight: wordEmbeddings, bias}, x)` multiplies with the transpose.
// <!-- hint -->
// $z = \text{LN}(\text{GELU}(W h + b)) E^\top + c$. Lan et al., 2020, and the released code.

// %% [answer] albert/mlm-head
function albertHead(
  params: { dense: lab.LinearParams; layerNorm: lab.LayerNormParams; bias: tf.Tensor },
  wordEmbeddings: tf.Tensor,
  hidden: tf.Tensor,
  config: { layer_norm_eps: number },
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const inner = lab.geluTanh(lab.linear(params.dense, hidden)); // [B, T, E]
    const narrow = lab.layerNorm(params.layerNorm, inner, config.layer_norm_eps);
    return lab.linear({ weight: wordEmbeddings, bias: params.bias }, narrow); // [B, T, V]
  });
  // END SOLUTION
  //| // hidden [B, T, D] in, logits [B, T, V] out.
  //| throw new Error('albertHead is not written yet');
}

// %%
await lab.check('albert/mlm-head', albertHead);

// %% [markdown]
// ### Your pieces inside the real model
//
// The library's ALBERT with random weights, once as it is, once with *your* embeddings, encoder and head in its place.

// %%
const ownEmbeddings = await lab.orReference(
  'albert/factorised-embeddings',
  albertEmbeddings,
  (params, inputIds, tokenTypeIds, config) =>
    tf.tidy(() =>
      lab.linear(
        params.projection,
        lab.bertEmbeddings(params, { inputIds, tokenTypeIds }, { ...smallConfig, ...config }),
      ),
    ),
);
const ownEncoder = await lab.orReference(
  'albert/shared-layers',
  albertEncoder,
  (groups, hidden, attentionMask, config) =>
    tf.tidy(() => {
      const shared = Array.from(
        { length: config.num_hidden_layers },
        (_, i) => groups[Math.floor((i * groups.length) / config.num_hidden_layers)],
      );
      const layers = shared.flatMap((layer) => (layer === undefined ? [] : [layer]));
      return lab.bertEncoder(layers, hidden, lab.paddingBias(attentionMask), layerConfig(config));
    }),
);
const ownHead = await lab.orReference('albert/mlm-head', albertHead, (params, table, hidden, config) =>
  lab.maskedLMHead(params, hidden, table, { hidden_act: 'gelu_new', ...config }),
);

const smallConfig = lab.parseAlbertConfig({
  vocab_size: 40,
  embedding_size: 10,
  hidden_size: 24,
  num_hidden_layers: 4,
  num_hidden_groups: 2,
  num_attention_heads: 4,
  intermediate_size: 48,
  max_position_embeddings: 16,
  hidden_act: 'gelu',
});
const small = lab.initParameters(lab.albertForMaskedLMWeights(smallConfig), lab.createRng('albert'));
const sample = {
  inputIds: tf.tensor2d(
    [
      [2, 17, 31, 8, 3],
      [2, 25, 3, 0, 0],
    ],
    [2, 5],
    'int32',
  ),
  tokenTypeIds: tf.tensor2d(
    [
      [0, 0, 0, 1, 1],
      [0, 0, 0, 0, 0],
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
const apart = tf.tidy(() => {
  const library = lab.albertModel(small, sample, smallConfig).lastHiddenState;
  const embedded = ownEmbeddings(
    { ...small.embeddings, projection: small.projection },
    sample.inputIds,
    sample.tokenTypeIds,
    smallConfig,
  );
  const yours = ownEncoder(small.groups.flat(), embedded, sample.attentionMask, smallConfig);
  const headConfig = { hidden_act: 'gelu_new' as const, layer_norm_eps: smallConfig.layer_norm_eps };
  const table = small.embeddings.wordEmbeddings.weight;
  const logits = lab.maskedLMHead(small.predictions, library, table, headConfig);
  const yourLogits = ownHead(small.predictions, table, yours, headConfig);
  return tf.max(tf.abs(tf.sub(logits, yourLogits)));
});
const [farthest = Number.NaN] = await apart.data();
tf.dispose([apart, ...Object.values(sample)]);
lab.disposeParameters(small);
console.log(`largest difference in the logits: ${farthest.toExponential(1)}`);

// %% [markdown]
// ## Part 4 · What does sharing cost? A training run
//
// Two models learn the same two tasks on our stories: hidden words, and the order of sentences. One has two layers of its
// own and a full table of words, as BERT; the other shares one layer and factorises the table, as ALBERT. Both do the same
// amount of work for each step.

// %%
const [trainingStories, heldOutStories] = [stories.slice(0, 1200), stories.slice(1200, 1300)];
const vocabulary = lab.trainWordPiece(trainingStories.flat(), { vocabSize: 600, score: 'frequency' });
const tokenizer = lab.wordPieceTokenizer(vocabulary);
const idOf = (token: string): number => tokenizer.tokenToId(token) ?? 0;
const special = { clsId: idOf('[CLS]'), sepId: idOf('[SEP]') };
const specialIds = [idOf('[PAD]'), idOf('[UNK]'), special.clsId, special.sepId, idOf('[MASK]')];

const orderOf = await lab.orReference(
  'albert/sentence-order',
  sentenceOrder,
  (documents, coins, { clsId, sepId }) => {
    const pairs = documents.flatMap((document) =>
      document.slice(1).map((next, i) => [document[i] ?? [], next] as const),
    );
    return pairs.map(([first, next], k) => {
      const swapped = (coins[k] ?? 0) < 0.5;
      const [a, b] = swapped ? [next, first] : [first, next];
      const types = [
        ...Array.from({ length: a.length + 2 }, () => 0),
        ...Array.from({ length: b.length + 1 }, () => 1),
      ];
      return { inputIds: [clsId, ...a, sepId, ...b, sepId], tokenTypeIds: types, label: swapped ? 1 : 0 };
    });
  },
);

type Pair = ReturnType<typeof sentenceOrder>[number];

function pairsOf(texts: string[][], seed: string): Pair[] {
  const documents = texts.map((document) =>
    document.map((sentence) => tokenizer.tokenize(sentence).map(idOf)),
  );
  const rng = lab.createRng(seed);
  const coins = documents.flat().map(() => rng.next());
  return orderOf(documents, coins, special);
}
const heldOut = pairsOf(heldOutStories, 'held out');
console.log(
  `${pairsOf(trainingStories, 'count').length} pairs to learn from, ${heldOut.length} to test with`,
);

/** Rows as one matrix, short ones filled up. */
function matrixOf(rows: number[][], filler: number): tf.Tensor2D {
  const longest = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]);
  return tf.tensor2d(padded, [rows.length, longest], 'int32');
}

/** Pairs as tensors, as they are. */
function rowsOf(pairs: Pair[]) {
  const of = (row: (pair: Pair) => number[], filler: number): tf.Tensor2D =>
    matrixOf(
      pairs.map((pair) => row(pair)),
      filler,
    );
  return {
    inputIds: of(({ inputIds }) => inputIds, idOf('[PAD]')),
    attentionMask: of(({ inputIds }) => inputIds.map(() => 1), 0),
    tokenTypeIds: of(({ tokenTypeIds }) => tokenTypeIds, 0),
  };
}

/** A batch of pairs as tensors, with fresh masks. */
function batchOf(pairs: Pair[], rng: lab.Rng) {
  const masked = pairs.map(({ inputIds }) =>
    lab.maskTokens(
      inputIds,
      inputIds.map((id) => (specialIds.includes(id) ? 1 : 0)),
      { rng, maskId: idOf('[MASK]'), vocabSize: tokenizer.vocabSize, specialIds },
    ),
  );
  return {
    ...rowsOf(pairs),
    inputIds: matrixOf(
      masked.map(({ inputIds }) => inputIds),
      idOf('[PAD]'),
    ),
    labels: matrixOf(
      masked.map(({ labels }) => labels),
      lab.IGNORED,
    ),
    sentenceOrderLabel: tf.tensor1d(
      pairs.map(({ label }) => label),
      'int32',
    ),
  };
}

// %% [markdown]
// Both models are the library's ALBERT: with as many groups as layers and E = D it has everything that BERT has (and one
// more matrix, from D to D).
//
// Order is hard to begin with. That the word *market* occurs says nothing, and that a word stands in segment A says nothing.
// Only both together do: *market* in A speaks for the right order, because stories go to the market early. Until the network finds such
// combinations its loss stays at that of guessing, $\ln 2$; then it falls quickly. (What helps a small model to get off
// that plateau: first weights large enough that its layers bend, a wide feed-forward network, and many pairs in a batch.
// Depth makes it longer: with `LAYERS = 3` both models need more steps than we take here.)

// %%
const LAYERS = 2;
const settings = {
  vocab_size: tokenizer.vocabSize,
  hidden_size: 64,
  num_hidden_layers: LAYERS,
  num_attention_heads: 4,
  intermediate_size: 256,
  max_position_embeddings: 64,
  initializer_range: 0.125,
};
const models = {
  'own layers': lab.parseAlbertConfig({ ...settings, embedding_size: 64, num_hidden_groups: LAYERS }),
  'shared, factorised': lab.parseAlbertConfig({ ...settings, embedding_size: 24, num_hidden_groups: 1 }),
};
const STEPS = lab.stepsFor(1000, 25);
const BATCH = 24;

const wordCurves = lab.liveLoss({
  title: 'Hidden words',
  names: Object.keys(models),
  level: { value: Math.log(tokenizer.vocabSize), name: 'guessing' },
});
const orderCurves = lab.liveLoss({
  title: 'The order of two sentences',
  names: Object.keys(models),
  level: { value: Math.LN2, name: 'guessing' },
});

type Model = lab.AlbertForPreTrainingParams;
/** Whether the model takes each pair for swapped, from what it reads without gaps. */
async function swappedOf(params: Model, config: lab.AlbertConfig, pairs: Pair[]): Promise<number[]> {
  const verdicts: number[] = [];
  for (let start = 0; start < pairs.length; start += 60) {
    const best = tf.tidy(() => {
      const { inputIds, attentionMask, tokenTypeIds } = rowsOf(pairs.slice(start, start + 60));
      return tf.argMax(
        lab.albertForPreTraining(params, { inputIds, attentionMask, tokenTypeIds }, config).sopLogits,
        1,
      );
    });
    verdicts.push(...(await best.data()));
    best.dispose();
  }
  return verdicts;
}

interface Result {
  model: string;
  parameters: number;
  /** The losses on stories held back, and the share of their pairs whose order was judged rightly. */
  words: number;
  right: number;
  params: Model;
  config: lab.AlbertConfig;
}
const results: Result[] = [];
for (const [model, config] of Object.entries(models)) {
  const params = lab.trainable(
    lab.initParameters(lab.albertForPreTrainingWeights(config), lab.createRng('the same seed')),
  );
  /** The two losses, apart. */
  const lossesOf = (now: Model, pairs: Pair[], rng: lab.Rng) => {
    const batch = batchOf(pairs, rng);
    const { loss, sopLogits } = lab.albertForPreTraining(now, batch, config);
    if (loss === undefined) throw new Error('a model with labels returns a loss');
    const order = lab.crossEntropy(sopLogits, batch.sentenceOrderLabel);
    return { loss, words: tf.sub(loss, order), order };
  };
  const optimizer = lab.adamW({ weightDecay: 0.01, beta2: 0.98 });
  await lab.train({
    params,
    loss: (now, pairs: Pair[], step) => lossesOf(now, pairs, lab.createRng(`masks ${step}`)),
    *batches(epoch) {
      const pairs = lab.shuffle(pairsOf(trainingStories, `coins ${epoch}`), lab.createRng(`order ${epoch}`));
      for (let start = 0; start + BATCH <= pairs.length; start += BATCH)
        yield pairs.slice(start, start + BATCH);
    },
    optimizer,
    schedule: lab.linearSchedule({ peak: 3e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
    steps: STEPS,
    clipNorm: 1,
    onStep: ({ step, metrics }) => {
      wordCurves.add(step, { [model]: metrics.words });
      orderCurves.add(step, { [model]: metrics.order });
    },
    progress: lab.progressBar(model),
  });
  optimizer.dispose();
  const wordLoss = tf.tidy(() => lossesOf(params, heldOut, lab.createRng('test')).words);
  const [words = Number.NaN] = await wordLoss.data();
  wordLoss.dispose();
  const verdicts = await swappedOf(params, config, heldOut);
  const right = lab.accuracy(
    verdicts,
    heldOut.map(({ label }) => label),
  );
  results.push({ model, parameters: lab.parameterCount(params), words, right, params, config });
}
await wordCurves.finish();
await orderCurves.finish();
await lab.show(
  lab.table(
    results.map(({ model, parameters, words, right }) => ({
      model,
      parameters: parameters.toLocaleString('en'),
      'loss of hidden words': words.toFixed(2),
      'order right': `${(100 * right).toFixed(0)}%`,
    })),
    `On ${heldOut.length} pairs held back, after ${STEPS} steps`,
  ),
);

// %% [markdown]
// Some pairs, each put both ways round. A model that has learned order must change its mind when the sentences change places.

// %%
const triedPairs: [string, string][] = [
  ['Tom had a red ball.', 'One day the ball was lost.'],
  ['The cow was hungry and said moo.', 'So Anna gave the cow some grass.'],
  ['Mia went to the market with her mother.', 'At home Mia cut the plum with a knife.'],
  ['It was so cold that he was glad to have the sledge.', 'In the evening he came home cold and tired.'],
  ['Soon the soup smelled good.', 'The whole family ate the soup and laughed.'],
];
/** A pair of sentences as input. The label plays no part. */
const inputOf = (a: string, b: string): Pair => {
  const [first, second] = [a, b].map((text) => tokenizer.tokenize(text).map(idOf));
  return {
    inputIds: [special.clsId, ...(first ?? []), special.sepId, ...(second ?? []), special.sepId],
    tokenTypeIds: [
      ...Array.from({ length: (first?.length ?? 0) + 2 }, () => 0),
      ...Array.from({ length: (second?.length ?? 0) + 1 }, () => 1),
    ],
    label: 0,
  };
};
const sharing = results.at(-1);
if (sharing !== undefined) {
  const forth = await swappedOf(
    sharing.params,
    sharing.config,
    triedPairs.map(([a, b]) => inputOf(a, b)),
  );
  const back = await swappedOf(
    sharing.params,
    sharing.config,
    triedPairs.map(([a, b]) => inputOf(b, a)),
  );
  const say = (swapped: number | undefined): string => (swapped === 1 ? 'swapped' : 'in order');
  await lab.show(
    lab.table(
      triedPairs.map(([a, b], i) => ({
        'A, then B': `${a} ${b}`,
        'says of A, B': say(forth[i]),
        'says of B, A': say(back[i]),
      })),
      'The shared model',
    ),
  );
}
for (const { params } of results) lab.disposeParameters(params);

// %% [markdown]
// Read the table in both directions: how much did sharing cost in loss, and how much did it save in numbers? Lan et al.
// found the same trade (table 4: sharing all parameters costs some accuracy, most of it from sharing the
// feed-forward networks), and spent what they saved on a much wider model.
//
// One caution. In these stories each sentence has its usual place, so a few words often betray the order. In real text they do not, and
// the task is harder by far.
//
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'ALBERT-base has a ninth of the parameters of BERT-base. Is it nine times as fast?',
      choices: [
        {
          text: 'Yes, fewer parameters mean less work.',
          why: 'The shared layer is computed as often as before.',
        },
        {
          text: 'No, it computes as many layers; only what is stored shrinks.',
          right: true,
          why: 'Work depends on how often parameters are used, memory on how many there are.',
        },
        { text: 'It is slower by far.', why: 'The work is about the same.' },
      ],
    },
    {
      ask: 'Why can the embeddings be narrower than the hidden states?',
      choices: [
        { text: 'Words are short.', why: 'Their length has nothing to do with it.' },
        {
          text: 'An embedding describes a word by itself; a state describes it in its context.',
          right: true,
          why: 'The second has more to say. That is the argument of section 3.1.',
        },
        { text: 'They are not trained.', why: 'They are.' },
      ],
    },
    {
      ask: 'What is the gradient of a parameter that four layers share?',
      choices: [
        {
          text: 'The sum of the gradients of its four uses.',
          right: true,
          why: 'Each use contributes to the loss; derivatives add up.',
        },
        { text: 'The gradient of its last use.', why: 'The earlier uses matter as well.' },
        { text: 'The mean of the four.', why: 'It would be the mean only if each use counted a quarter.' },
      ],
    },
    {
      ask: 'An implementation copies the shared layer L times. Where does the mistake show?',
      choices: [
        { text: 'In the output of the first run.', why: 'Equal numbers give equal outputs.' },
        {
          text: 'In the gradients, and after the first update in the outputs.',
          right: true,
          why: 'The copies no longer agree once each has learned by itself.',
        },
        { text: 'Nowhere.', why: 'It does, and the file on disk would be L times as large.' },
      ],
    },
    {
      ask: 'Why is next-sentence prediction easier than sentence order?',
      choices: [
        { text: 'It has fewer labels.', why: 'Both have two.' },
        {
          text: 'Its negatives come from other documents, so the topic gives them away.',
          right: true,
          why: 'Both sentences of an order pair have the same topic.',
        },
        { text: 'Its sentences are shorter.', why: 'They come from the same texts.' },
      ],
    },
    {
      ask: 'The pair is swapped, but its segments are not rebuilt. What does the model learn?',
      choices: [
        { text: 'Nothing different.', why: 'It finds every trace that tells the labels apart.' },
        {
          text: 'To look where the segments change, relative to the first [SEP].',
          right: true,
          why: 'The border is off exactly in swapped pairs: the answer is leaked.',
        },
        { text: 'To ignore segments.', why: 'They would be the best clue it has.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Lan et al., 2020, *ALBERT: a lite BERT for self-supervised learning of language representations*.
// - Dehghani et al., 2019, *Universal transformers*: one layer, run again and again, in an encoder-decoder.
// - Press and Wolf, 2017, *Using the output embedding to improve language models*: sharing of another kind, the one between
//   the first table and the last.
//
// Next: chapter 06, where every token teaches something, not only 15% of them.
