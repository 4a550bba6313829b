// %% [markdown]
// # 07 · BART
//
// Here is a sentence that has been through an accident: *hungry The and said was moo. ▢* You can repair it: *The cow was
// hungry and said moo.* You put words back in order, noticed that one was missing and wrote the sentence anew. BERT (chapter
// 03) cannot do that. It fills gaps whose place and number it is told, one token each, and it has no way to write a text of
// another length than the one it reads.
//
// BART (Lewis et al., 2020, [BART: denoising sequence-to-sequence pre-training for natural language generation, translation,
// and comprehension](https://arxiv.org/abs/1910.13461)) learns exactly this: it reads a **broken** text and writes the
// **whole** one. An encoder, which sees the broken text from both sides, and a decoder, which writes from left to right and
// looks at what the encoder made of it, are trained together. This is the transformer as it was invented, for translation
// (Vaswani et al., 2017, [Attention is all you need](https://arxiv.org/abs/1706.03762)). What is new is what it learns from:
// any text, broken on purpose. Since the two texts may differ in length, *any* damage will do.
//
// | | BERT | GPT | BART |
// |---|---|---|---|
// | reads | a text with gaps of one token | the beginning of a text | a text with any damage |
// | writes | the tokens in the gaps | the next token | the whole text, token by token |
// | network | encoder | decoder | encoder and decoder |
// | sees | both sides | the past | both sides of what it reads, the past of what it writes |
// | good at | telling what a text is | going on with a text | making a text from a text: summaries, translations |
//
// With $x$ the text, $\tilde x$ the broken text and $T$ the number of tokens of $x$, BART minimises
//
// $$\mathcal{L} = -\frac{1}{T} \sum_{t=1}^{T} \log p\left(x_t \mid x_{<t},\, \tilde x\right), \qquad \tilde x = \text{noise}(x)$$
//
// **At the end of this notebook** you will have written the five noises, the decoder and beam search, put your decoder into
// the library's BART, and trained a small BART that repairs stories.
//
// | letter | what it counts |
// |---|---|
// | B | texts in a batch |
// | S, T | tokens that the encoder reads, tokens that the decoder writes |
// | D, F | width of the model, width inside the feed-forward network |
// | V | tokens in the vocabulary |
//
// You need chapters 02 and 03.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'BART in training: encoder on the left, decoder on the right',
    rows: [
      [
        { label: 'broken text', note: 'the ▢ was hungry', kind: 'data', shape: '[B, S]' },
        { label: 'text, shifted right', note: '</s> <s> the cow was', kind: 'data', shape: '[B, T]' },
      ],
      [
        { label: 'tokens + positions, norm', kind: 'norm', shape: '[B, S, D]' },
        { label: 'tokens + positions, norm', kind: 'norm', shape: '[B, T, D]' },
      ],
      [
        { label: 'L encoder layers', note: 'every token sees all', shape: 'keys, values [B, S, D]' },
        { label: 'self-attention, add, norm', note: 'only the past', shape: 'queries [B, T, D]' },
      ],
      [{ label: 'cross-attention, add, norm', note: 'the decoder looks at the encoder', shape: '[B, T, D]' }],
      [{ label: 'feed-forward, add, norm', note: 'these three are one of L layers', shape: '[B, T, D]' }],
      [
        {
          label: 'compare with the token table',
          note: 'which token comes next?',
          kind: 'head',
          shape: '[B, T, V]',
        },
      ],
    ],
  }),
);

// %% [markdown]
// ## Part 1 · Five noises
//
// The paper tries five ways to break a text (section 2.2, figure 2). Each leaves another question to the model:
//
// | noise | what it does | what the model has to find out |
// |---|---|---|
// | token masking | random tokens become `[MASK]` | which token stood here? |
// | token deletion | random tokens are gone | *where* is one missing, and which? |
// | text infilling | random spans become one `[MASK]` each | *how many* are missing, and which? |
// | sentence permutation | the sentences are shuffled | in which order does the story make sense? |
// | document rotation | the text begins somewhere in its middle | where does it begin? |
//
// Each function below takes the ids of a document, with a start and an end token, and gives `{source, target}`. The target is
// always the whole original: the loss formula above knows no gaps. What is random comes as an argument, so that results are
// determined.

// %% [exercise] bart/token-masking difficulty=1 minutes=10
// ### Exercise: Noise 1: token masking
// Write `maskNoise(ids, draws, config)`: tokens with `draws[i] < config.ratio` become `config.maskId`; special tokens
// stay.
//
// <!-- hint -->
// Which tokens may be chosen at all? And what must the decoder write: the gaps, or everything?
// <!-- hint -->
// source has the length of ids: maskId where draws[i] < ratio and ids[i] is not special, else ids[i]. target is a copy
// of ids.
// <!-- hint -->
// Lewis et al., 2020, "BART", section 2.2, token masking: random tokens are replaced by the mask, as in BERT. The loss
// is that of the whole original document.

// %% [answer] bart/token-masking
function maskNoise(
  ids: number[],
  draws: number[],
  config: { ratio: number; specialIds: number[]; maskId: number },
): { source: number[]; target: number[] } {
  // BEGIN SOLUTION
  const chosen = (id: number, i: number): boolean =>
    !config.specialIds.includes(id) && (draws[i] ?? 1) < config.ratio;
  return { source: ids.map((id, i) => (chosen(id, i) ? config.maskId : id)), target: [...ids] };
  // END SOLUTION
  //| throw new Error('maskNoise is not written yet');
}

// %%
await lab.check('bart/token-masking', maskNoise);
// %% [exercise] bart/token-deletion difficulty=1 minutes=10
// ### Exercise: Noise 2: token deletion
// Write `deletionNoise(ids, draws, config)`: the same choice, but the tokens are gone.
//
// <!-- hint -->
// How does the model know where a token is missing? Must anything tell it?
// <!-- hint -->
// source is shorter than ids: it keeps ids[i] where the token is special or draws[i] ≥ ratio. target is a copy of ids.
// <!-- hint -->
// Lewis et al., 2020, "BART", section 2.2, token deletion: unlike masking, the model must decide which positions are
// missing inputs.

// %% [answer] bart/token-deletion
function deletionNoise(
  ids: number[],
  draws: number[],
  config: { ratio: number; specialIds: number[] },
): { source: number[]; target: number[] } {
  // BEGIN SOLUTION
  const kept = (id: number, i: number): boolean =>
    config.specialIds.includes(id) || (draws[i] ?? 1) >= config.ratio;
  return { source: ids.filter(kept), target: [...ids] };
  // END SOLUTION
  //| throw new Error('deletionNoise is not written yet');
}

