import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { KeyValueCache } from '../../src/core/cache.ts';
import { createRng } from '../../src/core/random.ts';
import { bartComponents } from '../../src/models/bart.ts';
import { gptComponents } from '../../src/models/gpt.ts';
import { llamaComponents } from '../../src/models/llama.ts';
import { t5Components } from '../../src/models/t5.ts';
import { CAUSAL, CLASSES, createDecoder, furthest, ids, inputsOf, numbers, SEQ2SEQ } from './decoders.ts';

await startBackend();

/** What an output says of tokens: all of it, but of sequences that are padded (their length is not the target's, 5) the tokens. */
async function atTokens(tensor: tf.Tensor | undefined): Promise<number[]> {
  if (!tensor) throw new Error('an output is missing');
  const [, length = 0, width = 0] = tensor.shape;
  if (tensor.rank < 3 || length === 5) return numbers(tensor);
  const rows = [6, 4].map((tokens, row) => tf.slice(tensor, [row, 0, 0], [1, tokens, width]));
  return (await Promise.all(rows.map(numbers))).flat();
}

describe.each(CLASSES)('%s', (className) => {
  it('leaves its inputs as they are and no tensor behind, in evaluation and in training', async () => {
    const model = createDecoder(className);
    const inputs = inputsOf(className);
    const before = await Promise.all(Object.values(inputs).map(numbers));
    const count = tf.memory().numTensors;
    for (const options of [{}, { rng: createRng(1) }]) {
      const outputs = Object.values(model.forward(inputs, options));
      expect(tf.memory().numTensors).toBe(count + outputs.length);
      tf.dispose(outputs);
    }
    expect(await Promise.all(Object.values(inputs).map(numbers))).toEqual(before);
    const own = model.weights().length;
    model.dispose();
    expect(tf.memory().numTensors).toBe(count - own);
  });

  it('more padding on the right changes nothing for the tokens', async () => {
    const model = createDecoder(className);
    const short = model.forward(inputsOf(className));
    const long = model.forward(inputsOf(className, 5));
    for (const [name, tensor] of Object.entries(short)) {
      const [some, others] = [await atTokens(tensor), await atTokens(long[name])];
      expect(furthest(some, others), name).toBeLessThan(2e-5);
    }
    model.dispose();
  });

  it('dropout is drawn from the seed, and only in training', async () => {
    const model = createDecoder(className, { attention_dropout: 0.2, classifier_dropout: 0.2 });
    const inputs = inputsOf(className);
    const run = async (seed?: number): Promise<number[]> => {
      const { loss, logits, lastHiddenState } = model.forward(
        inputs,
        seed === undefined ? {} : { rng: createRng(seed) },
      );
      return numbers(logits ?? lastHiddenState ?? loss);
    };
    expect(await run()).toEqual(await run());
    expect(await run(5)).toEqual(await run(5));
    expect(furthest(await run(5), await run(6))).toBeGreaterThan(1e-3);
    model.dispose();
  });
});

describe.each(CLASSES.filter((name) => inputsOf(name).labels))('%s', (className) => {
  it('sends a gradient to every parameter', async () => {
    const model = createDecoder(className);
    const inputs = inputsOf(className);
    // The bias of BART's logits is a buffer: it is added to all logits and not learnt.
    const pairs = model.weights().filter(([{ name }]) => name !== 'final_logits_bias');
    const count = tf.memory().numTensors;
    const gradients = tf.tidy(() =>
      tf.grads(() => model.forward(inputs).loss ?? tf.scalar(Number.NaN))(pairs.map(([, tensor]) => tensor)),
    );
    for (const [i, [{ name, part }]] of pairs.entries()) {
      const values = await numbers(gradients[i]);
      expect(values.every(Number.isFinite), name).toBe(true);
      // A key's bias adds the same to every score of a query, and softmax does not see it; rotated, it does.
      const isKeyBias = /k_proj\.bias$/.test(name) || (/c_attn\.bias$/.test(name) && part?.index === 1);
      if (isKeyBias && !className.startsWith('Llama')) continue;
      expect(
        furthest(
          values,
          values.map(() => 0),
        ),
        name,
      ).toBeGreaterThan(1e-7);
    }
    tf.dispose(gradients);
    expect(tf.memory().numTensors).toBe(count);
    model.dispose();
  });
});

