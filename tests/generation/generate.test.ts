import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { beamSearch } from '../../src/generation/beam-search.ts';
import { Decoding, type LanguageModel } from '../../src/generation/decoding.ts';
import { generate, streamTokens } from '../../src/generation/index.ts';
import { resolveOptions } from '../../src/generation/options.ts';
import type { Model } from '../../src/models/architecture.ts';
import { CAUSAL, createDecoder, SEQ2SEQ } from '../models/decoders.ts';

await startBackend();

function languageOf(model: Model): LanguageModel {
  if (!model.language) throw new Error(`${model.className} does not generate`);
  return model.language;
}

const PROMPT = [
  [7, 4, 25, 30],
  [5, 17, 8, 28],
];
/** No token ends a sequence, so that all steps are compared. */
const ENDLESS = { maxNewTokens: 9, eosTokenId: [] };

describe.each([...CAUSAL, ...SEQ2SEQ])('%s generates', (className) => {
  const settings = {
    greedily: {},
    'by sampling': { doSample: true, seed: 4, temperature: 1.5, topK: 12, topP: 0.9, minP: 0.01 },
    'with a penalty': { repetitionPenalty: 1.5, noRepeatNgramSize: 2 },
    'by beam search': { numBeams: 3, lengthPenalty: 0.8, eosTokenId: [9] },
  };

  it.each(Object.entries(settings))(
    '%s the same with a cache as without, and frees all it held',
    async (_, options) => {
      const model = createDecoder(className);
      const language = languageOf(model);
      const count = tf.memory().numTensors;
      const cached = await generate(language, { inputIds: PROMPT }, { ...ENDLESS, ...options });
      const uncached = await generate(
        language,
        { inputIds: PROMPT },
        { ...ENDLESS, ...options, useCache: false },
      );
      expect(cached).toEqual(uncached);
      expect(tf.memory().numTensors).toBe(count);
      model.dispose();
    },
  );

  it('rows of a batch as each alone, padded on the left', async () => {
    const model = createDecoder(className, { decoder_start_token_id: 2, pad_token_id: 0 });
    const language = languageOf(model);
    const rows = [
      [7, 4, 25, 30, 11],
      [5, 17, 8],
    ];
    const padded = [
      [7, 4, 25, 30, 11],
      className === 'BartForConditionalGeneration' || className.startsWith('T5')
        ? [5, 17, 8, 0, 0]
        : [0, 0, 5, 17, 8],
    ];
    const attentionMask = padded.map((row) => row.map((id) => (id === 0 ? 0 : 1)));
    for (const numBeams of [1, 3]) {
      const options = { ...ENDLESS, numBeams };
      const together = await generate(language, { inputIds: padded, attentionMask }, options);
      for (const [i, row] of rows.entries()) {
        const [alone] = await generate(language, { inputIds: [row] }, options);
        expect(together[i]?.slice(-9)).toEqual(alone?.slice(-9));
      }
    }
    model.dispose();
  });

  it('a stream of the tokens that come all at once', async () => {
    const model = createDecoder(className);
    const language = languageOf(model);
    const options = {
      maxNewTokens: 7,
      doSample: true,
      seed: 'stream',
      eosTokenId: [3, 9, 12, 20],
      padTokenId: 1,
    };
    const whole = await generate(language, { inputIds: PROMPT }, options);
    const steps: number[][] = [];
    for await (const { tokens } of streamTokens(language, { inputIds: PROMPT }, options)) steps.push(tokens);
    const start = (whole[0]?.length ?? 0) - steps.length;
    expect(whole.map((row) => row.slice(start))).toEqual(
      [0, 1].map((row) => steps.map((tokens) => tokens[row])),
    );
    model.dispose();
  });

  it('nothing that stays in memory when a stream is left early', async () => {
    const model = createDecoder(className);
    const count = tf.memory().numTensors;
    let seen = 0;
    for await (const { tokens } of streamTokens(languageOf(model), { inputIds: PROMPT }, ENDLESS)) {
      expect(tokens).toHaveLength(2);
      seen += 1;
      if (seen === 3) break;
    }
    expect(seen).toBe(3);
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  });
});

describe('an aborted signal', () => {
  it('ends generation with its reason, and nothing stays in memory', async () => {
    const model = createDecoder('GPT2LMHeadModel');
    const count = tf.memory().numTensors;
    const controller = new AbortController();
    const run = async (): Promise<void> => {
      const stream = streamTokens(
        languageOf(model),
        { inputIds: PROMPT },
        { ...ENDLESS, signal: controller.signal },
      );
      for await (const _ of stream) controller.abort(new Error('enough'));
    };
    await expect(run()).rejects.toThrow('enough');
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  });
});

describe('sampling', () => {
  it('is fixed by the seed, and by the row’s number alone', async () => {
    const model = createDecoder('GPT2LMHeadModel');
    const language = languageOf(model);
    const draw = (inputIds: number[][], seed: number) =>
      generate(language, { inputIds }, { ...ENDLESS, doSample: true, seed, temperature: 2 });
    const both = await draw(PROMPT, 1);
    expect(await draw(PROMPT, 1)).toEqual(both);
    expect(await draw(PROMPT, 2)).not.toEqual(both);
    expect(await draw(PROMPT.slice(0, 1), 1)).toEqual(both.slice(0, 1));
    model.dispose();
  });

  it('of the one likeliest token is greedy search', async () => {
    const model = createDecoder('LlamaForCausalLM');
    const language = languageOf(model);
    const greedy = await generate(language, { inputIds: PROMPT }, ENDLESS);
    expect(await generate(language, { inputIds: PROMPT }, { ...ENDLESS, doSample: true, topK: 1 })).toEqual(
      greedy,
    );
    expect(await generate(language, { inputIds: PROMPT }, { ...ENDLESS, doSample: true, topP: 0 })).toEqual(
      greedy,
    );
    model.dispose();
  });
});

