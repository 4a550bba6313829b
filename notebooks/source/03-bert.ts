// The master of chapter 03. `npx lab notebooks` makes notebooks/03-bert.ipynb from it.

// %% [markdown]
// # 03 · BERT: reading in both directions
//
// Read this sentence: *The ▢ was hungry and said moo.* You know what stands in the gap, and you know it from the words
// **after** it. The language models of 2018 could not do that. They read from left to right and guessed the next word,
// so at the gap they had seen only *The*.
//
// BERT (Devlin, Chang, Lee and Toutanova, 2019, [BERT: Pre-training of deep bidirectional transformers for language
// understanding](https://arxiv.org/abs/1810.04805)) reads the whole sentence at once. That raises a question: if every
// word sees every other, what is there left to guess? BERT's answer is to **hide** some words and guess those. A model
// that can fill such gaps must know something about grammar, about cows, and about the story so far. What it has
// learned that way is then put to other uses, such as telling good reviews from bad ones, with little further training.
//
// **What you will have at the end of this notebook:** every part of BERT, written by you; a small BERT, trained here,
// that fills in blanks; and a classifier built on it.
//
// | letter | what it counts |
// |---|---|
// | B | sequences in a batch |
// | T | tokens in a sequence |
// | D | width: numbers that describe a token |
// | H, d | attention heads, and the width of one: D = H·d |
// | F | width of the feed-forward network |
// | V | tokens in the vocabulary |
//
// You need chapter 0 (tensors) and chapter 2 (attention and masks). Plan for four hours, in more than one sitting.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';
import { check, show } from 'llm-lab';

const backend = await lab.startBackend();
await show(`Computing on **${backend.name}**: ${backend.device}.`);

// %% [markdown]
// ## The whole picture
//
// From the bottom up: tokens become vectors, $L$ layers let the vectors look at each other, and two heads answer the
// two questions BERT is trained on. You will write each box.

// %%
await show(lab.bertFigure());

// %% [markdown]
// What changed against the models before it:
//
// | | ELMo (2018) | GPT (2018) | BERT (2018) |
// |---|---|---|---|
// | building block | recurrent network | transformer decoder | transformer encoder |
// | reads | both directions, apart | left to right | both directions, in every layer |
// | learns by | guessing the next word | guessing the next word | filling gaps; judging whether two sentences belong together |
// | use for a task | features for another model | fine-tune the whole model | fine-tune the whole model |
//
// (Peters et al., 2018, [Deep contextualized word representations](https://arxiv.org/abs/1802.05365); Radford et al.,
// 2018, *Improving language understanding by generative pre-training*; Devlin et al., 2019, figure 3.)

// %% [markdown]
// ## 1 · From text to pieces
//
// A model works with a fixed list of tokens, its **vocabulary**. With whole words as tokens, every new word would be
// unknown; with letters, sequences would be long and each token would mean little. **WordPiece** lies between: frequent
// words are one token, rare ones are cut into pieces. A piece that continues a word is marked with `##`:
//
// `unaffable` → `un` `##aff` `##able`
//
// To split a word, WordPiece is greedy. It takes the longest piece that fits at the beginning, then the longest that
// continues there, and so on. If at some point nothing fits, the **whole word** becomes one `[UNK]`, "unknown".

// %% [exercise] bert/wordpiece-encode difficulty=2 minutes=20
// ### Exercise: greedy longest match
//
// Split each word into its pieces.
//
// | | |
// |---|---|
// | `words` | `string[]` |
// | `vocabulary` | a `Map` from piece to id; only its keys matter here |
// | result | `string[][]`, the pieces of each word |
//
// With the pieces `un`, `##aff`, `##able`: `['unaffable', 'affx']` → `[['un', '##aff', '##able'], ['[UNK]']]`.
// <!-- hint -->
// Stand at the beginning of the word. What is the longest piece you could cut off, and how do you find it by trying?
// <!-- hint -->
// `start = 0`; while `start < word.length`, let `end` go down from `word.length` to `start + 1`; the candidate is
// `(start > 0 ? '##' : '') + word.slice(start, end)`. The first candidate in the vocabulary is the piece, and `start`
// becomes `end`. No candidate: the answer for the word is `['[UNK]']`.
// <!-- hint -->
// Greedy, longest match first, from left to right: Wu et al. (2016), [Google's neural machine translation
// system](https://arxiv.org/abs/1609.08144), section 4.1; Devlin et al. (2019), section 3.

// %% [answer] bert/wordpiece-encode
function wordPieces(words: string[], vocabulary: ReadonlyMap<string, number>): string[][] {
  // BEGIN SOLUTION
  return words.map((word) => {
    const pieces: string[] = [];
    let start = 0;
    while (start < word.length) {
      const mark = start > 0 ? '##' : '';
      let end = word.length;
      while (end > start && !vocabulary.has(mark + word.slice(start, end))) end--;
      if (end === start) return ['[UNK]'];
      pieces.push(mark + word.slice(start, end));
      start = end;
    }
    return pieces;
  });
  // END SOLUTION
  //| throw new Error('wordPieces is not written yet');
}

// %%
await check('bert/wordpiece-encode', wordPieces);

// %% [markdown]
// Where do the pieces come from? From a corpus. Training starts with single letters and merges, again and again, the
// pair of neighbouring pieces with the best score:
//
// $$\text{score}(a, b) = \frac{\text{count}(ab)}{\text{count}(a)\cdot\text{count}(b)}$$
//
// A pair scores high when its two pieces seldom occur without each other, like *q* and *u*. Merging it raises the
// likelihood of the text the most (Schuster and Nakajima, 2012, *Japanese and Korean voice search*, section 3).

// %% [exercise] bert/wordpiece-train difficulty=3 minutes=35
// ### Exercise: learn the pieces
//
// Given words, already cut into letters, and how often each occurs, make `merges` merges and return the new pieces in
// the order in which they were made. Two pieces join to their letters with the second `##` dropped: `t` and `##h` make
// `th`, `##a` and `##t` make `##at`. If several pairs score the same, take the first in the alphabet, by the left piece
// and then by the right. Stop early when no word has two pieces left.
//
// | | |
// |---|---|
// | `words` | `{pieces: string[]; count: number}[]` |
// | `merges` | how many pieces to make |
// | result | `string[]` |
// <!-- hint -->
// A frequent pair of frequent pieces is nothing special. Which pair comes together more often than its pieces would by
// chance?
// <!-- hint -->
// Repeat: two maps, piece → count and pair → count, both adding `word.count` for every place; the pair with the best
// score; a copy of the words in which that pair is one piece. Inside a word go from left to right.
// <!-- hint -->
// The formula stands above. A word that holds a piece twice counts it twice. Wu et al. (2016), section 4.1.

// %% [answer] bert/wordpiece-train
interface SplitWord {
  pieces: string[];
  count: number;
}

