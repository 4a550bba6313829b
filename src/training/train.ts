/** The training loop. */

import '../core/gradients.ts';
import * as tf from '@tensorflow/tfjs-core';
import { hostInterrupt } from '../core/interrupt.ts';
import { InputError } from '../errors.ts';
import { addGradients, clipByGlobalNorm } from './gradients.ts';
import type { Optimizer } from './optimizer.ts';
import { namedVariables } from './parameters.ts';
import { consoleProgress, type Progress } from './progress.ts';
import type { Schedule } from './schedules.ts';

/** A scalar, or several by name of which the one named `loss` is minimised and the rest reported. */
export type Losses = tf.Tensor | ({ loss: tf.Tensor } & Record<string, tf.Tensor>);

export interface StepReport {
  /** Counted from 1. */
  step: number;
  loss: number;
  learningRate: number;
  /** The norm of the gradient before clipping; only with `clipNorm`. */
  gradientNorm?: number;
  /** The other scalars that the loss function returned. */
  metrics: Record<string, number>;
}

export interface Training<P extends object, B> {
  /** The parameters: its variables are trained in place, its plain tensors are frozen. See `trainable`. */
  params: P;
  /** The loss of one batch, made of TensorFlow operations on the parameters. `step` counts from 0. */
  loss: (params: P, batch: B, step: number) => Losses;
  /**
   * Batches in order: a list, or a function that gives those of an epoch (0, 1, …), called again when they run out.
   * A batch is best plain data that the loss makes tensors of; tensors in it stay the caller's to dispose.
   */
  batches: Iterable<B> | ((epoch: number) => Iterable<B> | AsyncIterable<B>);
  optimizer: Optimizer;
  /** The learning rate of each update. */
  schedule: Schedule | number;
  /** The number of updates after which training is complete, those of an interrupted run included. */
  steps: number;
  /** Batches whose gradients are averaged for one update. Default 1. */
  accumulate?: number;
  /** The largest norm of the gradient, taken over all parameters. Default: no limit. */
  clipNorm?: number;
  /** Called with each step, in order, up to `reportEvery` steps late. What it returns is not waited for. */
  onStep?: (report: StepReport) => void;
  /** How many steps are read from the device at once. Default 5. */
  reportEvery?: number;
  /** Ends training after the step that is under way. So does the interrupt button of a notebook, in any case. */
  signal?: AbortSignal;
  /** Where progress is shown: by default on standard error; false for nowhere. */
  progress?: Progress | false;
}

export interface TrainingResult {
  /** Updates made in all, by the optimiser's own count. */
  steps: number;
  /** True if the signal ended it. */
  interrupted: boolean;
  /** The steps of this run. */
  history: StepReport[];
}

/**
 * Trains until `steps` updates are made. Nothing is read from the device until `reportEvery` losses have gathered, so
 * the device is never waited for between steps; the event loop turns once a step, so that charts are drawn and a
 * signal is heard.
 *
 * An optimiser that has made k updates continues at step k, with the batches it would have seen: to resume an
 * interrupted run, call again with the same arguments, or with an optimiser whose state was restored.
 *
 * Throws an InputError if the loss is not one finite number: then the parameters are spoiled too.
 */
export async function train<P extends object, B>(training: Training<P, B>): Promise<TrainingResult> {
  const { params, loss, optimizer, steps, accumulate = 1, clipNorm, onStep, reportEvery = 5 } = training;
  const signals = [training.signal, hostInterrupt()].filter((signal) => signal !== undefined);
  const signal = AbortSignal.any(signals);
  checkOptions(training);
  const { schedule } = training;
  const rateAt = typeof schedule === 'number' ? () => schedule : schedule;
  const parameters = namedVariables(params);
  const progress =
    training.progress === false ? undefined : (training.progress ?? consoleProgress('training'));
  const history: StepReport[] = [];
  const pending: Pending[] = [];

  const flush = async (): Promise<void> => {
    for (const report of await readSteps(pending.splice(0))) {
      if (!Number.isFinite(report.loss)) throw spoiled(report);
      history.push(report);
      onStep?.(report);
      progress?.report(report.step, steps, `loss ${report.loss.toFixed(4)}`);
    }
  };

  const source = batchStream(training.batches);
  try {
    for (let i = 0; i < optimizer.step * accumulate; i++) await nextBatch(source, i);
    while (optimizer.step < steps && !signal.aborted) {
      const step = optimizer.step;
      const batches: B[] = [];
      for (let i = 0; i < accumulate; i++) batches.push(await nextBatch(source, step * accumulate + i));
      const learningRate = rateAt(step);
      const { names, scalars } = update(
        parameters,
        batches.map((batch) => () => loss(params, batch, step)),
        {
          optimizer,
          learningRate,
          clipNorm,
        },
      );
      pending.push({ step: step + 1, learningRate, names, scalars });
      if (pending.length >= reportEvery) await flush();
      await tf.nextFrame();
    }
    await flush();
  } finally {
    tf.dispose(pending.map(({ scalars }) => scalars));
    progress?.end();
    await source.return(undefined);
  }
  return { steps: optimizer.step, interrupted: optimizer.step < steps, history };
}