/** A model of 4 tokens that looks at the last one only: row i holds the probabilities of what follows token i. */
function chain(table: number[][]): LanguageModel {
  return {
    defaults: {},
    vocabSize: 4,
    maxPositions: Number.POSITIVE_INFINITY,
    lastLogits: ({ ids }) => {
      const last = tf.slice(ids, [0, ids.shape[1] - 1], [ids.shape[0], 1]);
      return tf.gather(tf.log(tf.tensor2d(table)), last);
    },
  };
}

describe('beam search', () => {
  // From 0 the likeliest step, to 1, leads to even odds; the second, to 2, leads to the end (3) for sure.
  const model = chain([
    [0.01, 0.5, 0.4, 0.09],
    [0.3, 0.2, 0.25, 0.25],
    [0.02, 0.02, 0.01, 0.95],
    [0.25, 0.25, 0.25, 0.25],
  ]);
  const search = (options: object) =>
    generate(
      model,
      { inputIds: [[0]] },
      { maxNewTokens: 5, eosTokenId: 3, useCache: false, padTokenId: 3, ...options },
    );

  it('finds the likelier sequence that greedy search misses', async () => {
    expect(await search({ maxNewTokens: 2 })).toEqual([[0, 1, 0]]);
    expect(await search({ maxNewTokens: 2, numBeams: 2, lengthPenalty: 0 })).toEqual([[0, 2, 3]]);
  });

  it('with all beams kept is a search of everything', async () => {
    const found = await search({
      maxNewTokens: 3,
      numBeams: 16,
      lengthPenalty: 0,
      earlyStopping: 'never',
      numReturnSequences: 3,
    });
    // The three likeliest of all sequences that end within three tokens, or have three: .4·.95, .5·.25, .09.
    expect(found).toEqual([
      [0, 2, 3, 3],
      [0, 1, 3, 3],
      [0, 1, 2, 3],
    ]);
  });

  it('divides by the generated length, not by the whole', async () => {
    // ln(.09)/1 = −2.41 for [3]; with a penalty of 3 the longer sequences win by their cube, whatever the prompt's length.
    const short = await generate(
      model,
      { inputIds: [[0]] },
      { maxNewTokens: 3, numBeams: 4, lengthPenalty: -9, eosTokenId: 3, useCache: false },
    );
    expect(short[0]?.slice(0, 2)).toEqual([0, 3]);
    const long = await generate(
      model,
      { inputIds: [[1, 2, 0]] },
      { maxNewTokens: 3, numBeams: 4, lengthPenalty: -9, eosTokenId: 3, useCache: false },
    );
    expect(long[0]?.slice(0, 4)).toEqual([1, 2, 0, 3]);
  });

  it('early stopping takes the first finished beams, without it a better one may come later', async () => {
    const odds = chain([
      [0.05, 0.5, 0, 0.45],
      [0, 0.02, 0.98, 0],
      [0, 0.005, 0.005, 0.99],
      [1, 0, 0, 0],
    ]);
    const run = (earlyStopping: boolean | 'never') =>
      generate(
        odds,
        { inputIds: [[0]] },
        {
          maxNewTokens: 6,
          numBeams: 1 + 1,
          lengthPenalty: 1,
          earlyStopping,
          eosTokenId: 3,
          padTokenId: 3,
          useCache: false,
        },
      );
    // ln(.5·.98·.99)/3 = −0.24 beats ln(.45)/1 = −0.80.
    expect((await run('never'))[0]?.slice(0, 4)).toEqual([0, 1, 2, 3]);
    expect((await run(false))[0]?.slice(0, 4)).toEqual([0, 1, 2, 3]);
  });

  it('leaves a model’s tensors alone', async () => {
    const count = tf.memory().numTensors;
    const options = resolveOptions({ maxNewTokens: 3, numBeams: 2, eosTokenId: 3 }, 1);
    const decoding = Decoding.start(model, { ids: [[0]], mask: [[1]] }, { useCache: false });
    await beamSearch(decoding, [[0]], options, (scores) => scores);
    decoding.dispose();
    expect(tf.memory().numTensors).toBe(count);
  });
});

describe('what cannot be generated is refused', () => {
  const model = createDecoder('GPT2LMHeadModel');
  const language = languageOf(model);

  it.each([
    [{ inputIds: [[]] }, {}, /at least one token/],
    [{ inputIds: [[1, 2], [3]] }, {}, /one length, got 2 and 1/],
    [{ inputIds: [[1, 31]] }, {}, /below 31, got 31 in row 0/],
    [{ inputIds: [[1, 2]], attentionMask: [[1]] }, {}, /attentionMask/],
    [{ inputIds: [[1, 2]] }, { maxNewTokens: 24 }, /26 tokens are more than the model's 24 positions/],
    [{ inputIds: [[1, 2]] }, { temperature: -1 }, /temperature/],
  ])('%j with %j', async (inputs, options, message) => {
    await expect(generate(language, inputs, options)).rejects.toThrow(message);
  });

  it('a stream of beams', async () => {
    await expect(streamTokens(language, { inputIds: [[1]] }, { numBeams: 2 }).next()).rejects.toThrow(
      /numBeams/,
    );
  });

  it('an encoder-decoder without a token to start with', async () => {
    const t5 = createDecoder('T5ForConditionalGeneration', { decoder_start_token_id: null });
    await expect(generate(languageOf(t5), { inputIds: [[3, 4]] })).rejects.toThrow(/decoderStartTokenId/);
  });
});