function trainPieces(words: SplitWord[], merges: number): string[] {
  // BEGIN SOLUTION
  const learned: string[] = [];
  let current = words;
  while (learned.length < merges) {
    const single = new Map<string, number>();
    const pairs = new Map<string, { left: string; right: string; count: number }>();
    for (const { pieces, count } of current) {
      for (const [i, left] of pieces.entries()) {
        single.set(left, (single.get(left) ?? 0) + count);
        const right = pieces[i + 1];
        if (right === undefined) continue;
        const key = `${left} ${right}`;
        pairs.set(key, { left, right, count: (pairs.get(key)?.count ?? 0) + count });
      }
    }
    const score = (pair: { left: string; right: string; count: number }): number =>
      pair.count / ((single.get(pair.left) ?? 1) * (single.get(pair.right) ?? 1));
    const inOrder = [...pairs.values()].sort((a, b) =>
      a.left === b.left ? (a.right < b.right ? -1 : 1) : a.left < b.left ? -1 : 1,
    );
    let best = inOrder[0];
    if (best === undefined) break;
    for (const pair of inOrder) if (score(pair) > score(best) + 1e-12) best = pair;
    const { left, right } = best;
    const joined = left + right.replace(/^##/, '');
    learned.push(joined);
    current = current.map(({ pieces, count }) => {
      const merged: string[] = [];
      for (let i = 0; i < pieces.length; i++) {
        const here = pieces[i] === left && pieces[i + 1] === right;
        merged.push(here ? joined : (pieces[i] ?? ''));
        if (here) i++;
      }
      return { pieces: merged, count };
    });
  }
  return learned;
  // END SOLUTION
  //| throw new Error('trainPieces is not written yet');
}

// %%
await check('bert/wordpiece-train', trainPieces);

// %% [markdown]
// Now the vocabulary of this notebook. The corpus has two parts, both made by programs in this repository (their cards
// say how): short stories in simple English, and reviews whose sentiment we want to classify later. The library's
// trainer does what you just wrote, only faster. We let it score pairs by their plain count, because a small vocabulary
// then covers whole words sooner and sequences stay short.

// %%
const stories = await lab.loadStories();
const reviews = await lab.loadReviews();
const corpus = [...stories.flat(), ...reviews.train.map(({ text }) => text)];
const vocabulary = lab.trainWordPiece(corpus, { vocabSize: 800, score: 'frequency' });
const tokenizer = lab.wordPieceTokenizer(vocabulary);
const { pad: padId = 0, mask: maskId = 0, cls: clsId = 0, sep: sepId = 0 } = tokenizer.specialIds;

await show(`**One story.** ${stories[7]?.join(' ')}`);
await show(`**One review.** ${reviews.train[0]?.text}`);
await show(
  lab.table(
    ['umbrella', 'grandmothers', 'unhappy', 'snowball', 'zebra'].map((word) => ({
      word,
      pieces: tokenizer.tokenize(word).join(' '),
    })),
    `${stories.length} stories, ${reviews.train.length} reviews, ${vocabulary.tokens.length} tokens`,
  ),
);

// %% [markdown]
// ## 2 · Embeddings
//
// BERT reads one or two texts in one sequence, framed by special tokens:
//
// `[CLS]` text A `[SEP]` text B `[SEP]`
//
// `[CLS]` stands for the sequence as a whole; `[SEP]` ends a text. Each token enters as the sum of three vectors: which
// **token** it is, which **segment** it belongs to (0 for text A *and its* `[SEP]`, 1 for text B), and at which
// **position** it stands. The sum is normalised:
//
// $$e_t = \operatorname{LayerNorm}\left(W_{\text{id}_t} + S_{\text{segment}_t} + P_t\right)$$
//
// (Devlin et al., 2019, figure 2; the norm is in the code released with the paper.) The position vector is learned, like
// the others. Without it, attention could not tell *dog bites man* from *man bites dog*.

// %%
const example = tokenizer.encode('The cow was hungry.', { pair: 'It said moo.' });
await show(
  lab.table(
    example.tokens.map((token, position) => ({
      position,
      token,
      id: example.inputIds[position] ?? 0,
      segment: example.tokenTypeIds[position] ?? 0,
    })),
  ),
);

// %% [exercise] bert/embeddings difficulty=1 minutes=15
// ### Exercise: embeddings
//
// `lab.embed(table, ids)` looks rows up, `lab.layerNorm(params, x, eps)` normalises.
//
// | | |
// |---|---|
// | `params` | `wordEmbeddings.weight [V, D]`, `positionEmbeddings.weight [T max, D]`, `tokenTypeEmbeddings.weight [2, D]`, `layerNorm` |
// | `inputs` | `inputIds`, `tokenTypeIds`: int32 `[B, T]` |
// | `config` | `layer_norm_eps` |
// | result | `[B, T, D]` |
// <!-- hint -->
// Three tables, three rows, one sum, one norm. Which table is looked up by something that is not given as an argument?
// <!-- hint -->
// `inputIds [B, T]` → words `[B, T, D]`; `tokenTypeIds [B, T]` → segments `[B, T, D]`; rows 0 … T−1 of the positions
// `[T, D]`, broadcast over B; sum `[B, T, D]`; norm `[B, T, D]`.
// <!-- hint -->
// $e = \operatorname{LayerNorm}(W[\text{ids}] + S[\text{segments}] + P[0 \dots T-1])$; Devlin et al. (2019), figure 2.
// `tf.slice(table, [0, 0], [T, -1])` takes the first T rows.

// %% [answer] bert/embeddings
function bertEmbeddings(
  params: lab.BertEmbeddingsParams,
  inputs: lab.BertInputs,
  config: { layer_norm_eps: number },
): tf.Tensor {
  return tf.tidy(() => {
    const { inputIds, tokenTypeIds = tf.zerosLike(inputIds) } = inputs;
    // BEGIN SOLUTION
    const words = lab.embed(params.wordEmbeddings.weight, inputIds); // [B, T, D]
    const segments = lab.embed(params.tokenTypeEmbeddings.weight, tokenTypeIds); // [B, T, D]
    const positions = tf.slice(params.positionEmbeddings.weight, [0, 0], [inputIds.shape[1] ?? 0, -1]); // [T, D]
    const sum = tf.add(tf.add(words, segments), positions); // [B, T, D]
    return lab.layerNorm(params.layerNorm, sum, config.layer_norm_eps);
    // END SOLUTION
    //| throw new Error(`bertEmbeddings is not written yet: ids ${inputIds.shape}, segments ${tokenTypeIds.shape}`);
  });
}

// %%
await check('bert/embeddings', bertEmbeddings);

// %% [markdown]
// ## 3 · The encoder
//
// A layer has two parts. In the first, **attention**, tokens exchange information; in the second, the **feed-forward
// network**, each token works on what it got. Around each part goes a shortcut, the **residual connection**: the input
// is added to the output, so that the part only has to find what to *change*. Then comes a layer norm:
//
// $$a = \operatorname{LN}\left(x + \operatorname{MHA}(x)\right), \qquad
// y = \operatorname{LN}\left(a + W_2\,\operatorname{GELU}(W_1 a + b_1) + b_2\right)$$
//
// The norm comes **after** the sum ("post-LN"), as in the first transformer (Vaswani et al., 2017, [Attention is all you
// need](https://arxiv.org/abs/1706.03762), section 3.1). GPT-2 and nearly everyone since moved it before the attention,
// because deep stacks then train more easily (Xiong et al., 2020, [On layer normalization in the transformer
// architecture](https://arxiv.org/abs/2002.04745)). To match BERT's weights you need BERT's order.
//
// GELU is a smooth relative of ReLU, $\max(0, x)$: it is $x\,\Phi(x)$, with $\Phi$ the cumulative distribution function of the normal
// distribution (Hendrycks and Gimpel, 2016, [Gaussian error linear units](https://arxiv.org/abs/1606.08415)).

// %%
const inputRange = Array.from({ length: 81 }, (_, i) => -4 + i / 10);
const geluValues = await lab.gelu(tf.tensor1d(inputRange)).data();
await show(
  lab.lineChart(
    [
      { name: 'GELU', points: inputRange.map((x, i) => [x, geluValues[i] ?? 0]) },
      { name: 'ReLU', points: inputRange.map((x) => [x, Math.max(0, x)]) },
    ],
    { title: 'GELU and ReLU', x: 'x', y: 'output', height: 180 },
  ),
);

// %% [exercise] bert/encoder-layer difficulty=3 minutes=30
// ### Exercise: the encoder layer
//
// `lab.multiHeadAttention(params.attention, x, {numHeads, bias})` is what you wrote in chapter 2; `lab.linear` and
// `lab.gelu` are there too.
//
// | | |
// |---|---|
// | `params` | `attention`, `attentionNorm`, `intermediate` (D → F), `output` (F → D), `outputNorm` |
// | `hidden` | `[B, T, D]` |
// | `bias` | `[B, 1, 1, T]`: 0 for tokens, very negative for padding; may be missing |
// | `config` | `num_attention_heads`, `layer_norm_eps` |
// | result | `[B, T, D]` |
// <!-- hint -->
// Two parts, the same three steps for each: compute, add what went in, normalise. What went into the second one?
// <!-- hint -->
// `hidden [B, T, D]` → attention `[B, T, D]` → + `hidden` → `attentionNorm` = a `[B, T, D]` → intermediate `[B, T, F]` →
// gelu → output `[B, T, D]` → + a → `outputNorm` `[B, T, D]`.
// <!-- hint -->
// The two formulas above: Vaswani et al. (2017), section 3.1, with GELU for ReLU: Devlin et al. (2019), appendix A.2.

// %% [answer] bert/encoder-layer
function bertLayer(
  params: lab.BertLayerParams,
  hidden: tf.Tensor,
  bias: tf.Tensor | undefined,
  config: { num_attention_heads: number; layer_norm_eps: number },
): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const { num_attention_heads: numHeads, layer_norm_eps: eps } = config;
    const attended = lab.multiHeadAttention(params.attention, hidden, { numHeads, bias }); // [B, T, D]
    const middle = lab.layerNorm(params.attentionNorm, tf.add(hidden, attended), eps); // [B, T, D]
    const inner = lab.gelu(lab.linear(params.intermediate, middle)); // [B, T, F]
    const fed = lab.linear(params.output, inner); // [B, T, D]
    return lab.layerNorm(params.outputNorm, tf.add(middle, fed), eps);
    // END SOLUTION
    //| throw new Error('bertLayer is not written yet');
  });
}