// %%
await lab.check('bart/token-deletion', deletionNoise);
// %% [markdown]
// ### How long is a span?
//
// For text infilling the paper draws the lengths of the spans from a **Poisson distribution** with mean $\lambda = 3$. It gives
// whole numbers from 0 on, with the probabilities
//
// $$P(\text{length} = k) = \frac{\lambda^k e^{-\lambda}}{k!}$$
//
// (Poisson, 1837; here Lewis et al., 2020, section 2.2.) How does one draw from it with nothing but uniform numbers $u_1, u_2,
// \dots$ between 0 and 1? Multiply them up and count how many factors it takes until the product falls to $e^{-\lambda}$ or
// below: that count, less one, is Poisson distributed (Knuth, 1969, *The art of computer programming*, volume 2, section 3.4.1).

// %% [exercise] bart/poisson-lengths difficulty=2 minutes=15
// ### Exercise: lengths of spans
// Write `poissonLengths(uniforms, mean)`: the lengths that these uniform numbers give, one after the other, in order. Numbers
// left over at the end, whose product has not reached the limit, give no length.
//
// <!-- hint -->
// How many factors go into the product before it is too small? And which of them does not count?
// <!-- hint -->
// product = 1, count = 0; for each u: product = product · u. Above e^(−mean): count one more. Otherwise: count is a length;
// product = 1 and count = 0 again.
// <!-- hint -->
// The smallest k with u₁·u₂·…·u₍k+1₎ ≤ e^(−λ) is Poisson distributed with mean λ. Knuth, 1969, *The art of computer
// programming*, volume 2, section 3.4.1.

// %% [answer] bart/poisson-lengths
function poissonLengths(uniforms: number[], mean: number): number[] {
  // BEGIN SOLUTION
  const lengths: number[] = [];
  const limit = Math.exp(-mean);
  let [product, count] = [1, 0];
  for (const uniform of uniforms) {
    product *= uniform;
    if (product > limit) count++;
    else {
      lengths.push(count);
      [product, count] = [1, 0];
    }
  }
  return lengths;
  // END SOLUTION
  //| throw new Error('poissonLengths is not written yet');
}

// %%
await lab.check('bart/poisson-lengths', poissonLengths);

// %% [markdown]
// Twenty thousand lengths, drawn by this rule, against the formula. A histogram that does not lie on the line would mean a
// mistake in one of the two.

// %%
const lengthsOf = await lab.orReference('bart/poisson-lengths', poissonLengths, (uniforms, mean) => {
  const lengths: number[] = [];
  let [product, count] = [1, 0];
  for (const uniform of uniforms) {
    product *= uniform;
    if (product > Math.exp(-mean)) count++;
    else {
      lengths.push(count);
      [product, count] = [1, 0];
    }
  }
  return lengths;
});
const LAMBDA = 3;
const uniformRng = lab.createRng('poisson');
const drawnLengths = lengthsOf(
  Array.from({ length: 80_000 }, () => uniformRng.next()),
  LAMBDA,
);
const byFormula = (k: number): number =>
  Array.from({ length: k }, (_, i) => LAMBDA / (i + 1)).reduce(
    (product, factor) => product * factor,
    Math.exp(-LAMBDA),
  );
const poissonTable = Array.from({ length: 11 }, (_, k) => ({
  length: k,
  drawn: drawnLengths.filter((length) => length === k).length / drawnLengths.length,
  formula: byFormula(k),
}));
await lab.show(
  lab.chart(
    {
      title: 'Span lengths: drawn (bars) and by the formula (line)',
      width: 420,
      height: 220,
      data: { values: poissonTable },
      encoding: {
        x: { field: 'length', type: 'ordinal', title: 'length of the span', axis: { labelAngle: 0 } },
      },
      layer: [
        {
          mark: { type: 'bar', color: '#56b4e9' },
          encoding: { y: { field: 'drawn', type: 'quantitative', title: 'share' } },
        },
        {
          mark: { type: 'line', color: '#d55e00', point: { color: '#d55e00' } },
          encoding: { y: { field: 'formula', type: 'quantitative', title: 'share' } },
        },
      ],
    },
    `Shares of span lengths, drawn and by the formula. ${poissonTable
      .map(({ length, drawn, formula }) => `${length}: ${drawn.toFixed(3)} and ${formula.toFixed(3)}`)
      .join('; ')}.`,
  ),
);

// %% [markdown]
// A span of length 0 is no mistake: it puts a mask where nothing is missing, once in twenty times ($e^{-3} \approx 0.05$). So
// the model must also consider that a mask stands for nothing.

// %% [exercise] bart/text-infilling difficulty=3 minutes=25
// ### Exercise: Noise 3: text infilling
// Write `infillingNoise(ids, spans, maskId)`. The lengths of the spans were drawn from a Poisson distribution (whole
// numbers around a mean, here 3, zero included). Each span becomes one mask; a span never takes the end token.
//
// <!-- hint -->
// What should the number of masks tell the model about the number of missing words?
// <!-- hint -->
// Spans are sorted and do not overlap; start counts in ids. For each: copy up to start, put one maskId, go on at
// min(start + length, ids.length − 1). At the end copy the rest. Length 0 copies all and still puts a mask.
// <!-- hint -->
// Lewis et al., 2020, "BART", section 2.2, text infilling: span lengths are Poisson with λ = 3, each span becomes a
// single mask, and 0-length spans insert one.

// %% [answer] bart/text-infilling
function infillingNoise(
  ids: number[],
  spans: { start: number; length: number }[],
  maskId: number,
): { source: number[]; target: number[] } {
  // BEGIN SOLUTION
  const source: number[] = [];
  let at = 0;
  for (const { start, length } of spans) {
    source.push(...ids.slice(at, start), maskId);
    at = Math.min(start + length, ids.length - 1);
  }
  return { source: [...source, ...ids.slice(at)], target: [...ids] };
  // END SOLUTION
  //| throw new Error('infillingNoise is not written yet');
}

// %%
await lab.check('bart/text-infilling', infillingNoise);
// %% [exercise] bart/sentence-permutation difficulty=2 minutes=20
// ### Exercise: Noise 4: sentence permutation
// Write `permutationNoise(ids, order, stopId)`: sentence `order[k]` comes at place k. A sentence ends with `stopId`.
//
// <!-- hint -->
// Where does a sentence end, and which two tokens belong to none?
// <!-- hint -->
// ids without the first and the last token → cut behind each stopId → sentences[order[0]], sentences[order[1]], … →
// start token before, end token behind. What follows the last full stop is a sentence too.
// <!-- hint -->
// Lewis et al., 2020, "BART", section 2.2, sentence permutation: a document is divided into sentences at full stops, and
// these are shuffled.

// %% [answer] bart/sentence-permutation
function permutationNoise(
  ids: number[],
  order: number[],
  stopId: number,
): { source: number[]; target: number[] } {
  // BEGIN SOLUTION
  const last = ids.length - 1;
  const stops = ids.flatMap((id, i) => (id === stopId && i + 1 < last ? [i + 1] : []));
  const bounds = [1, ...stops, last];
  const source = [
    ...ids.slice(0, 1),
    ...order.flatMap((k) => ids.slice(bounds[k], bounds[k + 1])),
    ...ids.slice(last),
  ];
  return { source, target: [...ids] };
  // END SOLUTION
  //| throw new Error('permutationNoise is not written yet');
}

