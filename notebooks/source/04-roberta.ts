// %% [markdown]
// # 04 · RoBERTa
//
// BERT left a question open: was it *good*, or merely *not yet trained enough*? Liu and others trained the same network
// again, in 2019, and changed one habit at a time. The network stayed BERT's. What they changed was everything around
// it, and the result beat newer and larger models of its day. The lesson has aged well: before you change an
// architecture, check how the old one was trained.
//
// | | BERT (2019) | RoBERTa (2019) |
// |---|---|---|
// | masks | made once, when the data is prepared | **made anew every time** a text is seen |
// | task beside the blanks | is B the next sentence of A? | **none** |
// | input | two segments | **full sentences**, as many as fit, also across documents |
// | vocabulary | 30,000 WordPieces | **50,000 byte-level BPE pieces**, no unknown token |
// | data, steps | 16 GB of text | 160 GB, larger batches, longer |
//
// (Liu et al., 2019, "RoBERTa: a robustly optimized BERT pretraining approach", sections 3 and 4.) You will write each
// of these pieces, then train one small model twice, once with fixed and once with fresh masks.
//
// You need chapter 03: masked language modelling, and what an encoder is.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

const backend = await lab.startBackend();
await lab.show(`Computing on **${backend.name}**: ${backend.device}.`);

// %%
await lab.show(
  lab.architectureFigure({
    title: 'RoBERTa',
    rows: [
      [
        {
          label: 'text as bytes, then pieces',
          note: 'byte-level BPE, V pieces',
          kind: 'data',
          shape: '[B, T]',
        },
      ],
      [
        { label: 'token embedding', note: 'table [V, D]', kind: 'data', shape: '[B, T, D]' },
        {
          label: 'position embedding',
          note: 'counts on from the padding id',
          kind: 'data',
          shape: '[B, T, D]',
        },
      ],
      [{ label: 'sum, then layer norm', kind: 'norm', shape: '[B, T, D]' }],
      [{ label: 'encoder layer', note: 'BERT’s, unchanged', shape: '[B, T, D]' }],
      [
        { label: 'masked-LM head', note: 'fresh blanks each time', kind: 'head', shape: '[B, T, V]' },
        { label: 'classification head', note: 'first token, no pooler', kind: 'head', shape: '[B, labels]' },
      ],
    ],
    groups: [{ from: 3, to: 3, label: '× L layers' }],
  }),
);

// %% [markdown]
// Compare it with BERT's figure in chapter 03: no next-sentence head and no pooler. (A table of segments is still there in the
// released weights, with a single row: every token is in segment 0.)
//
// | letter | what it counts |
// |---|---|
// | B, T | inputs in a batch, tokens in an input |
// | D, L | width of the model, layers |
// | V | pieces in the vocabulary |
//
// ## Part 1 · Bytes instead of words
//
// A vocabulary of words always misses some, and then the model reads `[UNK]`: unknown. Bytes never miss any. Every
// computer text is a row of bytes (in the encoding *UTF-8*: one for an English letter, up to four for others), and there
// are only 256 of them. So **byte-level BPE** begins with the 256 bytes as its alphabet and then glues frequent
// neighbours together. No text is ever unknown.
//
// Vocabularies are stored as text files, and some bytes cannot be seen in a file: the space, the line break, control
// codes. So each byte gets a *visible* symbol. Those that are visible characters anyway stand for themselves; the others
// get the characters from number 256 on, one after the other. That is where the odd `Ġ` in the vocabularies of GPT-2 and
// RoBERTa comes from: it is the space.

// %% [exercise] roberta/byte-symbols difficulty=2 minutes=20
// ### Exercise: bytes as visible symbols
// Write `byteSymbols(texts)`: each text becomes a text with one symbol for each byte of its UTF-8.
//
// Bytes 33–126, 161–172 and 174–255 stand for the character of that number. All others (0–32, 127–160 and 173) get the
// characters number 256, 257, 258 …, in the order of the bytes.
//
// <!-- hint -->
// Make a table of 256 symbols first. What does it need to remember while it is filled?
// <!-- hint -->
// n = 256; for byte = 0 … 255: visible → `String.fromCodePoint(byte)`, else → `String.fromCodePoint(n)` and n grows by
// one. Then `new TextEncoder().encode(text)` gives the bytes of a text.
// <!-- hint -->
// Radford et al., 2019, "Language models are unsupervised multitask learners", section 2.2; the table is in the code
// they released.