// %%
await check('bert/encoder-layer', bertLayer);

// %% [exercise] bert/encoder difficulty=2 minutes=20
// ### Exercise: the stack
//
// Run the layers one after the other. Sequences of a batch differ in length, so the short ones are padded; the mask says
// where tokens are. Turn it into a bias once, with `lab.paddingBias(attentionMask)`, and give it to every layer. Use
// `lab.bertLayer` here, or your own.
//
// | | |
// |---|---|
// | `layers` | the parameters of each layer, in order |
// | `hidden` | `[B, T, D]` |
// | `attentionMask` | `[B, T]`, 1 = token, 0 = padding |
// | `config` | `num_attention_heads`, `layer_norm_eps` |
// | result | `[B, T, D]` |
// <!-- hint -->
// A loop over the layers, the output of one the input of the next. What do all of them need that is made only once?
// <!-- hint -->
// `attentionMask [B, T]` → bias `[B, 1, 1, T]`; then for each layer: `hidden [B, T, D]` → `[B, T, D]`.
// <!-- hint -->
// $h_0$ = embeddings, $h_l = \text{layer}_l(h_{l-1}, \text{bias})$ for $l = 1 \dots L$; the bias is 0 for tokens and
// $-10^{30}$ for padding, so that $e^{\text{score}+\text{bias}} = 0$. Devlin et al. (2019), section 3.

// %% [answer] bert/encoder
function bertEncoder(
  layers: readonly lab.BertLayerParams[],
  hidden: tf.Tensor,
  attentionMask: tf.Tensor,
  config: { num_attention_heads: number; layer_norm_eps: number },
): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const bias = lab.paddingBias(attentionMask); // [B, 1, 1, T]
    let x = hidden;
    for (const params of layers) x = bertLayer(params, x, bias, config); // [B, T, D]
    return x;
    // END SOLUTION
    //| throw new Error('bertEncoder is not written yet');
  });
}

// %%
await check('bert/encoder', bertEncoder);

// %% [markdown]
// How large is all this? The published models come in two sizes. We count their numbers from the shapes alone, without
// loading anything:

// %%
const parameterCount = (config: lab.BertConfig): number =>
  lab
    .leavesOf(lab.bertWeights(config).map)
    .reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0);
const published = { vocab_size: 30522, max_position_embeddings: 512 };
const base = lab.parseBertConfig({
  ...published,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
});
const large = lab.parseBertConfig({
  ...published,
  hidden_size: 1024,
  num_hidden_layers: 24,
  num_attention_heads: 16,
  intermediate_size: 4096,
});
await show(
  lab.table(
    [
      { model: 'BERT base', L: 12, D: 768, parameters: parameterCount(base).toLocaleString('en') },
      { model: 'BERT large', L: 24, D: 1024, parameters: parameterCount(large).toLocaleString('en') },
    ],
    'Counted here; the paper rounds them to 110 and 340 million (section 3)',
  ),
);

// %% [markdown]
// ## 4 · Two sentences: does one follow the other?
//
// BERT's second task asks whether text B really followed text A. For it, the last state of `[CLS]` goes through a small
// layer with a tanh, the **pooler**, and then to two scores. In BERT, label **0 means "is the next sentence"** and 1
// means "is not". That is the reverse of what most people would choose, and a favourite mistake.

// %% [exercise] bert/pooler difficulty=1 minutes=10
// ### Exercise: the pooler
//
// | | |
// |---|---|
// | `params` | `dense`: a linear layer D → D |
// | `hidden` | `[B, T, D]` |
// | result | `[B, D]` |
// <!-- hint -->
// One vector stands for the whole sequence. Which position was put there for that?
// <!-- hint -->
// `hidden [B, T, D]` → first position `[B, D]` → dense `[B, D]` → tanh `[B, D]`.
// <!-- hint -->
// $p = \tanh(W h_0 + b)$, with $h_0$ the last state of `[CLS]`: Devlin et al. (2019), section 3.1, and the released
// code. `tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1])` takes the first position.

// %% [answer] bert/pooler
function bertPooler(params: lab.BertPoolerParams, hidden: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const first = tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1]); // [B, D]
    return tf.tanh(lab.linear(params.dense, first));
    // END SOLUTION
    //| throw new Error('bertPooler is not written yet');
  });
}

// %%
await check('bert/pooler', bertPooler);

// %% [exercise] bert/next-sentence difficulty=2 minutes=15
// ### Exercise: the next-sentence head
//
// From the pooled vectors to **logits** (scores, before a softmax makes probabilities of them), to the probability that B
// is next, to the loss.
//
// | | |
// |---|---|
// | `params` | a linear layer D → 2 |
// | `pooled` | `[B, D]` |
// | `labels` | int32 `[B]`, 0 = is next |
// | result | `{logits: [B, 2], isNext: [B], loss: []}` |
// <!-- hint -->
// It is a classifier with two classes. Which of the two columns belongs to label 0?
// <!-- hint -->
// `pooled [B, D]` → linear → logits `[B, 2]` → softmax over the last axis → column 0 `[B]`. The loss is one number: the
// mean of $-\log \operatorname{softmax}(\text{logits})[\text{label}]$.
// <!-- hint -->
// $p = \operatorname{softmax}(W\,\text{pooled} + b)$, isNext $= p_0$, $L = -\overline{\log p_{\text{label}}}$: Devlin et
// al. (2019), section 3.1, task 2. `lab.crossEntropy(logits, labels)` is the mean loss.

// %% [answer] bert/next-sentence
function nextSentence(
  params: lab.LinearParams,
  pooled: tf.Tensor,
  labels: tf.Tensor,
): { logits: tf.Tensor; isNext: tf.Tensor; loss: tf.Tensor } {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const logits = lab.linear(params, pooled); // [B, 2]
    const isNext = tf.squeeze(tf.slice(tf.softmax(logits), [0, 0], [-1, 1]), [1]); // [B]
    return { logits, isNext, loss: lab.crossEntropy(logits, labels) };
    // END SOLUTION
    //| throw new Error('nextSentence is not written yet');
  });
}

// %%
await check('bert/next-sentence', nextSentence);

// %% [exercise] bert/sentence-pairs difficulty=2 minutes=20
// ### Exercise: make the pairs
//
// Every sentence that has a next one in its document gives one pair. Half of the time the second sentence is that next
// one (label 0). Half of the time it is any sentence of **another** document (label 1): from the same document it would
// too often fit after all.
//
// So that everybody gets the same pairs, the random numbers are given, one of each kind for the k-th pair:
// `draws.coin[k] < 0.5` takes the true next sentence. Otherwise `draws.document[k]` chooses among the other documents,
// in their order, and `draws.sentence[k]` among that one's sentences. A number u in [0, 1) chooses item
// `Math.floor(u * n)` of n.
//
// | | |
// |---|---|
// | `documents` | `string[][]`, sentences in order |
// | `draws` | `{coin, document, sentence}`, numbers in [0, 1) |
// | result | `{first, second, label}[]` |
// <!-- hint -->
// Two loops, documents and their sentences, and a counter k of the pairs made so far. What must be left out before you
// draw the other document?
// <!-- hint -->
// A document of n sentences gives n − 1 pairs. For pair k: `others = documents.filter((_, i) => i !== own)`, then
// `others[Math.floor(draws.document[k] * others.length)]`, then the same for its sentences.
// <!-- hint -->
// Devlin et al. (2019), section 3.1, task 2: 50% of the time B is the actual next sentence (IsNext), 50% a random one
// from the corpus (NotNext); the released code takes it from another document and writes IsNext as 0.