describe.each(CAUSAL)('%s', (className) => {
  it('a token changes nothing before it', async () => {
    const model = createDecoder(className);
    const logits = async (last: number): Promise<number[]> =>
      numbers(model.forward({ inputIds: ids([[7, 4, 25, 30, last, 11]]) }).logits);
    const [one, other] = [await logits(9), await logits(16)];
    const past = 4 * 31;
    expect(furthest(one.slice(0, past), other.slice(0, past))).toBe(0);
    expect(furthest(one.slice(past), other.slice(past))).toBeGreaterThan(1e-3);
    model.dispose();
  });

  it('padding on the left moves nothing, with positions that count tokens', async () => {
    const model = createDecoder(className);
    const alone = model.forward({ inputIds: ids([[7, 4, 25]]) }).logits;
    const padded = model.forward({
      inputIds: ids([[0, 0, 7, 4, 25]]),
      attentionMask: ids([[0, 0, 1, 1, 1]]),
      positionIds: ids([[0, 0, 0, 1, 2]]),
    }).logits;
    expect(furthest(await numbers(alone), (await numbers(padded)).slice(2 * 31))).toBeLessThan(1e-5);
    model.dispose();
  });
});

const GENERATES = [...CAUSAL, ...SEQ2SEQ];

describe.each(GENERATES)('%s', (className) => {
  const prompt = ids([
    [7, 4, 25, 30],
    [5, 17, 8, 28],
  ]);
  const target = [
    [0, 12, 9, 27, 14],
    [0, 22, 3, 18, 6],
  ];

  it('in pieces with a cache gives what it gives in one', async () => {
    const model = createDecoder(className);
    const { language } = model;
    if (!language) throw new Error(`${className} does not generate`);
    const mask = ids([
      [1, 1, 1, 1],
      [1, 1, 1, 0],
    ]);
    const before = tf.memory().numTensors;
    const cache = new KeyValueCache();
    const states = tf.tidy(() => language.encode?.(prompt, mask));
    const encoder = states && { states, attentionMask: mask };
    const step = (from: number, to: number, held?: KeyValueCache) =>
      tf.tidy(() =>
        language.lastLogits({ ids: ids(target.map((row) => row.slice(from, to))), encoder, cache: held }),
      );
    for (const [from, to] of [
      [0, 2],
      [2, 3],
      [3, 5],
    ] as const) {
      const [pieces, whole] = [step(from, to, cache), step(0, to)];
      expect(cache.length).toBe(to);
      expect(furthest(await numbers(pieces), await numbers(whole))).toBeLessThan(1e-5);
      tf.dispose([pieces, whole]);
    }
    cache.crop(3);
    const [again, whole] = [step(3, 4, cache), step(0, 4)];
    expect(furthest(await numbers(again), await numbers(whole))).toBeLessThan(1e-5);
    cache.reorder([1, 0, 1]);
    expect(cache.bytes).toBeGreaterThan(0);
    cache.dispose();
    expect(cache.bytes).toBe(0);
    tf.dispose([again, whole, ...(states ? [states] : [])]);
    expect(tf.memory().numTensors).toBe(before);
    model.dispose();
  });
});

const SWAPS = [
  ['OpenAIGPTLMHeadModel', gptComponents],
  ['GPT2LMHeadModel', gptComponents],
  ['LlamaForCausalLM', llamaComponents],
  ['BartForConditionalGeneration', bartComponents],
  ['T5ForConditionalGeneration', t5Components],
] as const;
const COMPONENTS = SWAPS.flatMap(([className, components]) =>
  Object.entries(components).map(([name, original]) => ({ className, name, original: original as unknown })),
);