// %% [answer] roberta/byte-symbols
function byteSymbols(texts: string[]): string[] {
  // BEGIN SOLUTION
  let next = 256;
  const table = Array.from({ length: 256 }, (_, byte) => {
    const visible = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCodePoint(visible ? byte : next++);
  });
  return texts.map((text) => Array.from(new TextEncoder().encode(text), (byte) => table[byte]).join(''));
  // END SOLUTION
  //| // One symbol for each byte of each text.
  //| throw new Error('byteSymbols is not written yet');
}

// %%
await lab.check('roberta/byte-symbols', byteSymbols);

// %% [exercise] roberta/bpe-train difficulty=3 minutes=25
// ### Exercise: learn the merges
// **Byte-pair encoding** (BPE) starts with single symbols and repeats: count all neighbouring pairs, glue the most
// frequent one together everywhere, remember it. What is remembered, in order, are the *merges*.
//
// Write `trainBpe(words, merges)`. Each word has its `symbols` and how often it occurs (`count`). Return the pairs in
// the order in which they were merged. Equal counts are settled by the alphabet: the smaller left symbol first, then
// the smaller right one (compare with `<`). Stop early when no word has two symbols left. Leave the input as it is.
//
// <!-- hint -->
// Count, merge the winner, count again. What changes in the words after a merge?
// <!-- hint -->
// A map from "left right" to a count, adding `word.count` for every place where the pair stands; its best entry; new
// arrays of symbols in which the pair is one symbol, found from left to right.
// <!-- hint -->
// Sennrich, Haddow and Birch, 2016, "Neural machine translation of rare words with subword units", algorithm 1.

// %% [answer] roberta/bpe-train
function trainBpe(words: { symbols: string[]; count: number }[], merges: number): [string, string][] {
  // BEGIN SOLUTION
  let current = words;
  const learned: [string, string][] = [];
  while (learned.length < merges) {
    const counts = new Map<string, { pair: [string, string]; count: number }>();
    for (const { symbols, count } of current) {
      for (const [i, right] of symbols.slice(1).entries()) {
        const left = symbols[i] ?? '';
        const entry = counts.get(`${left} ${right}`) ?? { pair: [left, right], count: 0 };
        entry.count += count;
        counts.set(`${left} ${right}`, entry);
      }
    }
    const [best] = [...counts.values()].sort(
      (a, b) =>
        b.count - a.count ||
        (a.pair[0] === b.pair[0] ? (a.pair[1] < b.pair[1] ? -1 : 1) : a.pair[0] < b.pair[0] ? -1 : 1),
    );
    if (best === undefined) break;
    const [left, right] = best.pair;
    learned.push(best.pair);
    current = current.map(({ symbols, count }) => {
      const joined: string[] = [];
      for (let i = 0; i < symbols.length; i++) {
        const here = symbols[i] === left && symbols[i + 1] === right;
        joined.push(here ? left + right : (symbols[i] ?? ''));
        if (here) i++;
      }
      return { symbols: joined, count };
    });
  }
  return learned;
  // END SOLUTION
  //| // Return [left, right] for each merge, in order.
  //| throw new Error('trainBpe is not written yet');
}

// %%
await lab.check('roberta/bpe-train', trainBpe);

// %% [exercise] roberta/bpe-encode difficulty=3 minutes=25
// ### Exercise: encode with the merges
// To encode a new word, play the training again: glue what was glued first, then what was glued second. The *rank* of a
// merge is its place in the list.
//
// Write `bpe(words, ranks)`: for each word the list of its pieces. The keys of `ranks` are `"left right"`, its values
// the ranks. As long as some neighbouring pair has a rank, the pair with the *lowest* rank is glued, everywhere in the
// word, from left to right.
//
// <!-- hint -->
// What would the word look like at the end of training, if it had been there?
// <!-- hint -->
// symbols = `Array.from(word)`; repeat: the ranks of all pairs (symbols[i], symbols[i+1]); the smallest wins; a new
// array with that pair joined; stop when no pair has a rank.
// <!-- hint -->
// Sennrich, Haddow and Birch, 2016, section 3.2: at test time the merges are applied in the order they were learned.