// %%
await lab.check('bart/sentence-permutation', permutationNoise);
// %% [exercise] bart/document-rotation difficulty=1 minutes=10
// ### Exercise: Noise 5: document rotation
// Write `rotationNoise(ids, start)`: the document begins with `ids[start]`; what stood before comes last.
//
// <!-- hint -->
// Think of the words on a ring. Which two tokens are not on it?
// <!-- hint -->
// source = ids[0], ids[start … n − 2], ids[1 … start − 1], ids[n − 1], with n = ids.length.
// <!-- hint -->
// Lewis et al., 2020, "BART", section 2.2, document rotation: a token is chosen, and the document is rotated to begin
// with it. The model learns to find the beginning.

// %% [answer] bart/document-rotation
function rotationNoise(ids: number[], start: number): { source: number[]; target: number[] } {
  // BEGIN SOLUTION
  const source = [...ids.slice(0, 1), ...ids.slice(start, -1), ...ids.slice(1, start), ...ids.slice(-1)];
  return { source, target: [...ids] };
  // END SOLUTION
  //| throw new Error('rotationNoise is not written yet');
}

// %%
await lab.check('bart/document-rotation', rotationNoise);
// %% [markdown]
// The five on one text. (Where a check does not pass yet, the library's noise is shown.)

// %%
const stories = await lab.loadStories();
const HELD_BACK = 200;
const trainingStories = stories.slice(0, -HELD_BACK);
const tokenizer = lab.wordPieceTokenizer(
  lab.trainWordPiece(trainingStories.flat(), { vocabSize: 600, score: 'frequency' }),
);
const tokenId = (token: string): number => tokenizer.tokenToId(token) ?? 0;
const [padId, maskId, bosId, eosId, stopId] = [
  tokenId('[PAD]'),
  tokenId('[MASK]'),
  tokenId('[CLS]'),
  tokenId('[SEP]'),
  tokenId('.'),
];
const specialIds = [padId, bosId, eosId];
const textOf = (ids: readonly number[]): string =>
  ids
    .flatMap((id) => (specialIds.includes(id) ? [] : [id === maskId ? '▢' : (tokenizer.idToToken(id) ?? '')]))
    .join(' ')
    .replaceAll(' ##', '')
    .replace(/ (?=[.,!?])/g, '');

const masking = await lab.orReference(
  'bart/token-masking',
  maskNoise,
  (ids, draws, { ratio, specialIds: special, maskId: mask }) => ({
    source: ids.map((id, i) => (!special.includes(id) && (draws[i] ?? 1) < ratio ? mask : id)),
    target: [...ids],
  }),
);
const deletion = await lab.orReference(
  'bart/token-deletion',
  deletionNoise,
  (ids, draws, { ratio, specialIds: special }) => ({
    source: ids.filter((id, i) => special.includes(id) || (draws[i] ?? 1) >= ratio),
    target: [...ids],
  }),
);
const infilling = await lab.orReference('bart/text-infilling', infillingNoise, (ids, spans, mask) => ({
  source: spans.toReversed().reduce((left, { start, length }) => {
    return left.toSpliced(start, Math.min(length, ids.length - 1 - start), mask);
  }, ids),
  target: [...ids],
}));
const permutation = await lab.orReference(
  'bart/sentence-permutation',
  permutationNoise,
  (ids, order, stop) => {
    const sentences: number[][] = [[]];
    for (const [i, id] of ids.slice(1, -1).entries()) {
      sentences.at(-1)?.push(id);
      if (id === stop && i + 3 < ids.length) sentences.push([]);
    }
    return {
      source: [...ids.slice(0, 1), ...order.flatMap((k) => sentences[k] ?? []), ...ids.slice(-1)],
      target: [...ids],
    };
  },
);
const rotation = await lab.orReference('bart/document-rotation', rotationNoise, (ids, start) => ({
  source: [...ids.slice(0, 1), ...ids.slice(start, -1), ...ids.slice(1, start), ...ids.slice(-1)],
  target: [...ids],
}));

/** Spans as the paper draws them, until about `share` of the tokens are covered; no two touch. */
function drawSpans(length: number, share: number, rng: lab.Rng): { start: number; length: number }[] {
  const lengths = lengthsOf(
    Array.from({ length: 60 }, () => rng.next()),
    LAMBDA,
  );
  const spans: { start: number; length: number }[] = [];
  let [at, covered] = [1 + rng.integer(4), 0];
  for (const size of lengths) {
    if (covered + size > share * length || at + size > length - 1) break;
    spans.push({ start: at, length: size });
    covered += size;
    at += size + 2 + rng.integer(6);
  }
  return spans;
}

/** What the noises of this notebook are called, and how each breaks a text. */
const NOISES: Record<string, (ids: number[], rng: lab.Rng) => { source: number[]; target: number[] }> = {
  'token masking': (ids, rng) =>
    masking(
      ids,
      ids.map(() => rng.next()),
      { ratio: 0.2, specialIds, maskId },
    ),
  'token deletion': (ids, rng) =>
    deletion(
      ids,
      ids.map(() => rng.next()),
      { ratio: 0.15, specialIds },
    ),
  'text infilling': (ids, rng) => infilling(ids, drawSpans(ids.length, 0.3, rng), maskId),
  'sentence permutation': (ids, rng) => {
    const count = ids.filter((id) => id === stopId).length;
    return permutation(ids, lab.shuffle([...Array(count).keys()], rng), stopId);
  },
  'document rotation': (ids, rng) => rotation(ids, 1 + rng.integer(ids.length - 2)),
};
/** Three sentences of a story: enough to be shuffled, and short enough to learn from in minutes. */
const passageOf = (story: string[], from: number): number[] => [
  ...tokenizer.encode(story.slice(from, from + 3).join(' '), { maxLength: 64 }).inputIds,
];
const examplePassage = passageOf(trainingStories[3] ?? [], 0);
await lab.show(
  lab.table([
    { noise: 'none', text: textOf(examplePassage) },
    ...Object.entries(NOISES).map(([noise, breakText]) => ({
      noise,
      text: textOf(breakText(examplePassage, lab.createRng(`${noise} 2`)).source),
    })),
  ]),
);

// %% [markdown]
// ## Part 2 · The network
//
// BART is BERT's encoder and a decoder like GPT's, joined by **cross-attention**. Both are post-LN: each part is followed by
// the sum with what went in, and then by a norm. Both have learned positions, and GELU in the feed-forward network (section
// 2.1). With $x$ the decoder's input and $h$ the encoder's output, a layer of the decoder is
//
// $$\begin{aligned} a &= \operatorname{LN}\left(x + \operatorname{MHA}(x, x, x)\right) \\
// b &= \operatorname{LN}\left(a + \operatorname{MHA}(a, h, h)\right) \\
// y &= \operatorname{LN}\left(b + W_2 \operatorname{GELU}(W_1 b + c_1) + c_2\right) \end{aligned}$$
//
// where $\operatorname{MHA}(q, k, v)$ takes its queries from the first, its keys and values from the others. The first is
// causal. The second is not: the broken text is known in full before a word is written, and only its padding is hidden.