// %% [answer] bert/sentence-pairs
function sentencePairs(
  documents: string[][],
  draws: { coin: number[]; document: number[]; sentence: number[] },
): { first: string; second: string; label: number }[] {
  // BEGIN SOLUTION
  const choose = <T>(items: readonly T[], u = 0): T | undefined => items[Math.floor(u * items.length)];
  const pairs: { first: string; second: string; label: number }[] = [];
  for (const [own, document] of documents.entries()) {
    const others = documents.filter((_, index) => index !== own);
    for (const [i, first] of document.slice(0, -1).entries()) {
      const k = pairs.length;
      const other = choose(others, draws.document[k]) ?? [];
      if ((draws.coin[k] ?? 0) < 0.5) pairs.push({ first, second: document[i + 1] ?? '', label: 0 });
      else pairs.push({ first, second: choose(other, draws.sentence[k]) ?? '', label: 1 });
    }
  }
  return pairs;
  // END SOLUTION
  //| throw new Error('sentencePairs is not written yet');
}

// %%
await check('bert/sentence-pairs', sentencePairs);

// %% [markdown]
// ## 5 · Masking
//
// Now the task that gives BERT most of what it knows. Of the tokens of a text, 15% are chosen. The model must predict
// each of them; what it *sees* in their place differs:
//
// | share of the chosen | what stands there | why |
// |---|---|---|
// | 80% | `[MASK]` | the gap to fill |
// | 10% | a random token | so that a token in plain sight may still be wrong |
// | 10% | the token itself | so that it may also be right, as it is when the model is used |
//
// `[MASK]` never occurs once training is over. With the last two rows the model cannot rest on seeing it: it has to keep
// a good description of *every* token, because any might be asked for (section 3.1 and appendix A.1).
//
// Positions that were not chosen have the label −100, which the loss leaves out.

// %% [exercise] bert/masking difficulty=3 minutes=25
// ### Exercise: 15%, and of these 80/10/10
//
// The randomness is given again: position i is chosen if `draws.choose[i] < 0.15` and it is no special token. Its fate:
// `draws.fate[i] < 0.8` → `[MASK]`; below 0.9 → `draws.token[i]`; else it stays.
//
// | | |
// |---|---|
// | `inputIds` | `number[]`, length T |
// | `specialTokensMask` | 1 for `[CLS]`, `[SEP]` and padding |
// | `draws` | `{choose, fate, token}`, each of length T |
// | `config` | `{maskId}` |
// | result | `{inputIds, labels}`, each of length T |
// <!-- hint -->
// Two questions for every position: is it chosen, and if so, what happens to it? The label depends on the first alone.
// <!-- hint -->
// Start with a copy of `inputIds` and T labels of −100. For each i with `specialTokensMask[i] = 0` and
// `choose[i] < 0.15`: `labels[i] = inputIds[i]`; then look at the fate.
// <!-- hint -->
// Devlin et al. (2019), section 3.1, task 1, and appendix A.1. −100 is the label that PyTorch's cross entropy leaves out,
// and so does `lab.crossEntropy`.

// %% [answer] bert/masking
function maskTokens(
  inputIds: number[],
  specialTokensMask: number[],
  draws: { choose: number[]; fate: number[]; token: number[] },
  config: { maskId: number },
): { inputIds: number[]; labels: number[] } {
  // BEGIN SOLUTION
  const masked = [...inputIds];
  const labels = inputIds.map(() => -100);
  for (const [i, id] of inputIds.entries()) {
    const { choose, fate, token } = draws;
    if (specialTokensMask[i] === 1 || (choose[i] ?? 1) >= 0.15) continue;
    labels[i] = id;
    if ((fate[i] ?? 1) < 0.8) masked[i] = config.maskId;
    else if ((fate[i] ?? 1) < 0.9) masked[i] = token[i] ?? id;
  }
  return { inputIds: masked, labels };
  // END SOLUTION
  //| throw new Error('maskTokens is not written yet');
}

// %%
await check('bert/masking', maskTokens);

// %% [markdown]
// Your masking at work, on one pair of sentences. Run the cell again with another seed and other tokens are chosen.

// %%
await lab.whenSolved('bert/masking', maskTokens, async () => {
  const rng = lab.createRng('masking 3');
  const row = tokenizer.encode('The cow was hungry and said moo.', {
    pair: 'So Tom gave the cow some grass.',
  });
  const uniform = (): number[] => row.inputIds.map(() => rng.next());
  const token = row.inputIds.map(() => 5 + rng.integer(vocabulary.tokens.length - 5));
  const draws = { choose: uniform(), fate: uniform(), token };
  const masked = maskTokens(row.inputIds, row.specialTokensMask, draws, { maskId });
  const changed = row.tokens.flatMap((original, i) => {
    const label = masked.labels[i] ?? -100;
    if (label === -100) return [];
    return [
      {
        position: i,
        'the model sees': tokenizer.idToToken(masked.inputIds[i] ?? 0) ?? '',
        'and must predict': original,
      },
    ];
  });
  await show(lab.table(changed, tokenizer.decode(row.inputIds)));
});

// %% [markdown]
// ## 6 · The masked-LM head and its loss
//
// From the state at a gap to a score for every word of the vocabulary. The state is transformed once more, and then
// **compared with the embedding of every word**:
//
// $$z = \operatorname{LN}\left(\operatorname{GELU}(W h + b)\right) E^\top + c$$
//
// $E$ is the very table that the tokens came in through. Such a head is called *tied*: it saves $V \cdot D$ parameters,
// and what a word means as an input and as an answer is learned together (Press and Wolf, 2017, [Using the output
// embedding to improve language models](https://arxiv.org/abs/1608.05859)).

// %% [exercise] bert/mlm-head difficulty=2 minutes=20
// ### Exercise: the masked-LM head
//
// | | |
// |---|---|
// | `params` | `dense` (D → D), `layerNorm`, `bias [V]` |
// | `wordEmbeddings` | `[V, D]` |
// | `hidden` | `[B, T, D]` |
// | `config` | `layer_norm_eps` |
// | result | `[B, T, V]`, logits |
// <!-- hint -->
// The head maps D to V, and a table of V rows of width D already exists. How do you multiply with it?
// <!-- hint -->
// `hidden [B, T, D]` → dense `[B, T, D]` → gelu → layerNorm → times `wordEmbeddings`ᵀ → `[B, T, V]` → + bias `[V]`.
// <!-- hint -->
// The formula above: Devlin et al. (2019), appendix A.2, and the released code. `lab.linear({ weight: wordEmbeddings,
// bias }, x)` multiplies with the transpose, because a linear layer's weight is stored as `[out, in]`.

// %% [answer] bert/mlm-head
function mlmHead(
  params: { dense: lab.LinearParams; layerNorm: lab.LayerNormParams; bias: tf.Tensor },
  wordEmbeddings: tf.Tensor,
  hidden: tf.Tensor,
  config: { layer_norm_eps: number },
): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const transformed = lab.gelu(lab.linear(params.dense, hidden)); // [B, T, D]
    const normed = lab.layerNorm(params.layerNorm, transformed, config.layer_norm_eps); // [B, T, D]
    return lab.linear({ weight: wordEmbeddings, bias: params.bias }, normed); // [B, T, V]
    // END SOLUTION
    //| throw new Error('mlmHead is not written yet');
  });
}

// %%
await check('bert/mlm-head', mlmHead);

// %% [exercise] bert/mlm-loss difficulty=2 minutes=20
// ### Exercise: the loss
//
// The mean of $-\log p(\text{label})$ over the positions that were chosen, and over no others. Do it without
// `lab.crossEntropy`: this is the place to see what it does.
//
// $$L = \frac{\sum_{b,t} w_{bt}\,\bigl(-\log \operatorname{softmax}(z_{bt})[y_{bt}]\bigr)}{\sum_{b,t} w_{bt}}, \qquad
// w_{bt} = \begin{cases} 1 & y_{bt} \ne -100 \\ 0 & \text{else}\end{cases}$$
//
// | | |
// |---|---|
// | `logits` | `[B, T, V]` |
// | `labels` | int32 `[B, T]` |
// | result | a scalar |
// <!-- hint -->
// A mean over some of the positions is a sum divided by their number. Where must the weights come in, before or after
// the sum?
// <!-- hint -->
// `tf.logSoftmax(logits) [B, T, V]` times one-hot of the labels `[B, T, V]`, summed over V → `[B, T]`; times weights
// `[B, T]`; one sum over everything, divided by the sum of the weights.
// <!-- hint -->
// The formula above; Devlin et al. (2019), section 3.1. A label of −100 has no one-hot: use `tf.maximum(labels, 0)` and
// let the weight 0 remove it. `tf.cast(tf.oneHot(ids, V), 'float32')` makes the one-hot.