// %% [answer] roberta/bpe-encode
function bpe(words: string[], ranks: ReadonlyMap<string, number>): string[][] {
  // BEGIN SOLUTION
  return words.map((word) => {
    let symbols = Array.from(word);
    for (;;) {
      const found = symbols
        .slice(1)
        .map((right, i) => ranks.get(`${symbols[i]} ${right}`) ?? Number.POSITIVE_INFINITY);
      const best = Math.min(...found, Number.POSITIVE_INFINITY);
      if (best === Number.POSITIVE_INFINITY) return symbols;
      const joined: string[] = [];
      for (let i = 0; i < symbols.length; i++) {
        const here = ranks.get(`${symbols[i]} ${symbols[i + 1]}`) === best;
        joined.push(here ? `${symbols[i]}${symbols[i + 1]}` : (symbols[i] ?? ''));
        if (here) i++;
      }
      symbols = joined;
    }
  });
  // END SOLUTION
  //| // The pieces of each word.
  //| throw new Error('bpe is not written yet');
}

// %%
await lab.check('roberta/bpe-encode', bpe);

// %% [markdown]
// ### A vocabulary for our stories
//
// The library's tokenizer does the same, only faster, and adds RoBERTa's special tokens: `<s>` begins every input, `</s>`
// ends it and separates documents, `<pad>` fills up, `<mask>` is a blank. Note that a word takes the space *before* it
// along: `Ġhen` is the word "hen" inside a sentence.

// %%
const stories = await lab.loadStories();
const trainingStories = stories.slice(0, 300);
const heldOutStories = stories.slice(300, 340);
const specialTokens = { cls: '<s>', pad: '<pad>', sep: '</s>', unk: '<unk>', mask: '<mask>' };
const bpeModel = lab.trainByteLevelBpe(trainingStories.flat(), {
  vocabSize: 700,
  specialTokens: Object.values(specialTokens),
});
const tokenizer = lab.byteLevelBpeTokenizer(bpeModel, { specialTokens });
const idOf = (token: string): number => tokenizer.tokenToId(token) ?? 0;
const [beginId, padId, endId, maskId] = [idOf('<s>'), idOf('<pad>'), idOf('</s>'), idOf('<mask>')];
for (const text of ['The hen was hungry.', 'Quite naïve 🙂']) {
  console.log(`${text} → ${tokenizer.tokenize(text).join(' | ')}`);
}

// %% [markdown]
// The smile was in no story, and still it is spelled: in four bytes.
//
// ## Part 2 · Full inputs
//
// BERT's inputs were pairs of segments, half of them torn from other documents for the next-sentence task. RoBERTa drops
// the task and simply fills each input with whole sentences, one after another, going on into the next document with a
// separator between. No room is wasted, and the model learns from longer texts.

// %% [exercise] roberta/packing difficulty=2 minutes=20
// ### Exercise: pack full sentences
// Write `packSentences(documents, maxTokens, separator)`. `documents` holds documents of sentences of token ids; each
// sentence fits into an input. Return inputs of at most `maxTokens` ids: as many whole sentences in order as fit. Between
// the last sentence of a document and the first of the next stands `separator`, if both are in the same input. It takes
// room like any token.
//
// <!-- hint -->
// Carry the input that is being filled. What are the two things that can happen when a sentence comes?
// <!-- hint -->
// glue = `[separator]` for the first sentence of a document if the current input is not empty, else `[]`. If
// current.length + glue.length + sentence.length ≤ maxTokens, append both, else finish the input and begin a new one with
// the sentence alone. At the end, finish what is left.
// <!-- hint -->
// Liu et al., 2019, section 4.2, FULL-SENTENCES.

// %% [answer] roberta/packing
function packSentences(documents: number[][][], maxTokens: number, separator: number): number[][] {
  // BEGIN SOLUTION
  const inputs: number[][] = [];
  let current: number[] = [];
  for (const document of documents) {
    for (const [i, sentence] of document.entries()) {
      const glue = i === 0 && current.length > 0 ? [separator] : [];
      if (current.length + glue.length + sentence.length > maxTokens) {
        inputs.push(current);
        current = [...sentence];
      } else current.push(...glue, ...sentence);
    }
  }
  return current.length > 0 ? [...inputs, current] : inputs;
  // END SOLUTION
  //| // Return the inputs, each at most maxTokens long.
  //| throw new Error('packSentences is not written yet');
}

