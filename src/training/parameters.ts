/** Walking the nested objects that hold a model's parameters. */

import * as tf from '@tensorflow/tfjs-core';
import { InputError } from '../errors.ts';

/**
 * Every tensor of a tree of objects and arrays with its path, such as `encoder.layers.0.output.weight`. A tensor that
 * stands in several places (a tied head, a shared layer) comes once, under the first.
 */
export function namedTensors(tree: object): Map<string, tf.Tensor> {
  const found = new Map<string, tf.Tensor>();
  const seen = new Set<tf.Tensor>();
  const visit = (node: unknown, path: string): void => {
    if (node instanceof tf.Tensor) {
      if (!seen.has(node)) found.set(path, node);
      seen.add(node);
    } else if (typeof node === 'object' && node !== null) {
      for (const [key, child] of Object.entries(node)) visit(child, path === '' ? key : `${path}.${key}`);
    }
  };
  visit(tree, '');
  return found;
}

/** The variables of a tree: what training changes. Throws an InputError if there is none. */
export function namedVariables(tree: object): Map<string, tf.Variable> {
  const variables = new Map<string, tf.Variable>();
  for (const [name, tensor] of namedTensors(tree)) {
    if (tensor instanceof tf.Variable && tensor.trainable) variables.set(name, tensor);
  }
  if (variables.size === 0) {
    throw new InputError(
      'there is nothing to train: the parameters hold no variable; wrap them in trainable(params)',
    );
  }
  return variables;
}

/**
 * The same tree with a variable in place of each tensor: what `train` changes in place. The variables take the
 * tensors over, so do not use those afterwards (`cloneParameters` first where you must). One tensor in two places
 * becomes one variable in two places. Tensors that stay plain tensors in a tree given to `train` are frozen.
 */
export function trainable<P extends object>(params: P): P;
export function trainable(params: object): object {
  const given = new Set<tf.Tensor>();
  const result = mapTensors(params, (tensor) => {
    if (tensor instanceof tf.Variable) return tensor;
    given.add(tensor);
    return tf.variable(tensor);
  });
  tf.dispose([...given]);
  return result;
}

/** A copy of the tree in plain tensors that later training leaves alone. The caller disposes it. */
export function cloneParameters<P extends object>(params: P): P;
export function cloneParameters(params: object): object {
  // A variable points at new data after each update, so its clone keeps the numbers of today.
  return mapTensors(params, (tensor) => tf.clone(tensor));
}

/** Disposes every tensor of the tree. */
export function disposeParameters(params: object): void {
  tf.dispose([...namedTensors(params).values()]);
}

/** How many numbers the tree holds, shared tensors counted once. */
export function parameterCount(params: object): number {
  return [...namedTensors(params).values()].reduce((sum, tensor) => sum + tensor.size, 0);
}

function mapTensors(tree: object, map: (tensor: tf.Tensor) => tf.Tensor): object {
  const done = new Map<object, unknown>();
  const visit = (node: unknown): unknown => {
    if (typeof node !== 'object' || node === null) return node;
    // Shared branches stay shared: a layer used six times is one object before and after.
    if (done.has(node)) return done.get(node);
    const result =
      node instanceof tf.Tensor
        ? map(node)
        : Array.isArray(node)
          ? node.map(visit)
          : Object.fromEntries(Object.entries(node).map(([key, child]) => [key, visit(child)]));
    done.set(node, result);
    return result;
  };
  const result = visit(tree);
  if (typeof result !== 'object' || result === null)
    throw new InputError('parameters must be an object of tensors');
  return result;
}