// %% [answer] bert/mlm-loss
function maskedLmLoss(logits: tf.Tensor, labels: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    // BEGIN SOLUTION
    const ids = tf.cast(tf.maximum(labels, 0), 'int32');
    const chosen = tf.cast(tf.oneHot(ids, logits.shape.at(-1) ?? 0), 'float32'); // [B, T, V]
    const losses = tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), chosen), -1)); // [B, T]
    const weights = tf.cast(tf.notEqual(labels, -100), 'float32'); // [B, T]
    return tf.div(tf.sum(tf.mul(losses, weights)), tf.sum(weights));
    // END SOLUTION
    //| throw new Error('maskedLmLoss is not written yet');
  });
}

// %%
await check('bert/mlm-loss', maskedLmLoss);

// %% [markdown]
// ## 7 · Your parts inside the real model
//
// The library's BERT loads published checkpoints, and its outputs are tested against the reference implementation. Any
// of its parts can be replaced by a function. So put yours in, run the same input through both, and compare the logits.
// If they agree, what you wrote is BERT.

// %%
const config = lab.parseBertConfig({
  vocab_size: vocabulary.tokens.length,
  hidden_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 256,
  max_position_embeddings: 32,
  hidden_dropout_prob: 0, // the corpus is seen only a few times: there is nothing to learn by heart
  attention_probs_dropout_prob: 0,
  initializer_range: 0.05,
});
const params = lab.trainable(
  lab.initParameters(lab.bertForPreTrainingWeights(config), lab.createRng('weights')),
);

const mine: Required<Pick<lab.BertComponents, 'embeddings' | 'layer' | 'pooler' | 'maskedLMHead'>> = {
  embeddings: await lab.orReference('bert/embeddings', bertEmbeddings, lab.bertEmbeddings),
  layer: await lab.orReference('bert/encoder-layer', bertLayer, lab.bertLayer),
  pooler: await lab.orReference('bert/pooler', bertPooler, lab.bertPooler),
  maskedLMHead: (await lab.isSolved('bert/mlm-head', mlmHead))
    ? (head, hidden, table, settings) => mlmHead(head, table, hidden, settings)
    : lab.maskedLMHead,
};

const probe = lab.batchTensors(
  tokenizer.encodeBatch([
    ['The cow was hungry and said moo.', 'So Tom gave the cow some [MASK].'],
    ['It rained.', 'Anna took her umbrella.'],
  ]),
);
const comparison: { part: string; 'largest difference of the logits': string }[] = [];
for (const name of ['embeddings', 'layer', 'pooler', 'maskedLMHead'] as const) {
  const difference = tf.tidy(() => {
    const own = lab.bertForPreTraining(params, probe, config, { components: { [name]: mine[name] } });
    const library = lab.bertForPreTraining(params, probe, config);
    const words = tf.max(tf.abs(tf.sub(own.predictionLogits, library.predictionLogits)));
    const pairs = tf.max(tf.abs(tf.sub(own.seqRelationshipLogits, library.seqRelationshipLogits)));
    return tf.maximum(words, pairs);
  });
  const [largest = Number.NaN] = await difference.data();
  difference.dispose();
  comparison.push({ part: name, 'largest difference of the logits': largest.toExponential(1) });
}
await show(lab.table(comparison, 'Your parts, one at a time, in the library’s BERT'));

// %% [markdown]
// ## 8 · Pre-training
//
// All parts are there. The model of this notebook is tiny beside BERT base, and its world is small, so that it learns
// in a minute or two on a laptop. Everything else is as in the paper: both tasks at once, their losses added, AdamW with
// a warm-up and a linear decay of the learning rate (section 3.1 and appendix A.2).
//
// First the examples: pairs of sentences from the stories and the reviews, encoded to 32 tokens. A hundred stories are
// held back, so that we can measure on text the model has never seen.

// %%
const HELD_BACK = 100;
const LENGTH = 32;
const reviewDocuments = reviews.train.map(({ text }) => text.split(/(?<=[.!]) /));

type Example = Pick<lab.Encoding, 'inputIds' | 'tokenTypeIds' | 'attentionMask' | 'specialTokensMask'> & {
  label: number;
};
const encodePairs = (documents: string[][], seed: string): Example[] =>
  lab.nextSentencePairs(documents, lab.createRng(seed)).map(({ first, second, label }) => {
    const encoding = tokenizer.encode(first, { pair: second, maxLength: LENGTH });
    const missing = LENGTH - encoding.inputIds.length;
    const pad = (values: number[], filler: number): number[] => [
      ...values,
      ...new Array<number>(missing).fill(filler),
    ];
    return {
      inputIds: pad(encoding.inputIds, padId),
      tokenTypeIds: pad(encoding.tokenTypeIds, 0),
      attentionMask: pad(encoding.attentionMask, 0),
      specialTokensMask: pad(encoding.specialTokensMask, 1),
      label,
    };
  });
const trainingExamples = encodePairs([...stories.slice(HELD_BACK), ...reviewDocuments], 'pairs');
const heldBackExamples = encodePairs(stories.slice(0, HELD_BACK), 'held back');

await show(
  lab.table([
    {
      set: 'training',
      pairs: trainingExamples.length,
      'is next': trainingExamples.filter(({ label }) => label === 0).length,
    },
    {
      set: 'held back',
      pairs: heldBackExamples.length,
      'is next': heldBackExamples.filter(({ label }) => label === 0).length,
    },
  ]),
);

// %% [markdown]
// Then batches. Masks are drawn anew for each batch, so the model seldom sees the same gaps twice.

// %%
const BATCH = 32;

interface Batch {
  inputIds: number[][];
  labels: number[][];
  tokenTypeIds: number[][];
  attentionMask: number[][];
  next: number[];
}
const makeBatch = (rows: Example[], random: lab.Rng): Batch => {
  const masked = rows.map(({ inputIds, specialTokensMask }) =>
    lab.maskTokens(inputIds, specialTokensMask, {
      rng: random,
      maskId,
      vocabSize: vocabulary.tokens.length,
      specialIds: [padId, clsId, sepId, maskId],
    }),
  );
  return {
    inputIds: masked.map(({ inputIds }) => inputIds),
    labels: masked.map(({ labels }) => labels),
    tokenTypeIds: rows.map(({ tokenTypeIds }) => tokenTypeIds),
    attentionMask: rows.map(({ attentionMask }) => attentionMask),
    next: rows.map(({ label }) => label),
  };
};

function* trainingBatches(epoch: number): Generator<Batch> {
  const random = lab.createRng('batches').fork(epoch);
  const order = trainingExamples.map((row) => ({ row, key: random.next() })).sort((a, b) => a.key - b.key);
  for (let start = 0; start + BATCH <= order.length; start += BATCH) {
    yield makeBatch(
      order.slice(start, start + BATCH).map(({ row }) => row),
      random,
    );
  }
}

const matrix = (values: number[][]): tf.Tensor2D => tf.tensor2d(values, undefined, 'int32');
const forward = (model: typeof params, batch: Batch) =>
  lab.bertForPreTraining(
    model,
    {
      inputIds: matrix(batch.inputIds),
      tokenTypeIds: matrix(batch.tokenTypeIds),
      attentionMask: matrix(batch.attentionMask),
    },
    config,
    { components: mine },
  );

// %% [markdown]
// How good is the model on the stories held back? We measure two shares: gaps filled with exactly the right word, and
// pairs judged rightly. Guessing gets half of the pairs right, and very few of the gaps.

// %%
const measure = async (): Promise<{ gaps: number; pairs: number }> => {
  const random = lab.createRng('measure');
  const words: [number[], number[]] = [[], []];
  const next: [number[], number[]] = [[], []];
  for (let start = 0; start < heldBackExamples.length; start += BATCH) {
    const batch = makeBatch(heldBackExamples.slice(start, start + BATCH), random);
    const [predicted, judged] = tf.tidy(() => {
      const { predictionLogits, seqRelationshipLogits } = forward(params, batch);
      return [tf.argMax(predictionLogits, -1), tf.argMax(seqRelationshipLogits, -1)] as const;
    });
    words[0].push(...(await predicted.data()));
    words[1].push(...batch.labels.flat());
    next[0].push(...(await judged.data()));
    next[1].push(...batch.next);
    tf.dispose([predicted, judged]);
  }
  return { gaps: lab.accuracy(...words), pairs: lab.accuracy(...next) };
};
const untrained = await measure();

