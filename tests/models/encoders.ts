/** Small models of the encoder families, drawn anew, for tests of their properties. */
import * as tf from '@tensorflow/tfjs-core';
import { createRng } from '../../src/core/random.ts';
import type { Model, NamedTensors } from '../../src/models/architecture.ts';
import { architectureOf } from '../../src/models/registry.ts';

const SIZES = {
  vocab_size: 31,
  hidden_size: 12,
  num_hidden_layers: 3,
  num_attention_heads: 3,
  intermediate_size: 20,
  max_position_embeddings: 17,
  type_vocab_size: 2,
  // Large enough that every part of a new model matters.
  initializer_range: 0.4,
};

const FAMILIES = {
  Bert: { model_type: 'bert' },
  Roberta: { model_type: 'roberta', pad_token_id: 3 },
  Albert: { model_type: 'albert', embedding_size: 8, num_hidden_groups: 2, inner_group_num: 2 },
  Electra: { model_type: 'electra', embedding_size: 8 },
} as const;

export const HEADS: Readonly<Record<keyof typeof FAMILIES, readonly string[]>> = {
  Bert: ['Model', 'ForPreTraining', 'ForMaskedLM', 'ForNextSentencePrediction', 'ForSequenceClassification'],
  Roberta: ['Model', 'ForMaskedLM', 'ForSequenceClassification'],
  Albert: ['Model', 'ForPreTraining', 'ForMaskedLM', 'ForSequenceClassification'],
  Electra: ['Model', 'ForPreTraining', 'ForMaskedLM', 'ForSequenceClassification'],
};

export type Family = keyof typeof FAMILIES;

export const FAMILY_NAMES: readonly Family[] = ['Bert', 'Roberta', 'Albert', 'Electra'];

/** Every class as [family, class name]. */
export const CLASSES: ReadonlyArray<readonly [Family, string]> = FAMILY_NAMES.flatMap((family) =>
  HEADS[family].map((head) => [family, `${family}${head}`] as const),
);

export function configOf(family: Family, className: string, changes: object = {}): object {
  return { ...SIZES, ...FAMILIES[family], architectures: [className], num_labels: 2, ...changes };
}

export function createModel(family: Family, className: string, changes: object = {}): Model {
  const config = configOf(family, className, changes);
  return architectureOf(config).create(config, createRng('test'));
}

const PADDING = 3;

/** Two rows of different lengths; `extra` adds so many columns of padding. */
export function inputsOf(className: string, extra = 0): NamedTensors {
  const row = (values: number[], filler: number): number[] => [
    ...values,
    ...Array<number>(extra).fill(filler),
  ];
  const matrix = (rows: number[][]): tf.Tensor2D => tf.tensor2d(rows, undefined, 'int32');
  const inputs = {
    inputIds: matrix([row([7, 4, 25, 30, 9, 12], PADDING), row([5, 17, 8, 2, PADDING, PADDING], PADDING)]),
    attentionMask: matrix([row([1, 1, 1, 1, 1, 1], 0), row([1, 1, 1, 1, 0, 0], 0)]),
    tokenTypeIds: matrix([row([0, 0, 0, 1, 1, 1], 0), row([0, 0, 1, 1, 0, 0], 0)]),
  };
  return { ...inputs, ...labelsOf(className, row, matrix) };
}

function labelsOf(
  className: string,
  row: (values: number[], filler: number) => number[],
  matrix: (rows: number[][]) => tf.Tensor2D,
): NamedTensors {
  const masked = () =>
    matrix([row([-100, 6, -100, 30, -100, 0], -100), row([19, -100, 4, -100, -100, -100], -100)]);
  const replaced = () => matrix([row([0, 1, 0, 0, 1, 0], 0), row([1, 0, 0, 1, 0, 0], 0)]);
  const pair = () => tf.tensor1d([1, 0], 'int32');
  switch (className) {
    case 'BertForPreTraining':
      return { labels: masked(), nextSentenceLabel: pair() };
    case 'AlbertForPreTraining':
      return { labels: masked(), sentenceOrderLabel: pair() };
    case 'ElectraForPreTraining':
      return { labels: replaced() };
    default:
      if (className.endsWith('Model')) return {};
      return { labels: className.endsWith('ForMaskedLM') ? masked() : pair() };
  }
}