// %%
await lab.check('roberta/packing', packSentences);

// %%
const pack = await lab.orReference('roberta/packing', packSentences, (documents, maxTokens, separator) =>
  lab.packFullSentences(documents, { maxTokens, separator }),
);
const LENGTH = 40;

/** Inputs `<s> … </s>` of at most LENGTH tokens. */
function inputsOf(documents: string[][]): number[][] {
  const ids = documents.map((document) =>
    // Every sentence but the first takes a space before it, as in running text.
    document.map((sentence, i) => tokenizer.tokenize(i === 0 ? sentence : ` ${sentence}`).map(idOf)),
  );
  return pack(ids, LENGTH - 2, endId).map((input) => [beginId, ...input, endId]);
}
const trainingInputs = inputsOf(trainingStories);
const heldOutInputs = inputsOf(heldOutStories);
const filled =
  trainingInputs.reduce((sum, input) => sum + input.length, 0) / (trainingInputs.length * LENGTH);
console.log(
  `${trainingInputs.length} inputs of up to ${LENGTH} tokens, ${(100 * filled).toFixed(0)}% filled`,
);

// %% [markdown]
// ## Part 3 · A fresh mask every time
//
// BERT's data were masked once, in ten copies, and training went over them 40 times: each mask was seen four times
// (Liu et al., section 4.1). A model can learn such blanks by heart. RoBERTa draws the mask when the text is fed in.
//
// "Fresh" must not mean "different on every run": an experiment that cannot be repeated cannot be debugged. So the mask
// depends on three numbers and nothing else: the seed of the run, the *epoch* (how many times all data have been seen),
// and the index of the sequence.

// %% [exercise] roberta/dynamic-mask difficulty=2 minutes=15
// ### Exercise: masks by seed, epoch and index
// Write `maskedPositions(length, places)`: for each place `{seed, epoch, index}` the positions, among 0 … length − 1, that
// are chosen to be predicted. For each place make a new generator, `lab.createRng(...)`, from the text
// `` `${seed}/${epoch}/${index}` ``; draw one number for each position, in order; a position is chosen when its number
// is below 0.15.
//
// <!-- hint -->
// What must two visits to a sequence in the same epoch have in common, and what two visits in different epochs?
// <!-- hint -->
// places.map → rng → for i = 0 … length − 1: `if (rng.next() < 0.15)` keep i.
// <!-- hint -->
// Liu et al., 2019, section 4.1: the pattern is generated every time a sequence is fed to the model.

// %% [answer] roberta/dynamic-mask
function maskedPositions(
  length: number,
  places: { seed: number; epoch: number; index: number }[],
): number[][] {
  // BEGIN SOLUTION
  return places.map(({ seed, epoch, index }) => {
    const rng = lab.createRng(`${seed}/${epoch}/${index}`);
    return Array.from({ length }, () => rng.next()).flatMap((uniform, i) => (uniform < 0.15 ? [i] : []));
  });
  // END SOLUTION
  //| // The chosen positions for each place.
  //| throw new Error('maskedPositions is not written yet');
}

// %%
await lab.check('roberta/dynamic-mask', maskedPositions);

// %%
const maskOf = await lab.orReference('roberta/dynamic-mask', maskedPositions, (length, places) =>
  places.map(({ seed, epoch, index }) => {
    const rng = lab.createRng(`${seed}/${epoch}/${index}`);
    return Array.from({ length }, () => rng.next()).flatMap((uniform, i) => (uniform < 0.15 ? [i] : []));
  }),
);
const epochs = [0, 1, 2, 3, 4, 5];
const rowsOf = (places: { seed: number; epoch: number; index: number }[]): number[][] =>
  maskOf(30, places).map((positions) =>
    Array.from({ length: 30 }, (_, i) => (positions.includes(i) ? 1 : 0)),
  );
await lab.show(
  lab.heatmap(
    {
      'static: the mask of epoch 0 again and again': rowsOf(
        epochs.map(() => ({ seed: 1, epoch: 0, index: 7 })),
      ),
      'dynamic: a new mask each time': rowsOf(epochs.map((epoch) => ({ seed: 1, epoch, index: 7 }))),
    },
    { title: 'Where one sequence has blanks (bright)', rows: 'epoch', columns: 'position', cell: 12 },
  ),
);