// %% [markdown]
// And what does it put into a gap? Before training, nothing sensible:

// %%
const GAPS: [string, string][] = [
  ['The cow was hungry and said moo.', 'So Tom gave the cow some [MASK].'],
  ['The [MASK] was hungry and said meow.', 'Nora knew that it likes to eat fish.'],
  ['Emma wanted the lemon because it was [MASK].', 'At home she put the lemon on a plate.'],
  ['Sam and his mother wanted to make bread.', 'They baked the bread in the [MASK].'],
  ['Lily heard about the rain from her father.', 'She took her [MASK] and went out into the rain.'],
];
const fillGap = async ([first, second]: [string, string]): Promise<lab.Bar[]> => {
  const row = tokenizer.encode(first, { pair: second });
  const probabilities = tf.tidy(() => {
    const inputs = { inputIds: matrix([row.inputIds]), tokenTypeIds: matrix([row.tokenTypeIds]) };
    const logits = lab.bertForMaskedLM(params, inputs, config, { components: mine }).logits; // [1, T, V]
    return tf.softmax(tf.squeeze(tf.slice(logits, [0, row.inputIds.indexOf(maskId), 0], [1, 1, -1])));
  });
  const values = await probabilities.data();
  probabilities.dispose();
  return [...values]
    .map((value, id) => ({ label: tokenizer.idToToken(id) ?? '', value }))
    .sort((a, b) => b.value - a.value)
    .slice(0, 4);
};
const showGaps = async (title: string): Promise<void> => {
  const rows: { text: string; guesses: string }[] = [];
  for (const gap of GAPS) {
    const guesses = await fillGap(gap);
    rows.push({
      text: gap.join(' '),
      guesses: guesses.map(({ label, value }) => `${label} ${(100 * value).toFixed(0)}%`).join(', '),
    });
  }
  await show(lab.table(rows, title));
};
await showGaps('Before training');

// %% [markdown]
// One thing saves a third of the work. Only 15% of the positions have a label, so only those need go through the head,
// which compares each with the whole vocabulary. The code released with the paper picks them out in the same way.

// %%
const pretrainingLoss = (model: typeof params, batch: Batch) => {
  const inputs = {
    inputIds: matrix(batch.inputIds),
    tokenTypeIds: matrix(batch.tokenTypeIds),
    attentionMask: matrix(batch.attentionMask),
  };
  const output = lab.bertModel(model, inputs, config, { components: mine });
  const all = batch.labels.flat();
  const places = all.flatMap((label, place) => (label === -100 ? [] : [place])); // P of the B·T positions
  const labels = places.map((place) => all[place] ?? -100);
  const states = tf.reshape(output.lastHiddenState, [-1, config.hidden_size]); // [B·T, D]
  const chosen = tf.expandDims(lab.embed(states, tf.tensor1d(places, 'int32')), 0); // [1, P, D]
  const table = model.embeddings.wordEmbeddings.weight;
  const logits = mine.maskedLMHead(model.predictions, chosen, table, config); // [1, P, V]
  const maskedLm = lab.crossEntropy(logits, matrix([labels]));
  const judged = lab.linear(model.seqRelationship, lab.pooled(output)); // [B, 2]
  const nextSentence = lab.crossEntropy(judged, tf.tensor1d(batch.next, 'int32'));
  return { loss: tf.add(maskedLm, nextSentence), maskedLm, nextSentence };
};

// %% [markdown]
// Now train. The chart grows as it goes; the dotted line is the loss of somebody who gives every token the same chance,
// $\ln V$. Watch for the shape: a quick drop while the model learns which words are frequent, a plateau, and then a
// second drop, when attention begins to find the word that decides.

// %%
const STEPS = lab.stepsFor(1600, 40);
const liveCurve = lab.liveLoss({
  title: 'Pre-training a small BERT',
  names: ['masked LM', 'next sentence'],
  level: { value: Math.log(vocabulary.tokens.length), name: 'guessing tokens' },
});
const optimizer = lab.adamW({ weightDecay: 0.01, beta2: 0.98 });
const pretraining = await lab.train({
  params,
  loss: pretrainingLoss,
  batches: trainingBatches,
  optimizer,
  schedule: lab.linearSchedule({ peak: 3e-3, warmupSteps: Math.round(STEPS / 10), totalSteps: STEPS }),
  clipNorm: 1,
  steps: STEPS,
  onStep: ({ step, metrics }) =>
    liveCurve.add(step, { 'masked LM': metrics.maskedLm, 'next sentence': metrics.nextSentence }),
  progress: lab.progressBar('pre-training'),
});
await liveCurve.finish();
optimizer.dispose();

// %% [markdown]
// What has it learned? First the gaps from before, then the measurement on the stories it has not seen.

// %%
await showGaps('After training');
const trained = await measure();
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
await show(
  lab.table(
    [
      {
        '': 'untrained',
        'gaps filled exactly': percent(untrained.gaps),
        'pairs judged rightly': percent(untrained.pairs),
      },
      {
        '': 'trained',
        'gaps filled exactly': percent(trained.gaps),
        'pairs judged rightly': percent(trained.pairs),
      },
    ],
    'On stories held back',
  ),
);

// %%
const meanLoss = (part: lab.StepReport[]): number =>
  part.reduce((sum, { metrics }) => sum + (metrics.maskedLm ?? 0), 0) / part.length;
const firstLoss = meanLoss(pretraining.history.slice(0, 10));
const lastLoss = meanLoss(pretraining.history.slice(-50));
await show(
  `The masked-LM loss fell from **${firstLoss.toFixed(2)}** to **${lastLoss.toFixed(2)}** nats. In other words: where the model ` +
    `hesitated between ${Math.round(lab.perplexity(firstLoss))} equally likely tokens, it now hesitates between ` +
    `${lab.perplexity(lastLoss).toFixed(1)}.`,
);

// %% [markdown]
// Look at the guesses again. The model nearly always knows *what kind* of word is missing: a food, an animal, a place.
// Which one it is, it finds only where it has learned to look at the deciding word, so it may still give a cow the food of
// a hen. With more steps that gets better; double `STEPS` and see.
//
// Many gaps have no single right answer: *Yesterday* and *One day* begin a story equally well, and nobody can know the
// hero's name. So 100% is out of reach for any model here.
//
// Try gaps of your own: any two sentences of the little world, with one `[MASK]`.

// %%
await show(
  lab.barChart(await fillGap(['The duck came out of the pond.', 'The duck was hungry and said [MASK].']), {
    title: 'The duck was hungry and said ▢',
    value: 'probability',
  }),
);

// %% [markdown]
// ### Where does it look?
//
// The attention of the last layer, one map a head. Row: the token that looks; column: the token it looks at; every row
// sums to 1. Look at the row of `[MASK]`. (A map shows where information is taken from, not why: Jain and Wallace, 2019,
// [Attention is not explanation](https://arxiv.org/abs/1902.10186), warn against reading more into it.)

// %%
const looked = tokenizer.encode('The cow was hungry and said moo.', {
  pair: 'So Tom gave the cow some [MASK].',
});
const attentionMaps: tf.Tensor[] = [];
const watching: lab.ScaledDotProductAttention = (q, k, v, options) => {
  const result = lab.scaledDotProductAttention(q, k, v, options);
  attentionMaps.push(tf.keep(tf.clone(result.probabilities))); // [1, H, T, T]
  return result;
};
tf.tidy(() => {
  const inputs = { inputIds: matrix([looked.inputIds]), tokenTypeIds: matrix([looked.tokenTypeIds]) };
  lab.bertModel(params, inputs, config, { components: { scaledDotProductAttention: watching } });
});
const lastMap = attentionMaps.at(-1);
if (lastMap !== undefined) {
  const flat = lab.rowsOf(await lastMap.data(), looked.tokens.length);
  const heads = Array.from({ length: config.num_attention_heads }, (_, head) =>
    flat.slice(head * looked.tokens.length, (head + 1) * looked.tokens.length),
  );
  await show(lab.attentionMap(heads, { title: 'Attention in the last layer', queries: looked.tokens }));
}
tf.dispose(attentionMaps);

