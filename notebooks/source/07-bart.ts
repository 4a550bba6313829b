// %% [markdown]
// # 07 · BART
//
// BERT reads a text and fills single gaps; it does not write. BART (Lewis et al., 2020) reads a *broken* text and writes
// the *whole* one. An encoder, which sees the broken text from both sides, and a decoder, which writes from left to right,
// are trained together. Since the two texts may differ in length, any damage will do: the paper tries five noises.
//
// | | BERT | BART |
// |---|---|---|
// | reads | a text with gaps of one token | a text with any noise |
// | answers | the tokens in the gaps | the whole text, token by token |
// | network | encoder | encoder and decoder |
//
// You need chapters 02 and 03.

// %%
import * as tf from '@tensorflow/tfjs-core';
import * as lab from 'llm-lab';

await lab.startBackend();

// %%
await lab.show(
  lab.architectureFigure({
    title: 'BART in training',
    rows: [
      [{ label: 'broken text', note: 'source', kind: 'data', shape: '[B, S]' }],
      [{ label: 'encoder', note: 'sees all of it', shape: '[B, S, D]' }],
      [{ label: 'decoder', note: 'reads the shifted target, attends to the encoder', shape: '[B, T, D]' }],
      [{ label: 'next token', note: 'the whole text', kind: 'head', shape: '[B, T, V]' }],
    ],
  }),
);

// %% [markdown]
// ## Part 1 · Five noises
//
// Each noise takes the ids of a document, with a start and an end token, and gives `{source, target}`. The random choices
// come as arguments, so that results are determined.

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
// ## Part 2 · The network

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

// %%
const embedWith = await lab.orReference('bart/positions', embedTokens, (params, ids, past) =>
  tf.tidy(() => {
    const rows = tf.slice(params.positions, [past + 2, 0], [ids.shape[1] ?? 0, -1]);
    return tf.add(lab.embed(params.tokens, ids), rows);
  }),
);
const layerWith = await lab.orReference('bart/decoder-layer', decoderLayer, (params, x, encoder, numHeads) =>
  tf.tidy(() => {
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
  }),
);
const sizes = {
  d_model: 24,
  encoder_layers: 1,
  decoder_layers: 2,
  encoder_attention_heads: 3,
  decoder_attention_heads: 3,
};
const smallConfig = lab.parseBartConfig({
  ...sizes,
  vocab_size: 40,
  max_position_embeddings: 16,
  encoder_ffn_dim: 48,
  decoder_ffn_dim: 48,
});
const small = lab.initParameters(lab.bartForConditionalGenerationWeights(smallConfig), lab.createRng('bart'));
const attentionMask = tf.tensor2d([[1, 1, 1, 1, 1, 1, 1]], [1, 7], 'int32');
const sample = {
  inputIds: tf.tensor2d([[0, 17, 31, 8, 25, 9, 2]], [1, 7], 'int32'),
  decoderInputIds: tf.tensor2d([[2, 0, 17, 31, 8]], [1, 5], 'int32'),
  attentionMask,
};
const apart = tf.tidy(() => {
  const library = lab.bartForConditionalGeneration(small, sample, smallConfig);
  const yours = lab.bartForConditionalGeneration(small, sample, smallConfig, {
    components: {
      embeddings: (tokens, positions, ids, past) => embedWith({ tokens, positions }, ids, past),
      block: (params, x, context) => {
        const { crossAttention, crossNorm } = params;
        if (!crossAttention || !crossNorm || !context.encoder) return lab.bartBlock(params, x, context);
        const encoder = { states: context.encoder.states, attentionMask };
        return layerWith({ ...params, crossAttention, crossNorm }, x, encoder, context.numHeads);
      },
    },
  });
  return tf.max(tf.abs(tf.sub(library.logits, yours.logits)));
});
const [farthest = Number.NaN] = await apart.data();
tf.dispose([apart, ...Object.values(sample)]);
lab.disposeParameters(small);
console.log(`largest difference in the logits: ${farthest.toExponential(1)}`);

// %% [markdown]
// ## Part 3 · Beam search
//
// The best next token is not always on the way to the best text. Beam search keeps several beginnings, *beams*, at once.

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
// ## Part 4 · A training run: repairing a noised text
//
// A small BART learns from the bundled stories. One token in five, on average, is masked; the model writes the whole sentence.

// %%
const stories = await lab.loadStories();
const sentences = stories.slice(0, 2000).flat();
const known = new Set(sentences);
// Our stories are made from patterns, and some sentences come again: only new ones can show what was learned.
const heldOut = stories
  .slice(2000)
  .flat()
  .filter((sentence) => !known.has(sentence))
  .slice(0, 12);