// %% [markdown]
// ## Part 4 · Two small differences inside
//
// The network is BERT's, but two details of the released code trip up everybody who loads its weights.
//
// **Positions.** BERT numbers positions 0, 1, 2 … RoBERTa begins behind the id of the padding token: with padding id 1 the
// first token stands at position 2, and all padding at position 1. The table of positions thus has two rows more than the
// longest input has tokens. Loading the weights with BERT's numbering gives no error, only worse results.

// %% [exercise] roberta/position-ids difficulty=2 minutes=15
// ### Exercise: positions that pass over padding
// Write `positionIds(inputIds, paddingId)`: for each token how many tokens that are not padding stand up to and including
// it, plus `paddingId`; for padding, `paddingId` itself. Padding may stand anywhere in a row.
//
// <!-- hint -->
// Which function of `tf` adds up along an axis?
// <!-- hint -->
// inputIds `[B, T]` → mask = inputIds ≠ paddingId as int32 → `tf.cumsum(mask, 1)` → times mask → plus paddingId → int32
// `[B, T]`.
// <!-- hint -->
// $p = \text{cumsum}(m) \cdot m + \text{paddingId}$. It is in the released code (fairseq) only, not in the paper.

// %% [answer] roberta/position-ids
function positionIds(inputIds: tf.Tensor2D, paddingId: number): tf.Tensor2D {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const mask = tf.cast(tf.notEqual(inputIds, paddingId), 'int32');
    const count = tf.mul(tf.cumsum(mask, 1), mask);
    return tf.cast(tf.add<tf.Tensor2D>(count, paddingId), 'int32');
  });
  // END SOLUTION
  //| // int32 [B, T] in, int32 [B, T] out.
  //| throw new Error('positionIds is not written yet');
}

// %%
await lab.check('roberta/position-ids', positionIds);

// %% [exercise] roberta/classification-head difficulty=1 minutes=10
// ### Exercise: a classifier without a pooler
// **No pooler.** BERT's pooler was trained by the next-sentence task. Without that task there is nothing to train it, so
// RoBERTa classifies from the last state of the first token, `<s>`, through a small head of its own: a dense layer, tanh,
// and a layer with one output for each label.
//
// Write `classificationHead(params, hidden)`: `[B, T, D]` → `[B, labels]`.
//
// <!-- hint -->
// How many dense layers with tanh does the first token's state pass?
// <!-- hint -->
// hidden `[B, T, D]` → slice the first position `[B, D]` → `lab.linear(params.dense, …)` → `tf.tanh` →
// `lab.linear(params.output, …)` → `[B, labels]`.
// <!-- hint -->
// $z = W_2 \tanh(W_1 h_0 + b_1) + b_2$, as in the released code of RoBERTa.

// %% [answer] roberta/classification-head
function classificationHead(
  params: { dense: lab.LinearParams; output: lab.LinearParams },
  hidden: tf.Tensor,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const first = tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1]); // [B, D]
    return lab.linear(params.output, tf.tanh(lab.linear(params.dense, first)));
  });
  // END SOLUTION
  //| // hidden [B, T, D] in, logits [B, labels] out.
  //| throw new Error('classificationHead is not written yet');
}

// %%
await lab.check('roberta/classification-head', classificationHead);

// %% [markdown]
// ### Your pieces inside the real model
//
// A RoBERTa classifier with random weights runs twice: by itself, and with *your* positions and *your* head around its
// encoder. The results must agree to rounding.