// %% [exercise] bart/positions difficulty=2 minutes=15
// ### Exercise: Learned positions, offset by two
// Write `embedTokens(params, ids, past)`. `past` tokens were read before (they are in the cache).
//
// <!-- hint -->
// At which position does a token stand when others were read before it? And in which row of the table is that position?
// <!-- hint -->
// tokens[ids] [B, T, D] + positions[past + t + 2] [T, D], for t = 0 … T − 1 → [B, T, D].
// <!-- hint -->
// x_t = E[id_t] + P[past + t + 2]. Lewis et al., 2020, "BART", section 2.1, for learned positions; the offset is that of
// the released code, which began to count after the padding id 1.

// %% [answer] bart/positions
function embedTokens(
  params: { tokens: tf.Tensor2D; positions: tf.Tensor2D },
  ids: tf.Tensor,
  past: number,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const rows = tf.slice(params.positions, [past + 2, 0], [ids.shape[1] ?? 0, -1]); // [T, D]
    return tf.add(lab.embed(params.tokens, ids), rows);
  });
  // END SOLUTION
  //| throw new Error('embedTokens is not written yet');
}

// %%
await lab.check('bart/positions', embedTokens);
// %% [exercise] bart/decoder-layer difficulty=3 minutes=30
// ### Exercise: The decoder layer
// Write `decoderLayer(params, x, encoder, numHeads)` with `lab.multiHeadAttention`, `lab.layerNorm`, `lab.linear` and
// `lab.gelu`.
//
// <!-- hint -->
// Three parts, each followed by the sum and the norm. Which of the three may look at what?
// <!-- hint -->
// x [B, T, D] → self-attention with causalBias(T, T) → + x → attentionNorm = a → cross-attention, queries from a,
// keyValue encoder.states [B, S, D], bias paddingBias(mask) [B, 1, 1, S] → + a → crossNorm = b → up [B, T, F] → gelu →
// down → + b → feedForwardNorm. ε = 1e-5.
// <!-- hint -->
// a = LN(x + MHA(x, x)); b = LN(a + MHA(a, encoder)); y = LN(b + W₂·GELU(W₁b + b₁) + b₂). Vaswani et al., 2017, section
// 3.1; Lewis et al., 2020, "BART", section 2.1, for the GELU.

// %% [answer] bart/decoder-layer
function decoderLayer(
  params: Required<lab.BartBlockParams>,
  x: tf.Tensor,
  encoder: { states: tf.Tensor; attentionMask: tf.Tensor2D },
  numHeads: number,
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const length = x.shape[1] ?? 0;
    const own = lab.multiHeadAttention(params.attention, x, {
      numHeads,
      bias: lab.causalBias(length, length),
    });
    const a = lab.layerNorm(params.attentionNorm, tf.add(x, own), 1e-5);
    const bias = lab.paddingBias(encoder.attentionMask);
    const read = lab.multiHeadAttention(params.crossAttention, a, {
      numHeads,
      bias,
      keyValue: encoder.states,
    });
    const b = lab.layerNorm(params.crossNorm, tf.add(a, read), 1e-5);
    const inner = lab.linear(params.feedForward.down, lab.gelu(lab.linear(params.feedForward.up, b)));
    return lab.layerNorm(params.feedForwardNorm, tf.add(b, inner), 1e-5);
  });
  // END SOLUTION
  //| throw new Error('decoderLayer is not written yet');
}

// %%
await lab.check('bart/decoder-layer', decoderLayer);
// %% [markdown]
// ### What the decoder reads
//
// While it is trained, the decoder is not asked to write the text one token after the other. It reads the *right* text, shifted
// by one place, and each place predicts the next token: all at once, since the causal mask hides what is to come. This is
// called **teacher forcing**. The place before the first token needs something to read, too; in BART it is the *end* token.

// %% [exercise] bart/shift-right difficulty=2 minutes=15
// ### Exercise: What the decoder reads: shift right
// Write `shiftLabels(labels, config)`: what the decoder reads when it must write the labels.
//
// <!-- hint -->
// What has the decoder read when it is to write token t? And what when it is to write the first?
// <!-- hint -->
// labels [B, T] → without the last column [B, T − 1] → a column of eosId before it [B, T] → padId where there is −100.
// <!-- hint -->
// y_in[0] = eos, y_in[t] = y[t − 1]. Vaswani et al., 2017, section 3.1 ("the output embeddings are offset by one
// position"); that BART starts with end-of-sequence comes from its released code.

// %% [answer] bart/shift-right
function shiftLabels(
  labels: tf.Tensor2D,
  config: { bosId: number; eosId: number; padId: number },
): tf.Tensor {
  // BEGIN SOLUTION
  return tf.tidy(() => {
    const [batch, length] = labels.shape;
    const first = tf.fill([batch, 1], config.eosId, 'int32');
    const shifted = tf.concat([first, tf.slice(labels, [0, 0], [batch, length - 1])], 1);
    return tf.where(tf.less(shifted, 0), tf.fill([batch, length], config.padId, 'int32'), shifted);
  });
  // END SOLUTION
  //| throw new Error('shiftLabels is not written yet');
}

// %%
await lab.check('bart/shift-right', shiftLabels);
// %% [markdown]
// ### Your parts inside the real model
//
// The library's BART with random weights: as it is, then with your embeddings, your decoder layer, and both. The batch has two
// texts of different lengths, so padding counts too.