const tokenizer = lab.wordPieceTokenizer(
  lab.trainWordPiece(sentences, { vocabSize: 600, score: 'frequency' }),
);
const idOf = (token: string): number => tokenizer.tokenToId(token) ?? 0;
const [padId, maskId, bosId, eosId] = [idOf('[PAD]'), idOf('[MASK]'), idOf('[CLS]'), idOf('[SEP]')];
const config = lab.parseBartConfig({
  vocab_size: tokenizer.vocabSize,
  d_model: 64,
  max_position_embeddings: 48,
  encoder_layers: 1,
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
const noiseWith = await lab.orReference(
  'bart/token-masking',
  maskNoise,
  (ids, draws, { ratio, specialIds, maskId: mask }) => ({
    source: ids.map((id, i) => (!specialIds.includes(id) && (draws[i] ?? 1) < ratio ? mask : id)),
    target: [...ids],
  }),
);

function rowOf(text: string, rng: lab.Rng): { source: number[]; target: number[] } {
  const ids = [...tokenizer.encode(text, { maxLength: 40 }).inputIds];
  const draws = ids.map(() => rng.next());
  return noiseWith(ids, draws, { ratio: 0.2, specialIds: [padId, bosId, eosId], maskId });
}

function matrix(rows: number[][], filler: number): tf.Tensor2D {
  const longest = Math.max(...rows.map((row) => row.length));
  const padded = rows.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => filler)]);
  return tf.tensor2d(padded, [rows.length, longest], 'int32');
}

const params = lab.trainable(
  lab.initParameters(lab.bartForConditionalGenerationWeights(config), lab.createRng('repair')),
);
const STEPS = lab.stepsFor(900, 12);
const losses: number[] = [];
const curve = lab.liveLoss({ title: 'Loss per token', names: ['loss'] });
await lab.train({
  params,
  loss: (now, rows: { source: number[]; target: number[] }[]) => {
    const inputIds = matrix(
      rows.map(({ source }) => source),
      padId,
    );
    const labels = matrix(
      rows.map(({ target }) => target),
      lab.IGNORED,
    );
    const mask = tf.cast(tf.notEqual(inputIds, padId), 'int32');
    const { loss } = lab.bartForConditionalGeneration(now, { inputIds, attentionMask: mask, labels }, config);
    return { loss: loss ?? tf.scalar(0) };
  },
  *batches(epoch) {
    const rng = lab.createRng(`epoch ${epoch}`);
    const order = lab.shuffle(sentences, rng);
    for (let start = 0; start + 32 <= order.length; start += 32) {
      yield order.slice(start, start + 32).map((text) => rowOf(text, rng));
    }
  },
  optimizer: lab.adamW({ weightDecay: 0.01 }),
  schedule: lab.linearSchedule({ peak: 3e-3, warmupSteps: Math.ceil(STEPS / 10), totalSteps: STEPS }),
  steps: STEPS,
  clipNorm: 1,
  onStep: ({ step, loss }) => {
    losses.push(loss);
    curve.add(step, { loss });
  },
  progress: lab.progressBar('BART'),
});
await curve.finish();
const [firstLoss = Number.NaN] = losses;
const lastLoss = losses.at(-1) ?? Number.NaN;
console.log(`loss per token: ${firstLoss.toFixed(2)} at first, ${lastLoss.toFixed(2)} at last`);

// %% [markdown]
// ### What it writes
// Sentences that are not among those it learned from, broken, and what the model makes of them. Sentences *like* them are:
// the stories are made from patterns.

// %%
const word = (ids: readonly number[]): string =>
  ids
    .flatMap((id) => (id === bosId || id === eosId || id === padId ? [] : [tokenizer.idToToken(id) ?? '']))
    .join(' ')
    .replaceAll(' ##', '');
const repaired: Record<string, string>[] = [];
const testRng = lab.createRng('test');
for (const text of heldOut) {
  const { source, target } = rowOf(text, testRng);
  const written = [eosId];
  for (let step = 0; step < 40; step++) {
    const best = tf.tidy(() => {
      const { logits } = lab.bartForConditionalGeneration(
        params,
        { inputIds: matrix([source], padId), decoderInputIds: matrix([written], padId) },
        config,
        { lastLogitsOnly: true },
      );
      return tf.argMax(tf.reshape(logits, [-1]));
    });
    const [next = eosId] = await best.data();
    best.dispose();
    written.push(next);
    if (next === eosId) break;
  }
  repaired.push({ broken: word(source), repaired: word(written), original: word(target) });
}
await lab.show(lab.table(repaired));
lab.disposeParameters(params);

// %% [markdown]
// ## Quiz

// %%
await lab.show(
  lab.quiz([
    {
      ask: 'What is the target when the source is noisy?',
      choices: [
        { text: 'The noisy text.', why: 'Then nothing would be learned but copying.' },
        { text: 'The original document.', right: true, why: 'The loss covers the whole original text.' },
        { text: 'The masked words only.', why: 'That is BERT.' },
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
// - Lewis et al., 2020, *BART: denoising sequence-to-sequence pre-training*.
// - Vaswani et al., 2017, *Attention is all you need*: encoder and decoder.
// - Wu et al., 2016, *Google’s neural machine translation system*: beam search and length.
//
// Next: chapter 08, one model for every task.