// %% [markdown]
// ## 9 · What is it worth?
//
// Nobody needs gaps filled. The point is what a model has found out while it learned to fill them: it may help with
// another task, for which there are few labels.
//
// ### Without touching the body
//
// A strict test first. The body stays **frozen**: not one of its numbers changes. (The paper calls this the
// *feature-based approach*, section 5.3.) The task: animal, fruit, toy or job? We put a word into a sentence that fits them all, *Tom
// saw the ▢.*, and take its last state as a vector. Of each kind, one or a few words are labelled. Every **other** word is
// then given the kind whose labelled words lie nearest, on average.
//
// The sentence says nothing about the kind, and the words asked about were never labelled. So whoever is better than
// guessing (25%) must know from elsewhere that a hen is more like a cow than like a carrot.
//
// How do we know that it comes from pre-training? By a **control**: the same network with random weights, never trained,
// is put to the same test. Random weights can be lucky, so there are five such networks; labels can be lucky too, so each
// test is done twenty times, with other words labelled.

// %%
const KINDS: Record<string, string[]> = {
  animal: ['cow', 'horse', 'cat', 'dog', 'duck', 'hen'],
  fruit: ['lemon', 'banana', 'cherry', 'tomato', 'carrot', 'plum'],
  toy: ['ball', 'doll', 'drum', 'robot', 'puzzle', 'whistle'],
  job: ['baker', 'painter', 'farmer', 'teacher', 'doctor', 'tailor'],
};
const kinds = Object.keys(KINDS);
const things = Object.values(KINDS).flatMap((words, kind) => words.map((word) => ({ word, kind })));

/** The state of each word in its sentence, less the mean of all words. */
const statesOfWords = async (model: typeof params): Promise<number[][]> => {
  const before = 'Tom saw the';
  const start = 1 + tokenizer.tokenize(before).length; // after [CLS]
  const states: number[][] = [];
  for (const { word } of things) {
    const encoded = tokenizer.encode(`${before} ${word}.`);
    const state = tf.tidy(() => {
      const inputs = { inputIds: matrix([encoded.inputIds]), attentionMask: matrix([encoded.attentionMask]) };
      const hidden = lab.bertModel(model, inputs, config, { components: mine }).lastHiddenState; // [1, T, D]
      // A word may be cut into several pieces: the mean of their states.
      return tf.mean(tf.slice(hidden, [0, start, 0], [1, tokenizer.tokenize(word).length, -1]), 1);
    });
    states.push(Array.from(await state.data()));
    state.dispose();
  }
  const centre = states[0]?.map(
    (_, i) => states.reduce((sum, one) => sum + (one[i] ?? 0), 0) / states.length,
  );
  return states.map((one) => one.map((feature, i) => feature - (centre?.[i] ?? 0)));
};
const dot = (a: number[], b: number[]): number => a.reduce((sum, one, i) => sum + one * (b[i] ?? 0), 0);
const cosine = (a: number[], b: number[]): number => dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));

/** The states in each body of a kind: one that was trained, and five that were not. */
const bodies: Record<string, number[][][]> = {
  'trained body': [await statesOfWords(params)],
  'never trained': [],
};
for (let seed = 0; seed < 5; seed++) {
  const control = lab.initParameters(
    lab.bertForPreTrainingWeights(config),
    lab.createRng(`never trained ${seed}`),
  );
  bodies['never trained']?.push(await statesOfWords(control));
  lab.disposeParameters(control);
}
for (const [name, [states = []]] of Object.entries(bodies)) {
  await show(
    lab.heatmap(
      { [name]: states.map((a) => states.map((b) => cosine(a, b))) },
      {
        title: `How alike are the words? (${name})`,
        rows: 'word',
        columns: 'word',
        rowNames: things.map(({ word }) => word),
        columnNames: things.map(({ word }) => word),
        domain: [-1, 1],
        cell: 14,
      },
    ),
  );
}

// %% [markdown]
// In the picture of the trained body, look for bright squares along the diagonal: animals 1 to 6, fruit 7 to 12, toys 13 to 18, jobs
// 19 to 24. (The measure is the *cosine* of the angle between two states: 1 if they point the same way, 0 if they have
// nothing in common, −1 if they are opposite.) Now the test with labels:

// %%
const LABELLED_WORDS = [1, 2, 3, 4];
const DRAWS = 20;
/** The share of the unlabelled words that get their kind, when `count` words of each kind are labelled. */
const kindsRight = (states: number[][], count: number, random: lab.Rng): number => {
  const labelled = new Set(
    kinds.flatMap((_, kind) => {
      const own = [...things.keys()].filter((n) => things[n]?.kind === kind);
      return lab.shuffle(own, random).slice(0, count);
    }),
  );
  const centres = kinds.map((_, kind) => {
    const own = [...labelled].filter((n) => things[n]?.kind === kind).map((n) => states[n] ?? []);
    return (own[0] ?? []).map((__, i) => own.reduce((sum, one) => sum + (one[i] ?? 0), 0) / own.length);
  });
  const asked = [...things.keys()].filter((n) => !labelled.has(n));
  const answers = asked.map((n) => lab.argmax(Float32Array.from(centres, (c) => cosine(c, states[n] ?? []))));
  return lab.accuracy(
    answers,
    asked.map((n) => things[n]?.kind ?? -1),
  );
};
const probed = Object.entries(bodies).map(([name, all]) => ({
  name,
  shares: LABELLED_WORDS.map((count) =>
    Array.from({ length: DRAWS }, (_, draw) =>
      kindsRight(all[draw % all.length] ?? [], count, lab.createRng(`words ${draw}`)),
    ),
  ),
}));
const meanShare = (shares: number[]): number => shares.reduce((sum, one) => sum + one, 0) / shares.length;
await show(
  lab.lineChart(
    probed.map(({ name, shares }) => ({
      name,
      points: shares.map((draws, i): [number, number] => [LABELLED_WORDS[i] ?? 0, meanShare(draws)]),
    })),
    {
      title: 'Animal, fruit, toy or job? Words without a label',
      x: 'labelled words of each kind',
      y: 'share right',
      marks: true,
      level: { value: 1 / kinds.length, name: 'guessing' },
      bands: probed.map(({ name, shares }) => ({
        name: `${name}, worst to best of ${DRAWS} draws`,
        points: shares.map((draws, i): [number, number, number] => [
          LABELLED_WORDS[i] ?? 0,
          Math.min(...draws),
          Math.max(...draws),
        ]),
      })),
    },
  ),
);
await show(
  lab.table(
    LABELLED_WORDS.map((labels, i) => ({
      'labelled of each kind': labels,
      ...Object.fromEntries(probed.map(({ name, shares }) => [name, percent(meanShare(shares[i] ?? []))])),
    })),
    `Share right, mean of ${DRAWS} draws`,
  ),
);

// %% [markdown]
// The labels are the same in both lines, and so is the network. The distance between the lines is what pre-training is worth here. No
// text ever told the model that hens are animals: it had to know what *kind* of word fits a gap, and words that fit the
// same gaps came to lie together.
//
// ### Fine-tuning: good review or bad?
//
// Usually the body is not frozen. Put a fresh linear layer on the pooled vector, and train the whole on labelled examples,
// with a lower learning rate: **fine-tuning** (section 4.1 of the paper). Our task: is a review good or bad? Counting good and bad
// words does not solve it: *not good* is bad, and *the story was dull, but the film was great* is good. We use 240
// labelled reviews, and train the same model from random weights too, on the same reviews for as many steps.

// %%
const LABELLED = 240;
const EXAMPLES = reviews.train.slice(0, LABELLED);
const TUNING_STEPS = lab.stepsFor(200, 10);
const classifierConfig = lab.parseBertConfig({ ...config, num_labels: 2 });

type Classifier = lab.BertForSequenceClassificationParams;
const freshClassifier = (): Classifier =>
  lab.initParameters(lab.bertForSequenceClassificationWeights(classifierConfig), lab.createRng('classifier'));
const encodeReviews = (texts: string[]) => tokenizer.encodeBatch(texts, { maxLength: LENGTH });