// %%
const embedWith = await lab.orReference('bart/positions', embedTokens, (table, ids, past) =>
  tf.tidy(() => {
    const rows = tf.slice(table.positions, [past + 2, 0], [ids.shape[1] ?? 0, -1]);
    return tf.add(lab.embed(table.tokens, ids), rows);
  }),
);
const layerWith = await lab.orReference('bart/decoder-layer', decoderLayer, (block, x, encoder, numHeads) => {
  const settings = lab.parseBartConfig({
    d_model: x.shape[2] ?? 1,
    encoder_attention_heads: numHeads,
    decoder_attention_heads: numHeads,
    dropout: 0,
  });
  const length = x.shape[1] ?? 0;
  return lab.bartBlock(block, x, {
    config: settings,
    numHeads,
    bias: lab.causalBias(length, length),
    encoder: { states: encoder.states, bias: lab.paddingBias(encoder.attentionMask) },
    rng: undefined,
    components: lab.bartComponents,
  });
});
const smallConfig = lab.parseBartConfig({
  vocab_size: 40,
  d_model: 24,
  max_position_embeddings: 16,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_attention_heads: 3,
  decoder_attention_heads: 3,
  encoder_ffn_dim: 48,
  decoder_ffn_dim: 48,
});
const small = lab.initParameters(lab.bartForConditionalGenerationWeights(smallConfig), lab.createRng('bart'));
const attentionMask = tf.tensor2d([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0], [2, 7], 'int32');
const sample = {
  inputIds: tf.tensor2d([0, 17, 31, 8, 25, 9, 2, 0, 22, 13, 30, 2, 1, 1], [2, 7], 'int32'),
  decoderInputIds: tf.tensor2d([2, 0, 17, 31, 8, 2, 0, 22, 19, 13], [2, 5], 'int32'),
  attentionMask,
};
const ownEmbeddings: Partial<lab.BartComponents> = {
  embeddings: (tokens, positions, ids, past) => embedWith({ tokens, positions }, ids, past),
};
const ownLayer: Partial<lab.BartComponents> = {
  block: (block, x, context) => {
    const { crossAttention, crossNorm } = block;
    // The encoder's layers have no cross-attention: they stay the library's.
    if (!crossAttention || !crossNorm || !context.encoder) return lab.bartBlock(block, x, context);
    const encoder = { states: context.encoder.states, attentionMask };
    return layerWith({ ...block, crossAttention, crossNorm }, x, encoder, context.numHeads);
  },
};
const comparison: { part: string; 'largest difference of the logits': number }[] = [];
for (const [part, components] of [
  ['embeddings, in encoder and decoder', ownEmbeddings],
  ['decoder layers', ownLayer],
  ['both', { ...ownEmbeddings, ...ownLayer }],
] as const) {
  const apart = tf.tidy(() => {
    const library = lab.bartForConditionalGeneration(small, sample, smallConfig).logits;
    const yours = lab.bartForConditionalGeneration(small, sample, smallConfig, { components }).logits;
    return tf.max(tf.abs(tf.sub(library, yours)));
  });
  const [largest = Number.NaN] = await apart.data();
  apart.dispose();
  comparison.push({ part, 'largest difference of the logits': largest });
}
tf.dispose(Object.values(sample));
lab.disposeParameters(small);
await lab.show(lab.table(comparison, 'Your parts in the library’s BART'));

// %% [markdown]
// ## Part 3 · A run: repairing stories
//
// A small BART learns from the bundled stories, three sentences at a time. Each passage is broken by one of the five noises,
// drawn anew every time. (The released BART uses two of them, both on every text: infilling of 30% of the tokens, and
// permutation of all sentences; section 5.1. All five here, so that you see which are hard.)
//
// One thing must be watched. Most of a broken text is not broken, and of most of the target a model only has to find the place
// in the source and **copy on**. A loss averaged over all tokens soon looks good and says little. So we measure two losses:
//
// - on tokens that **can be copied**: the token and the one before it stand side by side in the broken text, too;
// - on tokens that **must be found**: all others. Here something is missing, or the text jumps.

// %%
interface Pair {
  source: number[];
  target: number[];
}

/** For each token of the target, 1 if it and its predecessor stand side by side in the source, else 0. */
function copiable({ source, target }: Pair): number[] {
  const pairs = new Set(source.map((id, i) => `${source[i - 1] ?? -1} ${id}`));
  return target.map((id, i) => Number(pairs.has(`${target[i - 1] ?? -1} ${id}`)));
}

const passages = trainingStories.flatMap((story) => story.slice(2).map((_, from) => passageOf(story, from)));
const known = new Set(passages.map(textOf));
const newPassages = lab.shuffle(
  stories
    .slice(-HELD_BACK)
    .flatMap((story) => story.slice(2).map((_, from) => passageOf(story, from)))
    .filter((ids) => !known.has(textOf(ids))),
  lab.createRng('new passages'),
);
const noiseNames = Object.keys(NOISES);
const broken = (ids: number[], noise: string, rng: lab.Rng): Pair =>
  NOISES[noise]?.(ids, rng) ?? { source: [...ids], target: [...ids] };

const shareToFind = await (async () => {
  const rng = lab.createRng('share');
  return noiseNames.map((noise) => {
    const flags = newPassages.slice(0, 200).flatMap((ids) => copiable(broken(ids, noise, rng)));
    return { label: noise, value: 1 - flags.reduce((sum, flag) => sum + flag, 0) / flags.length };
  });
})();
await lab.show(
  lab.barChart(shareToFind, {
    title: 'Tokens of the target that cannot be copied',
    value: 'share of all tokens',
  }),
);

// %%
const config = lab.parseBartConfig({
  vocab_size: tokenizer.vocabSize,
  d_model: 64,
  max_position_embeddings: 72,
  encoder_layers: 2,
  decoder_layers: 1,
  encoder_attention_heads: 4,
  decoder_attention_heads: 4,
  encoder_ffn_dim: 128,
  decoder_ffn_dim: 128,
  dropout: 0,
  init_std: 0.06,
  pad_token_id: padId,
  eos_token_id: eosId,
  decoder_start_token_id: eosId,
});
const params = lab.trainable(
  lab.initParameters(lab.bartForConditionalGenerationWeights(config), lab.createRng('repair')),
);

/** Rows of different lengths as one tensor [B, longest], the rest filled. */
function matrix(rows: number[][], filler: number): tf.Tensor2D {
  const longest = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]);
  return tf.tensor2d(padded, [rows.length, longest], 'int32');
}

/** The loss over all tokens, and the two that it is made of. */
function lossesOf(
  now: typeof params,
  rows: Pair[],
): { loss: tf.Tensor; copied: tf.Tensor; found: tf.Tensor } {
  const inputIds = matrix(
    rows.map(({ source }) => source),
    padId,
  );
  const labels = matrix(
    rows.map(({ target }) => target),
    lab.IGNORED,
  );
  const attentionMask = tf.cast(tf.notEqual(inputIds, padId), 'int32');
  const { logits } = lab.bartForConditionalGeneration(now, { inputIds, attentionMask, labels }, config);
  const each = lab.tokenLosses(logits, labels); // [B, T], 0 at padding
  const copy = tf.cast(matrix(rows.map(copiable), 0), 'float32');
  const real = tf.cast(tf.notEqual(labels, lab.IGNORED), 'float32');
  const find = tf.sub(real, copy);
  const mean = (weights: tf.Tensor): tf.Tensor =>
    tf.div(tf.sum(tf.mul(each, weights)), tf.maximum(tf.sum(weights), 1));
  return { loss: mean(real), copied: mean(copy), found: mean(find) };
}

/** The same broken passages each time we measure: `count` new ones for each noise. */
const measured = (noise: string, count: number): Pair[] => {
  const rng = lab.createRng(`measure ${noise}`);
  return newPassages.slice(0, count).map((ids) => broken(ids, noise, rng));
};
async function measure(): Promise<{ noise: string; copied: number; found: number }[]> {
  const rows: { noise: string; copied: number; found: number }[] = [];
  for (const noise of noiseNames) {
    const both = tf.tidy(() => {
      const { copied, found } = lossesOf(params, measured(noise, lab.stepsFor(120, 16)));
      return tf.stack([copied, found]);
    });
    const [copied = Number.NaN, found = Number.NaN] = await both.data();
    both.dispose();
    rows.push({ noise, copied, found });
  }
  return rows;
}
const lossesBefore = await measure();

