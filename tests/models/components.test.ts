import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import {
  type BertComponents,
  type BertPoolerParams,
  bertComponents,
  bertEmbeddings,
  bertPooler,
  maskedLMHead,
} from '../../src/models/bert.ts';
import { BertForMaskedLM } from '../../src/models/encoder-architectures.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';
import { createModel, FAMILY_NAMES, type Family, inputsOf } from './encoders.ts';

await startBackend();

const NAMES = Object.keys(bertComponents);
/** Heads in which a component runs: the masked-LM class everywhere, except for the pooler. */
const withPooler: Partial<Record<Family, string>> = {
  Bert: 'BertModel',
  Roberta: 'RobertaModel',
  Albert: 'AlbertModel',
};

/** Tensors doubled; of an object, all that it holds; of a function (an activation), what it returns. */
function twice(result: unknown): unknown {
  if (result instanceof tf.Tensor) return tf.mul(result, 2);
  if (typeof result === 'function') return (...args: unknown[]) => twice(result(...args));
  return Object.fromEntries(Object.entries(result ?? {}).map(([key, value]) => [key, twice(value)]));
}

/** The library's component, counted, with its first result doubled: what a learner's wrong function would do. */
function doubled(name: string, calls: { count: number }): Partial<BertComponents> {
  const original: unknown = new Map(Object.entries(bertComponents)).get(name);
  if (typeof original !== 'function') throw new Error(`${name} is no component`);
  const replacement = (...args: unknown[]): unknown => {
    calls.count++;
    return twice(original(...args));
  };
  return { [name]: replacement };
}

describe.each(FAMILY_NAMES)('the components of %s', (family) => {
  it.each(NAMES)('%s can be replaced, and the replacement is what runs', async (name) => {
    const className = name === 'pooler' ? withPooler[family] : `${family}ForMaskedLM`;
    if (className === undefined) return; // ELECTRA has no pooler
    const model = createModel(family, className);
    const { labels: _, ...inputs } = inputsOf(className);
    const run = async (components?: Partial<BertComponents>): Promise<number[]> => {
      const outputs = model.forward(inputs, { components });
      const tensor = outputs.poolerOutput ?? outputs.logits;
      return tensor ? Array.from(await tensor.data()) : [];
    };
    const calls = { count: 0 };
    const plain = await run();
    const changed = await run(doubled(name, calls));
    expect(calls.count).toBeGreaterThan(0);
    expect(plain.length).toBeGreaterThan(0);
    expect(Math.max(...changed.map((value, i) => Math.abs(value - (plain[i] ?? NaN))))).toBeGreaterThan(1e-3);
    model.dispose();
  });
});

describe('a checkpoint loaded as a class that the caller names', () => {
  const FIXTURE = join(import.meta.dirname, '../parity/fixtures/bert-masked-lm');

  it('has the types of that class: parameters, outputs, and components that fit', async () => {
    const model = await loadPretrained(FIXTURE, { architecture: BertForMaskedLM });
    const own = (params: BertPoolerParams, hidden: tf.Tensor): tf.Tensor => bertPooler(params, hidden);
    const layer: BertComponents['layer'] = (_params, hidden) => hidden;
    const ids = { inputIds: tf.tensor2d([[5, 7, 4]], [1, 3], 'int32') };
    const { logits } = model.forward(ids, { components: { layer, pooler: own } });
    // With layers that do nothing, the head reads the embeddings.
    const embedded = bertEmbeddings(model.params.embeddings, ids, model.config);
    const table = model.params.embeddings.wordEmbeddings.weight;
    const expected = maskedLMHead(model.params.predictions, embedded, table, model.config);
    expect(Array.from(await logits.data())).toEqual(Array.from(await expected.data()));
    model.dispose();
  });
});