/** One update from the mean gradient of some batches. Returns the mean of each scalar they report, as one tensor. */
function update(
  parameters: ReadonlyMap<string, tf.Variable>,
  losses: readonly (() => Losses)[],
  how: { optimizer: Optimizer; learningRate: number; clipNorm: number | undefined },
): { names: string[]; scalars: tf.Tensor } {
  let names: string[] = [];
  const scalars = tf.tidy(() => {
    let gradients = new Map<string, tf.Tensor>();
    let sums: tf.Tensor | undefined;
    for (const lossOf of losses) {
      const one = differentiate(parameters, lossOf);
      names = one.names;
      gradients = addGradients(gradients, one.gradients);
      sums = sums === undefined ? one.scalars : tf.add(sums, one.scalars);
    }
    if (losses.length > 1) {
      gradients = new Map([...gradients].map(([name, gradient]) => [name, tf.div(gradient, losses.length)]));
    }
    let reported = tf.div(sums ?? tf.zeros([names.length]), losses.length);
    if (how.clipNorm !== undefined) {
      const clipped = clipByGlobalNorm(gradients, how.clipNorm);
      gradients = clipped.gradients;
      names = [...names, GRADIENT_NORM];
      reported = tf.concat([reported, tf.reshape(clipped.norm, [1])]);
    }
    how.optimizer.update(parameters, gradients, how.learningRate);
    return reported;
  });
  return { names, scalars };
}

const GRADIENT_NORM = 'gradient norm';

function differentiate(
  parameters: ReadonlyMap<string, tf.Variable>,
  lossOf: () => Losses,
): { names: string[]; scalars: tf.Tensor; gradients: Map<string, tf.Tensor> } {
  let names: string[] = [];
  let scalars: tf.Tensor | undefined;
  const { value, grads } = tf.variableGrads(() => {
    const losses = lossOf();
    const named = losses instanceof tf.Tensor ? { loss: losses } : losses;
    for (const [name, scalar] of Object.entries(named)) {
      if (scalar.size !== 1) {
        throw new InputError(
          `the loss function must return scalars, but ${name} has the shape [${scalar.shape}]`,
        );
      }
    }
    names = Object.keys(named);
    const flat = Object.values(named).map((scalar) => tf.reshape(tf.cast(scalar, 'float32'), []));
    scalars = tf.keep(tf.stack(flat)); // past the end of the gradient's own scope
    return tf.reshape<tf.Rank.R0>(named.loss, []);
  }, [...parameters.values()]);
  value.dispose();
  const gradients = new Map<string, tf.Tensor>();
  for (const [name, parameter] of parameters) {
    const gradient = grads[parameter.name];
    if (gradient !== null && gradient !== undefined) gradients.set(name, gradient);
  }
  if (scalars === undefined) throw new InputError('the loss function was not called');
  const tidied = tf.clone(scalars); // into the scope of the update
  scalars.dispose();
  return { names, scalars: tidied, gradients };
}

interface Pending {
  step: number;
  learningRate: number;
  names: string[];
  scalars: tf.Tensor;
}

/** Reads the scalars of several steps in one go, and disposes them. */
async function readSteps(pending: readonly Pending[]): Promise<StepReport[]> {
  if (pending.length === 0) return [];
  const all = tf.concat(pending.map(({ scalars }) => scalars));
  tf.dispose(pending.map(({ scalars }) => scalars));
  const values = await all.data();
  all.dispose();
  let at = 0;
  return pending.map(({ step, learningRate, names }) => {
    const metrics: Record<string, number> = {};
    for (const name of names) metrics[name] = values[at++] ?? Number.NaN;
    const { loss = Number.NaN, [GRADIENT_NORM]: gradientNorm, ...rest } = metrics;
    return {
      step,
      loss,
      learningRate,
      ...(gradientNorm === undefined ? {} : { gradientNorm }),
      metrics: rest,
    };
  });
}

async function* batchStream<B>(batches: Training<object, B>['batches']): AsyncGenerator<B, undefined> {
  for (let epoch = 0; ; epoch++) {
    let any = false;
    for await (const batch of typeof batches === 'function' ? batches(epoch) : batches) {
      any = true;
      yield batch;
    }
    if (!any) return undefined;
  }
}

async function nextBatch<B>(source: AsyncGenerator<B, undefined>, index: number): Promise<B> {
  const result = await source.next();
  if (result.done === true) {
    throw new InputError(
      `there is no batch number ${index}: give a list of batches, or a function that makes those of an epoch`,
    );
  }
  return result.value;
}

function checkOptions<P extends object, B>({
  steps,
  accumulate = 1,
  reportEvery = 5,
  clipNorm,
  optimizer,
}: Training<P, B>): void {
  for (const [name, value] of Object.entries({ steps, accumulate, reportEvery })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new InputError(`train: ${name} must be a whole number of at least 1, got ${value}`);
    }
  }
  if (clipNorm !== undefined && !(clipNorm > 0))
    throw new InputError(`train: clipNorm must be positive, got ${clipNorm}`);
  if (optimizer.step >= steps) {
    throw new InputError(
      `train: the optimizer has made ${optimizer.step} updates already and steps is ${steps}: raise steps to continue, or make a new optimizer`,
    );
  }
}

function spoiled({ step, loss, learningRate }: StepReport): InputError {
  return new InputError(
    `the loss became ${loss} at step ${step}, at a learning rate of ${learningRate}: ` +
      'the parameters are spoiled; start again with a lower learning rate, a longer warm-up or clipNorm, ' +
      'and look for a division by zero or a logarithm of zero in the loss',
  );
}