/** What a component gives, bent (a norm would undo a factor): what a learner's wrong function might do. */
function bent(result: unknown): unknown {
  if (result instanceof tf.Tensor) return tf.add(result, tf.abs(result));
  const parts = Object.entries(result ?? {});
  return Object.fromEntries(parts.map(([key, part]) => [key, bent(part)]));
}

describe.each(COMPONENTS)('$className: $name', ({ className, name, original }) => {
  it('can be replaced, and the replacement is what runs', async () => {
    if (typeof original !== 'function') throw new Error(`${name} is no function`);
    const model = createDecoder(className);
    const inputs = inputsOf(className);
    let calls = 0;
    const replacement = (...args: unknown[]): unknown => {
      calls += 1;
      return bent(original(...args));
    };
    const plain = await numbers(model.forward(inputs).logits);
    const same = await numbers(model.forward(inputs, { components: { [name]: original } }).logits);
    const changed = await numbers(model.forward(inputs, { components: { [name]: replacement } }).logits);
    expect(calls).toBeGreaterThan(0);
    expect(same).toEqual(plain);
    expect(furthest(changed, plain)).toBeGreaterThan(1e-3);
    model.dispose();
  });
});

describe('the cache of grouped queries', () => {
  it('holds one key and one value for each group', () => {
    const model = createDecoder('LlamaForCausalLM');
    const cache = new KeyValueCache();
    model.language?.lastLogits({ ids: ids([[7, 4, 25]]), cache }).dispose();
    expect(cache.bytes).toBe(2 * 2 * 3 * (2 * 4) * 4); // 2 layers, key and value, 3 tokens, 2 groups of width 4
    cache.dispose();
    model.dispose();
  });
});

describe('wrong input is refused', () => {
  it.each([
    ['GPT2LMHeadModel', { attentionMask: ids([[1, 1, 1]]) }, /attentionMask: expected \[1, 2\]/],
    ['LlamaForCausalLM', { decoderInputIds: ids([[1, 1]]) }, /decoderInputIds/],
    ['T5Model', {}, /decoderInputIds/],
    ['BartModel', { attentionMask: ids([[1, 1, 1]]) }, /attentionMask: expected \[1, 2\]/],
  ])('by %s, naming it', (className, inputs, message) => {
    const model = createDecoder(className);
    expect(() => model.forward({ inputIds: ids([[3, 4]]), ...inputs })).toThrow(message);
    expect(() => model.forward({ inputIds: tf.zeros([3], 'int32'), ...inputs })).toThrow(
      /inputIds|decoderInputIds/,
    );
    model.dispose();
  });

  it.each(['GPT2LMHeadModel', 'OpenAIGPTLMHeadModel', 'BartModel'])(
    '%s: more tokens than positions',
    (className) => {
      const model = createDecoder(className);
      expect(() => model.forward({ inputIds: tf.ones([1, 25], 'int32') })).toThrow(/25 tokens.*24 positions/);
      model.dispose();
    },
  );

  it.each([
    ['GPT2LMHeadModel', { n_head: 5 }, /n_embd must be a multiple of n_head \(5\), got 12/],
    ['GPT2LMHeadModel', { n_layer: 'two' }, /n_layer/],
    ['OpenAIGPTLMHeadModel', { afn: 'mish' }, /afn.*mish/],
    ['LlamaForCausalLM', { num_key_value_heads: 4 }, /num_attention_heads must be a multiple/],
    ['LlamaForCausalLM', { head_dim: 5 }, /even head_dim/],
    ['LlamaForCausalLM', { rope_scaling: { type: 'su', factor: 2 } }, /rotary type.*su/],
    ['BartModel', { decoder_attention_heads: 5 }, /decoder_attention_heads/],
    ['BartModel', { dropout: 1.5 }, /dropout/],
    ['T5Model', { feed_forward_proj: 'gated gelu' }, /feed_forward_proj/],
    ['T5Model', { relative_attention_num_buckets: 7 }, /relative_attention_num_buckets/],
  ])('a configuration of %s with %j', (className, changes, message) => {
    expect(() => createDecoder(className, changes)).toThrow(message);
  });
});