// %%
const positionsOf = await lab.orReference('roberta/position-ids', positionIds, (inputIds, paddingId) =>
  tf.reshape<tf.Rank.R2>(lab.robertaPositionIds(inputIds, paddingId), inputIds.shape),
);
const headOf = await lab.orReference('roberta/classification-head', classificationHead, (params, hidden) =>
  tf.tidy(() => lab.linear(params.output, tf.tanh(lab.linear(params.dense, lab.firstToken(hidden))))),
);
const classifierConfig = lab.parseRobertaConfig({
  vocab_size: 50,
  hidden_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  intermediate_size: 40,
  max_position_embeddings: 20,
  num_labels: 3,
  pad_token_id: 1,
});
const classifier = lab.initParameters(
  lab.robertaForSequenceClassificationWeights(classifierConfig),
  lab.createRng('classifier'),
);
const sample = {
  inputIds: tf.tensor2d(
    [
      [0, 17, 31, 8, 9, 2],
      [0, 25, 44, 2, 1, 1],
    ],
    [2, 6],
    'int32',
  ),
  attentionMask: tf.tensor2d(
    [
      [1, 1, 1, 1, 1, 1],
      [1, 1, 1, 1, 0, 0],
    ],
    [2, 6],
    'int32',
  ),
};
const apart = tf.tidy(() => {
  const { logits } = lab.robertaForSequenceClassification(classifier, sample, classifierConfig);
  const { lastHiddenState } = lab.bertModel(
    classifier,
    { ...sample, positionIds: positionsOf(sample.inputIds, 1) },
    classifierConfig,
  );
  return tf.max(tf.abs(tf.sub(logits, headOf(classifier.classifier, lastHiddenState))));
});
const [farthest = Number.NaN] = await apart.data();
tf.dispose([apart, sample.inputIds, sample.attentionMask]);
lab.disposeParameters(classifier);
console.log(`largest difference in the logits: ${farthest.toExponential(1)}`);

// %% [markdown]
// ## Part 5 · Does it matter? A training run
//
// Two RoBERTas with the same first weights see the same stories in the same order. One gets a fixed mask for each
// sequence, the other a fresh one in each epoch. To judge them fairly, both are then tested on stories that neither has
// seen, with the same masks.
//
// The training loss alone would mislead: a model that sees the same blanks again and again can learn the answers by
// heart, and its training loss falls *faster*. Watch for that in the curves, and then look at the test.

// %%
const config = lab.parseRobertaConfig({
  vocab_size: tokenizer.vocabSize,
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 128,
  max_position_embeddings: LENGTH + padId + 1,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
  // Narrow vectors need larger first numbers than the 0.02 of wide ones.
  initializer_range: 0.06,
  pad_token_id: padId,
});
const BATCH = 16;
const STEPS = lab.stepsFor(420, 30);
const masking = {
  maskId,
  vocabSize: tokenizer.vocabSize,
  specialIds: [beginId, padId, endId, idOf('<unk>'), maskId],
};

type Example = lab.MaskedTokens;

/** Rows of one length as tensors, with the loss of the blanks. */
function lossOf(params: lab.BertForMaskedLMParams, examples: Example[]): tf.Scalar {
  return tf.tidy(() => {
    const longest = Math.max(...examples.map(({ inputIds }) => inputIds.length));
    const padded = (rows: number[][], filler: number): tf.Tensor2D =>
      tf.tensor2d(
        rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]),
        [rows.length, longest],
        'int32',
      );
    const inputIds = padded(
      examples.map((example) => example.inputIds),
      padId,
    );
    const labels = padded(
      examples.map((example) => example.labels),
      lab.IGNORED,
    );
    const attentionMask = tf.cast(tf.notEqual(inputIds, padId), 'int32');
    const { loss } = lab.robertaForMaskedLM(params, { inputIds, attentionMask, labels }, config);
    if (loss === undefined) throw new Error('a model with labels returns a loss');
    return loss;
  });
}

function maskedExample(input: number[], epoch: number, index: number): Example {
  const special = input.map((id) => (id === beginId || id === endId ? 1 : 0));
  return lab.dynamicMask(input, special, { seed: 4, epoch, index }, masking);
}

/** The batches of one epoch; with static masks every epoch has the masks of epoch 0. */
function* batchesOf(inputs: number[][], epoch: number, dynamic: boolean): Generator<Example[]> {
  const order = lab.shuffle([...inputs.keys()], lab.createRng(`order ${epoch}`));
  for (let start = 0; start + BATCH <= order.length; start += BATCH) {
    yield order
      .slice(start, start + BATCH)
      .map((index) => maskedExample(inputs[index] ?? [], dynamic ? epoch : 0, index));
  }
}

const heldOut = heldOutInputs.map((input, index) => maskedExample(input, 0, index));
async function heldOutLoss(params: lab.BertForMaskedLMParams): Promise<number> {
  const loss = lossOf(params, heldOut);
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return value;
}