// %%
const STEPS = lab.stepsFor(1000, 12);
const curve = lab.liveLoss({ title: 'Loss per token', names: ['can be copied', 'must be found'] });
const training = await lab.train({
  params,
  loss: lossesOf,
  *batches(epoch) {
    const rng = lab.createRng(`epoch ${epoch}`);
    const order = lab.shuffle(passages, rng);
    for (let start = 0; start + 32 <= order.length; start += 32) {
      yield order
        .slice(start, start + 32)
        .map((ids, i) => broken(ids, noiseNames[i % noiseNames.length] ?? '', rng));
    }
  },
  optimizer: lab.adamW({ weightDecay: 0.01 }),
  schedule: lab.linearSchedule({ peak: 3e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
  steps: STEPS,
  clipNorm: 1,
  onStep: ({ step, metrics }) =>
    curve.add(step, { 'can be copied': metrics.copied, 'must be found': metrics.found }),
  progress: lab.progressBar('BART'),
});
await curve.finish();
const firstLoss = training.history[0]?.loss ?? Number.NaN;
const lastLosses = training.history.slice(-20).map(({ loss }) => loss);
const lastLoss = lastLosses.reduce((sum, loss) => sum + loss, 0) / lastLosses.length;
console.log(`loss per token, all together: ${firstLoss.toFixed(2)} at first, ${lastLoss.toFixed(2)} at last`);

// %% [markdown]
// The lower curve is copying. It falls fast, and most tokens lie on it. The upper one is what pre-training is about.
//
// On passages that training did not have, noise by noise:

// %%
const lossesAfter = await measure();
await lab.show(
  lab.table(
    lossesAfter.map(({ noise, copied, found }, i) => ({
      noise,
      'copied, before': lossesBefore[i]?.copied ?? 0,
      'copied, after': copied,
      'found, before': lossesBefore[i]?.found ?? 0,
      'found, after': found,
    })),
    'Loss per token on new passages',
  ),
);

// %% [markdown]
// ### What it writes
//
// Now without the teacher: the decoder reads its own words. Two new passages for each noise; "copied" says how many of the
// original's tokens the *broken* text has in the right order anyway (the longest common subsequence), which is what doing
// nothing would score. Sentences *like* these were among those it learned from, since the stories are made from patterns; these
// three together were not.

// %%
const language: lab.LanguageModel = {
  defaults: { decoderStartTokenId: eosId, eosTokenId: eosId, padTokenId: padId, bosTokenId: bosId },
  vocabSize: config.vocab_size,
  maxPositions: config.max_position_embeddings,
  encode: (inputIds, attentionMask) => lab.bartEncoder(params, { inputIds, attentionMask }, config),
  lastLogits: ({ ids, encoder, cache }) =>
    lab.bartForConditionalGeneration(
      params,
      { decoderInputIds: ids, encoderOutputs: encoder?.states, attentionMask: encoder?.attentionMask, cache },
      config,
      { lastLogitsOnly: true },
    ).logits,
};

/** What the model writes for each source, with its start and end tokens. */
async function repair(sources: number[][], options: lab.GenerationOptions = {}): Promise<number[][]> {
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
    { maxNewTokens: 60, ...options },
  );
  return written.map((row) => row.slice(1));
}

/** The share of the target's tokens that the other row has in the same order: longest common subsequence over length. */
function agreement(row: readonly number[], target: readonly number[]): number {
  const own = (ids: readonly number[]): number[] => ids.filter((id) => !specialIds.includes(id));
  const [a, b] = [own(row), own(target)];
  let best = new Array<number>(b.length + 1).fill(0);
  for (const id of a) {
    const next = [0];
    for (const [j, other] of b.entries()) {
      next.push(id === other ? (best[j] ?? 0) + 1 : Math.max(best[j + 1] ?? 0, next[j] ?? 0));
    }
    best = next;
  }
  return (best.at(-1) ?? 0) / b.length;
}

const repairs: { noise: string; broken: string; repaired: string; original: string }[] = [];
const quality: { noise: string; 'broken text': number; repaired: number; 'repaired exactly': number }[] = [];
for (const noise of noiseNames) {
  const pairs = measured(noise, lab.stepsFor(40, 4));
  const written = await repair(pairs.map(({ source }) => source));
  const meanOver = (score: (pair: Pair, row: number[]) => number): number =>
    pairs.reduce((sum, pair, i) => sum + score(pair, written[i] ?? []), 0) / pairs.length;
  quality.push({
    noise,
    'broken text': meanOver(({ source, target }) => agreement(source, target)),
    repaired: meanOver(({ target }, row) => agreement(row, target)),
    'repaired exactly': meanOver(({ target }, row) => Number(textOf(row) === textOf(target))),
  });
  for (const [i, { source, target }] of pairs.slice(0, 2).entries()) {
    repairs.push({
      noise,
      broken: textOf(source),
      repaired: textOf(written[i] ?? []),
      original: textOf(target),
    });
  }
}
await lab.show(lab.table(repairs));
await lab.show(lab.table(quality, 'How much of the original is there, in the right order'));

// %% [markdown]
// Names go wrong most. To write *a* name at the beginning of a sentence, a model need only know what sentences look like;
// to write *that* name it has to look. Small models learn the first long before the second.
//
// Read the table as a repairer would. Where words are gone for good, *a* good sentence is the best one can hope for: nobody
// can know that the toy was blue. Where everything is still there (permutation, rotation), the original can be found in
// principle.
//
// ### Where it looks
//
// The cross-attention of the decoder's layer while it writes the repaired text: for each written token (row), how much of each
// token of the broken text (column) it takes in. A diagonal is copying. Look at the rows where the diagonal breaks.

// %%
const looked = measured('text infilling', 30)
  .filter(({ source }) => source.includes(maskId))
  .reduce((shortest, pair) => (pair.target.length < shortest.target.length ? pair : shortest));
const seenProbabilities: tf.Tensor[] = [];
const watching: lab.ScaledDotProductAttention = (q, k, v, options) => {
  const result = lab.scaledDotProductAttention(q, k, v, options);
  seenProbabilities.push(tf.keep(tf.clone(result.probabilities))); // [1, H, T, S]
  return result;
};
tf.tidy(() => {
  lab.bartForConditionalGeneration(
    params,
    { inputIds: matrix([looked.source], padId), labels: matrix([looked.target], lab.IGNORED) },
    config,
    { components: { scaledDotProductAttention: watching } },
  );
});
const cross = seenProbabilities.at(-1); // the decoder's last: cross-attention comes after self-attention
if (cross !== undefined) {
  const [, heads = 0, rows = 0, columns = 0] = cross.shape;
  const values = await cross.data();
  const name = (id: number): string => tokenizer.idToToken(id) ?? '';
  // The decoder at place t writes token t: the rows have the names of what is written.
  await lab.show(
    lab.heatmap(
      Object.fromEntries(
        Array.from({ length: heads }, (_, head) => [
          `head ${head}`,
          lab.rowsOf(values.slice(head * rows * columns, (head + 1) * rows * columns), columns),
        ]),
      ),
      {
        title: 'Cross-attention: written token (row), broken text (column)',
        rows: 'written',
        columns: 'read',
        rowNames: looked.target.map(name),
        columnNames: looked.source.map(name),
        domain: [0, 1],
        cell: 13,
        perRow: 2,
      },
    ),
  );
}
tf.dispose(seenProbabilities);

// %% [markdown]
// ## Part 4 · Beam search
//
// So far the likeliest token was taken at each step. That is **greedy**, and it can miss the likeliest *text*: a good first
// word may lead into a sentence whose every ending is unlikely. Trying all texts is out of the question, $V^T$ of them. **Beam
// search** lies between: at each step it keeps the few best beginnings, the *beams*, extends each by every token, and again
// keeps the best.
//
// A small table shows it. Rows: the last token; columns: the probability of the next one.

// %%
const letters = ['a', 'b', 'c', '.'];
const nextProbabilities = [
  [0.1, 0.35, 0.25, 0.3], // after a
  [0.05, 0.05, 0.1, 0.8], // after b
  [0.4, 0.3, 0.2, 0.1], // after c
  [0.5, 0.4, 0.1, 0], // after . (the start)
];
const START = 3;
await lab.show(
  lab.table(
    nextProbabilities.map((row, i) => ({
      'after …': i === START ? 'the start' : (letters[i] ?? ''),
      ...Object.fromEntries(row.map((probability, j) => [letters[j] ?? '', probability])),
    })),
  ),
);

interface TreeNode {
  text: string;
  step: number;
  log: number;
  parent: string;
  fate: 'kept' | 'finished' | 'dropped';
}
/** Every beginning that beam search looks at with two beams, and what becomes of it. */
function beamTree(numBeams: number, steps: number): TreeNode[] {
  const nodes: TreeNode[] = [{ text: '', step: 0, log: 0, parent: '', fate: 'kept' }];
  let running = nodes;
  for (let step = 1; step <= steps; step++) {
    const grown = running.flatMap(({ text, log }) =>
      (nextProbabilities[text === '' ? START : letters.indexOf(text.at(-1) ?? '')] ?? []).flatMap(
        (probability, j) =>
          probability === 0
            ? []
            : [
                {
                  text: text + (letters[j] ?? ''),
                  step,
                  log: log + Math.log(probability),
                  parent: text,
                  fate: 'dropped' as TreeNode['fate'],
                },
              ],
      ),
    );
    const best = grown.toSorted((a, b) => b.log - a.log).slice(0, numBeams);
    for (const node of best) node.fate = node.text.endsWith('.') ? 'finished' : 'kept';
    nodes.push(...grown);
    running = best.filter(({ fate }) => fate === 'kept');
  }
  return nodes;
}
const tree = beamTree(2, 3);
const placed = tree.map((node) => {
  const column = tree
    .filter(({ step }) => step === node.step)
    .toSorted((a, b) => b.text.localeCompare(a.text));
  return {
    ...node,
    place: (column.indexOf(node) + 0.5) / column.length,
    label: node.text === '' ? 'start' : `${node.text} ${Math.exp(node.log).toFixed(3)}`,
  };
});
/** The room for a label, in steps: branches begin behind it. */
const LABEL = 0.42;
const branches = placed.flatMap((node) => {
  const parent = placed.find(({ text, step }) => text === node.parent && step === node.step - 1);
  return parent === undefined
    ? []
    : [{ x: parent.step + LABEL, y: parent.place, x2: node.step, y2: node.place, fate: node.fate }];
});
const fates = { domain: ['kept', 'finished', 'dropped'], range: ['#0072b2', '#009e73', '#757575'] };
await lab.show(
  lab.chart(
    {
      title: 'Beam search with two beams: each beginning and its probability',
      width: 560,
      height: 300,
      layer: [
        {
          data: { values: branches },
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: {
            x: {
              field: 'x',
              type: 'quantitative',
              title: 'step',
              axis: { values: [0, 1, 2, 3], grid: false, format: 'd' },
            },
            x2: { field: 'x2' },
            y: { field: 'y', type: 'quantitative', axis: null },
            y2: { field: 'y2' },
            color: { field: 'fate', type: 'nominal', title: null, scale: fates },
            strokeDash: {
              field: 'fate',
              type: 'nominal',
              title: null,
              scale: {
                domain: fates.domain,
                range: [
                  [1, 0],
                  [1, 0],
                  [3, 3],
                ],
              },
            },
          },
        },
        {
          data: { values: placed },
          mark: { type: 'text', align: 'left', dx: 3, fontSize: 11 },
          encoding: {
            x: { field: 'step', type: 'quantitative', scale: { domain: [0, 3.5] } },
            y: { field: 'place', type: 'quantitative' },
            text: { field: 'label' },
            color: { field: 'fate', type: 'nominal', title: null, scale: fates },
          },
        },
      ],
    },
    `A tree of beginnings. ${placed
      .filter(({ step }) => step > 0)
      .map(({ step, text, log, fate }) => `Step ${step}: ${text} with ${Math.exp(log).toFixed(3)}, ${fate}`)
      .join('; ')}.`,
  ),
);

// %% [markdown]
// Greedy search begins with *a*, the likeliest first letter, goes on with *ab* and ends with *ab.*, whose probability is
// 0.5 · 0.35 · 0.8 = 0.14. With two beams *b* is kept as well, and turns out to be the way to *b.*, with 0.4 · 0.8 = 0.32.
//
// One more thing. Each token multiplies the probability by a number below 1, so short texts win merely by being short. The
// sum of logarithms is therefore divided by a power of the length. With $n$ tokens written,
//
// $$\text{score} = \frac{1}{n^{\alpha}} \sum_{t=1}^{n} \log p(y_t \mid y_{<t})$$
//
// $\alpha = 0$ is the plain sum, $\alpha = 1$ the mean, and more favours long texts.

// %% [exercise] bart/beam-search difficulty=4 minutes=45
// ### Exercise: Beam search with a length penalty
// Write `beamSearch(table, prompt, config)`. `table[last][next]` is the log-probability of `next` after `last`. Return
// all finished beams, `{tokens, score}`, best first.
//
// <!-- hint -->
// At each step, over all running beams and all next tokens: which numBeams sums are the largest? What happens to those
// that end?
// <!-- hint -->
// running: one beam, the prompt, with score 0. Each step: numBeams × V candidates with score + table[last][next] → the
// numBeams best → those that end with endId go to the finished, the others run on. After maxNewTokens the rest are
// finished too. Sort by the normalised score.
// <!-- hint -->
// score = Σ log p / n^α, with n generated tokens and α = lengthPenalty, as in the transformers library; Wu et al., 2016,
// "Google’s neural machine translation system", section 7, use ((5 + n) / 6)^α.

// %% [answer] bart/beam-search
function beamSearch(
  table: number[][],
  prompt: number[],
  config: { numBeams: number; lengthPenalty: number; maxNewTokens: number; endId: number },
): { tokens: number[]; score: number }[] {
  // BEGIN SOLUTION
  const { numBeams, lengthPenalty, maxNewTokens, endId } = config;
  const finished: { tokens: number[]; score: number }[] = [];
  let running = [{ tokens: prompt, score: 0 }];
  for (let step = 1; step <= maxNewTokens; step++) {
    const candidates = running.flatMap(({ tokens, score }) =>
      (table[tokens.at(-1) ?? 0] ?? []).map((log, next) => ({
        tokens: [...tokens, next],
        score: score + log,
      })),
    );
    const kept = candidates.sort((a, b) => b.score - a.score).slice(0, numBeams);
    running = kept.filter(({ tokens }) => tokens.at(-1) !== endId && step < maxNewTokens);
    for (const beam of kept.filter((one) => !running.includes(one))) {
      finished.push({ tokens: beam.tokens, score: beam.score / step ** lengthPenalty });
    }
  }
  return finished.sort((a, b) => b.score - a.score);
  // END SOLUTION
  //| throw new Error('beamSearch is not written yet');
}

// %%
await lab.check('bart/beam-search', beamSearch);
// %% [markdown]
// The same on the trained model: greedy, and with four beams.

// %%
const beamPairs = measured('text infilling', lab.stepsFor(40, 4));
const beamSources = beamPairs.map(({ source }) => source);
const greedy = await repair(beamSources);
const beamed = await repair(beamSources, { numBeams: 4, lengthPenalty: 1 });
/** The log-probability per token that the model gives to a text it wrote. */
const scoreOf = async (source: number[], written: number[]): Promise<number> => {
  const loss = tf.tidy(() => lossesOf(params, [{ source, target: written }]).loss);
  const [value = Number.NaN] = await loss.data();
  loss.dispose();
  return -value;
};
const ended = (row: number[] = []): number[] =>
  row.slice(0, row.indexOf(eosId) === -1 ? undefined : row.indexOf(eosId) + 1);
const beamScores: { greedy: number; beams: number }[] = [];
for (const [i, source] of beamSources.entries()) {
  beamScores.push({
    greedy: await scoreOf(source, ended(greedy[i])),
    beams: await scoreOf(source, ended(beamed[i])),
  });
}
const better = beamScores.filter(({ greedy: a, beams: b }) => b > a + 1e-4).length;
const worse = beamScores.filter(({ greedy: a, beams: b }) => b < a - 1e-4).length;
await lab.show(
  lab.table(
    beamPairs.slice(0, 4).map(({ source }, i) => ({
      broken: textOf(source),
      greedy: textOf(greedy[i] ?? []),
      'four beams': textOf(beamed[i] ?? []),
    })),
    `Four beams found a likelier text than greedy search for ${better} of ${beamScores.length}, a less likely one for ${worse}`,
  ),
);
lab.disposeParameters(params);

// %% [markdown]
// Likelier by the model's own account is not the same as better. Beam search pays where there is one right answer (a
// translation, a repair). Stories that it writes are dull, for the likeliest continuation is the one that surprises least:
// chapter 09 samples instead.
//
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'What is the target when the source is noisy?',
      choices: [
        { text: 'The noisy text.', why: 'Then nothing would be learned but copying.' },
        { text: 'The original document.', right: true, why: 'The loss covers the whole original text.' },
        { text: 'The masked words only.', why: 'That is BERT; T5 comes close to it, in the next chapter.' },
      ],
    },
    {
      ask: 'How many masks does a span of four tokens become in text infilling?',
      choices: [
        { text: 'Four.', why: 'That is token masking.' },
        { text: 'One.', right: true, why: 'The model must find out how much is missing.' },
        { text: 'None.', why: 'That is deletion.' },
      ],
    },
    {
      ask: 'What does a span of length 0 do?',
      choices: [
        { text: 'Nothing.', why: 'A mask is inserted.' },
        {
          text: 'It inserts a mask.',
          right: true,
          why: 'The model learns that a mask may stand for nothing.',
        },
        {
          text: 'It removes a token.',
          why: 'A span of length 1 replaces one by a mask; here there is none to replace.',
        },
      ],
    },
    {
      ask: 'A model repairs noised texts with a mean loss of 0.05. Is that good?',
      choices: [
        {
          text: 'One cannot say before looking at the tokens that cannot be copied.',
          right: true,
          why: 'If nine of ten tokens are copied without doubt, the tenth may still be guessed blindly.',
        },
        {
          text: 'Yes, a perplexity of 1.05 is nearly perfect.',
          why: 'On average, over tokens that are mostly given.',
        },
        { text: 'No, a good model reaches 0.', why: 'What is gone for good cannot be known.' },
      ],
    },
    {
      ask: 'Why has the cross-attention no causal mask?',
      choices: [
        { text: 'It would be slow.', why: 'A mask costs almost nothing.' },
        {
          text: 'The source is known in full before writing begins.',
          right: true,
          why: 'Only its padding is hidden.',
        },
        { text: 'The source is shorter.', why: 'Its length does not matter.' },
      ],
    },
    {
      ask: 'With which token does the decoder of BART start?',
      choices: [
        { text: 'Beginning of sequence.', why: 'That is the first token it writes.' },
        { text: 'End of sequence.', right: true, why: 'So has the released model.' },
        { text: 'Padding.', why: 'That is T5.' },
      ],
    },
    {
      ask: 'Two beams, three steps, ten tokens. How many beginnings are compared at the third step?',
      choices: [
        { text: '1,000.', why: 'That is trying everything: 10 · 10 · 10.' },
        {
          text: '20.',
          right: true,
          why: 'Each of the two beams is extended by each token, if neither has ended.',
        },
        { text: '8.', why: 'Beams do not double; they are cut back to two at each step.' },
      ],
    },
    {
      ask: 'Why is a beam’s score divided by its length?',
      choices: [
        { text: 'To make it a probability.', why: 'It is not one afterwards.' },
        {
          text: 'Each token lowers the sum, so that short texts would win.',
          right: true,
          why: 'The length penalty makes up for it.',
        },
        { text: 'To save memory.', why: 'It is one number either way.' },
      ],
    },
  ]),
);

// %% [markdown]
// ## Further reading
//
// - Lewis et al., 2020, [BART: denoising sequence-to-sequence pre-training for natural language generation, translation, and
//   comprehension](https://arxiv.org/abs/1910.13461). Table 1 compares the noises.
// - Vaswani et al., 2017, [Attention is all you need](https://arxiv.org/abs/1706.03762): encoder and decoder.
// - Wu et al., 2016, [Google's neural machine translation system](https://arxiv.org/abs/1609.08144): beam search and
//   length, section 7.
// - Holtzman et al., 2020, [The curious case of neural text degeneration](https://arxiv.org/abs/1904.09751): why the likeliest
//   text is dull.
//
// Next: chapter 08, one model for every task.
