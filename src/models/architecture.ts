/**
 * What the registry knows of a model class: how its config is read, where its weights are, how it runs. From such a
 * description come models that are loaded, drawn anew, run, and saved, all in the same way.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { type Checkpoint, WEIGHTS_FILE } from '../checkpoints/checkpoint.ts';
import { parseWith } from '../checkpoints/json.ts';
import { initParameters, type LoadOptions, loadParameters, namedValues } from '../checkpoints/parameters.ts';
import { writeSafetensors } from '../checkpoints/safetensors-write.ts';
import {
  leavesOf,
  type ModelWeights,
  pairsOf,
  tensorsOf,
  type WeightLeaf,
} from '../checkpoints/weight-map.ts';
import type { Rng } from '../core/random.ts';
import type { LanguageModel } from '../generation/decoding.ts';
import {
  type GeneratedTokens,
  type GenerationInputs,
  generate,
  streamTokens,
} from '../generation/generate.ts';
import type { GenerationOptions } from '../generation/options.ts';

/** Named tensors. The names are those of Hugging Face's arguments and outputs, in camelCase. */
export type NamedTensors = Readonly<Record<string, tf.Tensor | undefined>>;

/** What every model takes besides its inputs; each family's own type says which components it has. */
export interface RunOptions {
  rng?: Rng | undefined;
  components?: object | undefined;
}

/** A schema for inputs: tensors by name. */
export const tensorInput = z.custom<tf.Tensor>((value) => value instanceof tf.Tensor, 'expected a tensor');

export interface ArchitectureSpec<C, P, I, O extends NamedTensors, X extends RunOptions> {
  /** Hugging Face's name of the class, as in `architectures` of config.json */
  className: string;
  /** `model_type` of config.json */
  family: string;
  /** the paper and section it implements, for the tables in docs/ */
  source: string;
  parseConfig(json: unknown): C;
  weights(config: C): ModelWeights<P>;
  inputs: z.ZodType<I>;
  forward(params: P, inputs: I, config: C, options?: X): O;
  /** How the class generates, if it does. */
  language?: (params: P, config: C) => LanguageModel;
}

/** A model with its weights in memory. */
export interface Model<C = unknown, P = unknown, O extends NamedTensors = NamedTensors, X = RunOptions> {
  readonly className: string;
  readonly family: string;
  readonly config: C;
  readonly params: P;
  /** Runs it on inputs named as Hugging Face's arguments, in camelCase. @throws InputError for an unknown name. */
  forward(inputs: NamedTensors, options?: X): O;
  /** Every tensor with its Hugging Face name, shape and place, a tied one once. */
  weights(): Array<[WeightLeaf, tf.Tensor]>;
  /** The whole weight map, flat: tied names too. */
  leaves(): WeightLeaf[];
  /** What generates, under `generate` and `stream`; undefined where the class does not. */
  readonly language?: LanguageModel;
  /** Whole rows of token ids, all of one length, as transformers gives them. */
  generate?: (inputs: GenerationInputs, options?: GenerationOptions) => Promise<number[][]>;
  /** The new tokens of every row, step by step. */
  stream?: (
    inputs: GenerationInputs,
    options?: GenerationOptions,
  ) => AsyncGenerator<GeneratedTokens, void, undefined>;
  /** The same model over other parameters, such as the variables of a training run. It does not copy them. */
  withParameters(params: P): Model<C, P, O, X>;
  /** Writes config.json and model.safetensors, which transformers loads. */
  save(folder: string): Promise<void>;
  dispose(): void;
}

export interface Architecture<
  C = unknown,
  P = unknown,
  O extends NamedTensors = NamedTensors,
  X = RunOptions,
> {
  readonly className: string;
  readonly family: string;
  readonly source: string;
  parseConfig(json: unknown): C;
  /** What a checkpoint of this config must hold. */
  weights(config: C): ModelWeights<P>;
  /** A model with the weights of a checkpoint. @throws InputError */
  load(configJson: unknown, checkpoint: Checkpoint, options?: ModelOptions): Promise<Model<C, P, O, X>>;
  /** A model with new weights. @throws InputError if the config is wrong. */
  create(configJson: unknown, rng: Rng): Model<C, P, O, X>;
}

/** How a checkpoint is loaded. */
export interface ModelOptions extends LoadOptions {
  /** Generates so unless told otherwise (`generation_config.json`); without it, as config.json says. */
  generation?: GenerationOptions | undefined;
}

/** Makes a model class from its description. */
export function defineArchitecture<C, P, I, O extends NamedTensors, X extends RunOptions>(
  spec: ArchitectureSpec<C, P, I, O, X>,
): Architecture<C, P, O, X> {
  const modelOf = (
    configJson: unknown,
    config: C,
    params: P,
    generation?: GenerationOptions,
  ): Model<C, P, O, X> => {
    const own = spec.language?.(params, config);
    const language = own && generation ? { ...own, defaults: generation } : own;
    return {
      className: spec.className,
      family: spec.family,
      config,
      params,
      forward: (inputs, options) =>
        spec.forward(params, parseWith(spec.inputs, inputs, spec.className), config, options),
      weights: () => pairsOf(spec.weights(config).map, params),
      leaves: () => leavesOf(spec.weights(config).map),
      ...(language && {
        language,
        generate: (inputs, options) => generate(language, inputs, options),
        stream: (inputs, options) => streamTokens(language, inputs, options),
      }),
      save: (folder) => saveModel(folder, spec, configJson, config, params),
      dispose: () => tf.dispose(tensorsOf(params)),
      withParameters: (others) => modelOf(configJson, config, others),
    };
  };
  return {
    className: spec.className,
    family: spec.family,
    source: spec.source,
    parseConfig: (json) => spec.parseConfig(json),
    weights: (config) => spec.weights(config),
    load: async (configJson, checkpoint, options) => {
      const config = spec.parseConfig(configJson);
      const params = await loadParameters(spec.weights(config), checkpoint, options);
      return modelOf(configJson, config, params, options?.generation);
    },
    create: (configJson, rng) => {
      const config = spec.parseConfig(configJson);
      return modelOf(configJson, config, initParameters(spec.weights(config), rng));
    },
  };
}

async function saveModel<C, P>(
  folder: string,
  spec: { className: string; family: string; weights(config: C): ModelWeights<P> },
  configJson: unknown,
  config: C,
  params: P,
): Promise<void> {
  const { torch_dtype: _, ...given } = Object.fromEntries(Object.entries(configJson ?? {}));
  const json = { ...given, model_type: spec.family, architectures: [spec.className], dtype: 'float32' };
  const tensors = await namedValues(pairsOf(spec.weights(config).map, params));
  await mkdir(folder, { recursive: true });
  await writeSafetensors(join(folder, WEIGHTS_FILE), tensors);
  await writeFile(join(folder, 'config.json'), configText(json));
}

/** Fields that transformers wants to be floating-point numbers, and refuses as 0 or 1. */
const FLOAT_FIELDS = /(dropout|drop|prob|std|eps|epsilon|theta|factor|range|penalty)$/;

/** A config as JSON, in which a whole number that stands for a floating-point one has its point: 0.0, not 0. */
export function configText(json: object): string {
  const text = JSON.stringify(json, null, 2);
  // Each field has a line of its own, and no text value spans lines.
  const pointed = text.replace(
    /^( *"(\w+)": -?\d+)(,?)$/gm,
    (line, number: string, field: string, comma: string) =>
      FLOAT_FIELDS.test(field) ? `${number}.0${comma}` : line,
  );
  return `${pointed}\n`;
}