const curves = lab.liveLoss({
  title: 'Masked-LM loss in training',
  names: ['static masks', 'dynamic masks'],
  level: { value: Math.log(tokenizer.vocabSize), name: 'guessing' },
});
async function pretrain(name: string, dynamic: boolean) {
  const params = lab.trainable(
    lab.initParameters(lab.robertaForMaskedLMWeights(config), lab.createRng('roberta')),
  );
  await lab.train({
    params,
    loss: (now, examples: Example[]) => lossOf(now, examples),
    batches: (epoch) => batchesOf(trainingInputs, epoch, dynamic),
    optimizer: lab.adamW({ weightDecay: 0.01 }),
    schedule: lab.linearSchedule({ peak: 4e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
    steps: STEPS,
    clipNorm: 1,
    onStep: ({ step, loss }) => curves.add(step, { [name]: loss }),
    progress: lab.progressBar(name),
  });
  return params;
}

const staticModel = await pretrain('static masks', false);
const staticLoss = await heldOutLoss(staticModel);
lab.disposeParameters(staticModel);
const model = await pretrain('dynamic masks', true);
const dynamicLoss = await heldOutLoss(model);
await curves.finish();
const epochCount = (STEPS * BATCH) / trainingInputs.length;
await lab.show(
  lab.table(
    [
      { masks: 'static', 'loss on new stories': staticLoss, perplexity: Math.exp(staticLoss) },
      { masks: 'dynamic', 'loss on new stories': dynamicLoss, perplexity: Math.exp(dynamicLoss) },
    ],
    `After ${STEPS} steps, ${epochCount.toFixed(1)} epochs`,
  ),
);

// %% [markdown]
// *Perplexity* is $e^{\text{loss}}$: among how many equally likely tokens the model hesitates, in effect.
//
// With few epochs the two stay close: no mask has been seen often yet. (Liu et al. found the same in large, section 4.1,
// table 1: dynamic masks are comparable or slightly better.) The more often the data are repeated, the more fresh masks
// gain. Raise `STEPS`, or take fewer stories, and run the cell again.
//
// ### More data
//
// The other change of RoBERTa, and the larger one, was simply *more text, and more steps*. Our model with fresh masks
// goes on, now with all the stories but those of the test.

// %%
const MORE_STEPS = lab.stepsFor(1500, 20);
const allInputs = inputsOf([...trainingStories, ...stories.slice(340)]);
const more = lab.liveLoss({
  title: 'Going on with all stories',
  names: ['dynamic masks, all stories'],
  level: { value: Math.log(tokenizer.vocabSize), name: 'guessing' },
});
await lab.train({
  params: model,
  loss: (now, examples: Example[]) => lossOf(now, examples),
  batches: (epoch) => batchesOf(allInputs, 1000 + epoch, true),
  optimizer: lab.adamW({ weightDecay: 0.01 }),
  schedule: lab.linearSchedule({
    peak: 4e-3,
    warmupSteps: Math.ceil(MORE_STEPS / 20),
    totalSteps: MORE_STEPS,
  }),
  steps: MORE_STEPS,
  clipNorm: 1,
  onStep: ({ step, loss }) => more.add(step, { 'dynamic masks, all stories': loss }),
  progress: lab.progressBar('all stories'),
});
await more.finish();
const finalLoss = await heldOutLoss(model);
console.log(`loss on new stories: ${dynamicLoss.toFixed(2)} → ${finalLoss.toFixed(2)}`);

// %% [markdown]
// ### Filling in blanks
//
// What has it learned? The next cell hides a word in sentences made like those of the stories.

// %%
async function fillIn(text: string): Promise<{ text: string; 'best guesses': string }> {
  const pieces = tokenizer.tokenize(text).map(idOf);
  const ids = [beginId, ...pieces, endId];
  const place = ids.indexOf(maskId);
  const scores = tf.tidy(() => {
    const { logits } = lab.robertaForMaskedLM(
      model,
      { inputIds: tf.tensor2d([ids], [1, ids.length], 'int32') },
      config,
    );
    return tf.squeeze(tf.softmax(tf.slice(logits, [0, place, 0], [1, 1, -1])));
  });
  const { values, indices } = tf.topk(scores, 4);
  const [chances, tokens] = [await values.data(), await indices.data()];
  tf.dispose([scores, values, indices]);
  const guesses = Array.from(
    tokens,
    (id, i) => `${tokenizer.decode([id]).trim()} ${(100 * (chances[i] ?? 0)).toFixed(0)}%`,
  );
  return { text, 'best guesses': guesses.join(', ') };
}

// In RoBERTa's text a blank takes the space before it along, as a word would: no space stands before <mask>.
const blanks = [
  'Mia saw a hen on the<mask>.',
  'The hen came out of the<mask>.',
  'At home Tom cut the plum with a<mask>.',
  'He looked for the<mask> under the table, but it was not there.',
];
const answers = [];
for (const text of blanks) answers.push(await fillIn(text));
await lab.show(lab.table(answers));
lab.disposeParameters(model);

// %% [markdown]
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'Why does byte-level BPE need no unknown token?',
      choices: [
        {
          text: 'Its vocabulary is so large that it has all words.',
          why: 'No list has all words; names alone are without end.',
        },
        {
          text: 'All 256 bytes are in it, and every text is made of bytes.',
          right: true,
          why: 'In the worst case a text is spelled byte by byte, as the smile above was.',
        },
        {
          text: 'Unknown words are removed first.',
          why: 'Then the model would miss them; nothing is removed.',
        },
      ],
    },
    {
      ask: 'What is the Ġ in a vocabulary of RoBERTa?',
      choices: [
        { text: 'A letter of Maltese.', why: 'It is that too, but here it stands for something else.' },
        {
          text: 'The symbol of the space before a word.',
          right: true,
          why: 'Byte 32 is the 33rd that is not visible: 256 + 32 = 288, which is Ġ.',
        },
        {
          text: 'The mark of a piece inside a word, like ##.',
          why: 'It is the opposite: pieces without it continue a word.',
        },
      ],
    },
    {
      ask: 'In which order are merges applied when a word is encoded?',
      choices: [
        { text: 'From left to right.', why: 'The pair on the left may have been learned late.' },
        { text: 'The longest piece first.', why: 'That is WordPiece.' },
        {
          text: 'In the order in which they were learned.',
          right: true,
          why: 'So a word is cut as it would have been in training.',
        },
      ],
    },
    {
      ask: 'Why must the dynamic mask depend on the seed, the epoch and the index only?',
      choices: [
        {
          text: 'So that a run can be repeated, also when it is resumed in the middle or its data are loaded in parallel.',
          right: true,
          why: 'A stream that simply runs on depends on everything drawn before.',
        },
        { text: 'It is faster.', why: 'It costs a little more: a generator is made for each sequence.' },
        { text: 'Otherwise special tokens would be masked.', why: 'Those are left out by their own rule.' },
      ],
    },
    {
      ask: 'The training loss with static masks falls below that with dynamic masks. Are static masks better?',
      choices: [
        {
          text: 'Yes, the loss is what counts.',
          why: 'The loss on data that was learned by heart says little about new text.',
        },
        {
          text: 'Not necessarily: it may know its blanks by heart. The loss on new text decides.',
          right: true,
          why: 'That is why both were tested on stories they had not seen.',
        },
        { text: 'No, a lower loss is always worse.', why: 'On new text, lower is better.' },
      ],
    },
    {
      ask: 'RoBERTa’s weights are loaded into a BERT that numbers positions from 0. What happens?',
      choices: [
        { text: 'An error about shapes.', why: 'All shapes fit, which makes the mistake so common.' },
        {
          text: 'Nothing, positions are relative.',
          why: 'They are rows of a table, each learned for its place.',
        },
        {
          text: 'Every token gets the vector of another position; results are silently worse.',
          right: true,
          why: 'The first token would get the row that stands for nothing.',
        },
      ],
    },
    {
      ask: 'Why has RoBERTa no pooler?',
      choices: [
        { text: 'It cannot classify.', why: 'It can, with its own head on the first token.' },
        { text: 'To save parameters.', why: 'The head has as many.' },
        {
          text: 'The task that trained BERT’s pooler, next-sentence prediction, was dropped.',
          right: true,
          why: 'An untrained layer in between would only be in the way.',
        },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Liu et al., 2019, *RoBERTa: a robustly optimized BERT pretraining approach*: each change tested by itself, section 4.
// - Sennrich, Haddow and Birch, 2016, *Neural machine translation of rare words with subword units*: BPE for words.
// - Radford et al., 2019, *Language models are unsupervised multitask learners*: bytes as the alphabet, section 2.2.
// - Bostrom and Durrett, 2020, *Byte pair encoding is suboptimal for language model pretraining*: what BPE costs, compared
//   with the unigram model that you meet in chapter 08.
//
// Next: chapter 05, where a BERT is made with a fraction of the parameters.