const fineTune = async (model: Classifier, title: string): Promise<lab.TrainingResult> => {
  const tuner = lab.adamW({ weightDecay: 0.01 });
  const result = await lab.train({
    params: model,
    loss: (own, rows: lab.Review[]) => {
      const encoded = encodeReviews(rows.map(({ text }) => text));
      const inputs = {
        inputIds: matrix(encoded.inputIds),
        attentionMask: matrix(encoded.attentionMask),
        labels: tf.tensor1d(
          rows.map(({ label }) => label),
          'int32',
        ),
      };
      const { loss } = lab.bertForSequenceClassification(own, inputs, classifierConfig);
      return loss ?? tf.scalar(Number.NaN);
    },
    batches: (epoch) => {
      const random = lab.createRng('reviews').fork(epoch);
      return Array.from({ length: Math.ceil(LABELLED / 16) }, () =>
        Array.from(
          { length: 16 },
          () => EXAMPLES[random.integer(LABELLED)] ?? { text: '', label: 0 as const },
        ),
      );
    },
    optimizer: tuner,
    schedule: lab.linearSchedule({ peak: 5e-4, warmupSteps: 10, totalSteps: TUNING_STEPS }),
    clipNorm: 1,
    steps: TUNING_STEPS,
    progress: lab.progressBar(title),
  });
  tuner.dispose();
  return result;
};

const classify = async (model: Classifier, texts: string[]): Promise<number[]> => {
  const labels: number[] = [];
  for (let start = 0; start < texts.length; start += 50) {
    const encoded = encodeReviews(texts.slice(start, start + 50));
    const best = tf.tidy(() => {
      const inputs = { inputIds: matrix(encoded.inputIds), attentionMask: matrix(encoded.attentionMask) };
      return tf.argMax(lab.bertForSequenceClassification(model, inputs, classifierConfig).logits, -1);
    });
    labels.push(...(await best.data()));
    best.dispose();
  }
  return labels;
};

// %%
const scratch = lab.trainable(freshClassifier());
const fresh = freshClassifier();
const { embeddings, layers, pooler } = params;
const body = lab.cloneParameters({ embeddings, layers, ...(pooler === undefined ? {} : { pooler }) });
const tuned = lab.trainable({ ...fresh, ...body });

const tunedRun = await fineTune(tuned, 'from the trained body');
const scratchRun = await fineTune(scratch, 'from random weights');
await show(
  lab.lossCurve({
    title: `Fine-tuning on ${LABELLED} reviews`,
    curves: { 'from the trained body': tunedRun.history, 'from random weights': scratchRun.history },
    level: { value: Math.log(2), name: 'guessing' },
    points: 50,
  }),
);

// %%
const testTexts = reviews.test.map(({ text }) => text);
const testLabels = reviews.test.map(({ label }) => label);
const tunedAccuracy = lab.accuracy(await classify(tuned, testTexts), testLabels);
const scratchAccuracy = lab.accuracy(await classify(scratch, testTexts), testLabels);
await show(
  lab.barChart(
    [
      { label: 'guessing', value: 0.5 },
      { label: 'from random weights', value: scratchAccuracy },
      { label: 'from the trained body', value: tunedAccuracy },
    ],
    { title: `Accuracy on ${testTexts.length} reviews not seen before`, value: 'share right' },
  ),
);

// %% [markdown]
// Compare the two bars before you believe that pre-training always pays. In the paper it does, by far: a large model, a
// corpus of 3.3 billion words (section 3.1), tasks with few labels for their difficulty. Here only a small part of what our
// model read were reviews, and to fill a gap in one it hardly needed to know whether the writer was pleased. The task is also easy
// enough to be learned from a few hundred labels alone. So a fresh model may do as well or better.
//
// Put the two experiments side by side: pre-training helps with what the gaps made the model find out, and with nothing
// else. An experiment that can come out either way is worth more than a claim: change `LABELLED` and the learning rate,
// and see what decides.

// %% [markdown]
// And on reviews of your own (the model knows only the words of its little world):

// %%
const ownReviews = [
  'The film was wonderful.',
  'The story was dull, but the film was great.',
  'The soup was not good.',
  'I hated the ending of this book.',
];
const verdicts = await classify(tuned, ownReviews);
await show(
  lab.table(ownReviews.map((review, i) => ({ review, verdict: verdicts[i] === 1 ? 'good' : 'bad' }))),
);

// %% [markdown]
// ## Quiz
//
// Choose, then click to see why.

// %%
await show(
  lab.quiz([
    {
      ask: 'Why can BERT not simply be trained to predict the next word?',
      choices: [
        {
          text: 'It would be too slow.',
          why: 'It would even be faster: each token would give a label, not 15% of them.',
        },
        {
          text: 'Every token sees all others, the next word included.',
          why: 'The answer would be in plain sight. So the answer is hidden from the input instead.',
          right: true,
        },
        {
          text: 'Encoders cannot output words.',
          why: 'The masked-LM head does: a score for each word of the vocabulary.',
        },
      ],
    },
    {
      ask: 'Why do 10% of the chosen tokens stay as they are?',
      choices: [
        { text: 'To save time.', why: 'They are predicted like the others, so nothing is saved.' },
        {
          text: 'So that the model must also describe tokens that it sees.',
          why: 'When the model is used there is no [MASK]. What it makes of visible tokens has to be good too.',
          right: true,
        },
        {
          text: 'So that the loss is smaller.',
          why: 'The loss is not an aim in itself. It would be smallest if nothing were hidden.',
        },
      ],
    },
    {
      ask: 'To which segment does the first [SEP] belong?',
      choices: [
        {
          text: '0, with the text that it ends.',
          why: 'Segment 1 begins with the first token of text B.',
          right: true,
        },
        {
          text: '1, with the text that follows.',
          why: 'A favourite mistake: the second segment begins after it.',
        },
        { text: 'To none.', why: 'Every token has a segment: its vector is part of the sum.' },
      ],
    },
    {
      ask: 'Label 0 of next-sentence prediction means …',
      choices: [
        { text: 'B does not follow A.', why: 'One would think so. In BERT it is the reverse.' },
        {
          text: 'B follows A.',
          why: 'IsNext is class 0 in the code released with the paper, and in every checkpoint since.',
          right: true,
        },
        {
          text: 'It is undefined.',
          why: 'Checkpoints were trained with one meaning; with the other they are wrong on nearly every pair.',
        },
      ],
    },
    {
      ask: 'In a post-LN layer the norm is applied to …',
      choices: [
        { text: 'the input of the attention.', why: 'That is pre-LN, as in GPT-2.' },
        {
          text: 'the output of the attention, before the residual is added.',
          why: 'Then the sum would not be normalised, and it would grow from layer to layer.',
        },
        {
          text: 'the sum of input and output.',
          why: 'LN(x + attention(x)): first add, then normalise.',
          right: true,
        },
      ],
    },
    {
      ask: 'What does it mean that the masked-LM head is tied?',
      choices: [
        {
          text: 'It starts as a copy of the embedding table.',
          why: 'A copy would go its own way in training. Tied means one table, used twice.',
        },
        {
          text: 'It uses the embedding table itself.',
          why: 'One tensor: gradients from both ends of the model add up in it, and V·D parameters are saved.',
          right: true,
        },
        {
          text: 'It is not trained.',
          why: 'It is, with the embeddings; and its own dense layer, norm and bias are too.',
        },
      ],
    },
    {
      ask: 'Why is the loss divided by the number of chosen positions, and not by all?',
      choices: [
        {
          text: 'Otherwise the loss would depend on how much padding and how many gaps a batch happens to have.',
          why: 'A mean over B·T positions is small when few are chosen, and its gradient with it.',
          right: true,
        },
        {
          text: 'It makes no difference.',
          why: 'It scales the gradient by a factor that differs from batch to batch.',
        },
        {
          text: 'Because padding has the label 0.',
          why: 'Padding has the label −100, like everything that was not chosen.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Devlin, Chang, Lee and Toutanova (2019), [BERT](https://arxiv.org/abs/1810.04805). You have now written everything in
//   its sections 3 and 4.1.
// - Rogers, Kovaleva and Rumshisky (2020), [A primer in BERTology](https://arxiv.org/abs/2002.12327): what is known about
//   what BERT knows.
// - Clark, Khandelwal, Levy and Manning (2019), [What does BERT look at?](https://arxiv.org/abs/1906.04341): attention
//   maps, read with care.
// - Tenney, Das and Pavlick (2019), [BERT rediscovers the classical NLP pipeline](https://arxiv.org/abs/1905.05950).
// - Liu et al. (2019), [RoBERTa](https://arxiv.org/abs/1907.11692): is the next-sentence task any use? That is the
//   question of the next chapter.
