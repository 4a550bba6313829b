/**
 * Programs in WGSL run by TensorFlow.js' own backend, so that its pipelines and buffers are reused. Every tensor is
 * handed over as one row of numbers: the code of a program reads `x[i]`, writes `result[i]`, and knows sizes from its
 * uniforms.
 */

import type { WebGPUBackend, WebGPUProgram } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';

export interface Program {
  /** Stands for the code: another code needs another name. */
  readonly name: string;
  /** WGSL with a function `main(index: i32)`, index counting the threads of all workgroups. */
  readonly code: string;
  /** Threads of a workgroup. */
  readonly threads: number;
  readonly workgroups: number;
  /** Read by these names. */
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  /** Written as `result`. */
  readonly output: tf.TensorInfo;
  /** Written too, by names that begin with `made` (outputs.ts). */
  readonly more?: Readonly<Record<string, tf.TensorInfo>>;
  /** Uniforms of type i32. */
  readonly integers?: Readonly<Record<string, number>>;
  /** Uniforms of type f32. */
  readonly numbers?: Readonly<Record<string, number>>;
}

export function runProgram(backend: WebGPUBackend, program: Program): void {
  const { integers = {}, numbers = {} } = program;
  const given = [...Object.entries(program.inputs), ...Object.entries(program.more ?? {})];
  const declared = [
    ...Object.keys(integers).map((name) => `${name} : i32,`),
    ...Object.keys(numbers).map((name) => `${name} : f32,`),
  ];
  const output = flat(program.output);
  const made: WebGPUProgram = {
    shaderKey: `lab ${program.name}`,
    getUserCode: () => program.code,
    variableNames: given.map(([name]) => name),
    uniforms: declared.join(' '),
    outputShape: output.shape,
    workgroupSize: [program.threads, 1, 1],
    dispatchLayout: { x: [0] },
    dispatch: [program.workgroups, 1, 1],
  };
  const uniforms = [
    ...Object.values(integers).map((value) => ({ type: 'int32', data: [value] })),
    ...Object.values(numbers).map((value) => ({ type: 'float32', data: [value] })),
  ];
  const inputs = given.map(([, tensor]) => flat(tensor));
  backend.runWebGPUProgram(made, inputs, output.dtype, uniforms, output);
}

/** A program of one thread for every number of the output; its code has a function `at(i: i32)` that writes it. */
export function runEach(
  backend: WebGPUBackend,
  program: Omit<Program, 'threads' | 'workgroups'> & { count?: number },
): void {
  const threads = 64;
  const count = program.count ?? sizeOf(program.output);
  runProgram(backend, {
    ...program,
    threads,
    workgroups: Math.ceil(count / threads),
    integers: { count, ...program.integers },
    code: `${program.code}
      fn main(index: i32) {
        if (index < uniforms.count) { at(index); }
      }`,
  });
}

/** A tensor of numbers that a program is going to write. */
export function makeTensor(backend: WebGPUBackend, shape: readonly number[]): tf.TensorInfo {
  // Nothing is written where there are no numbers: they are there from the start.
  const values = shape.includes(0) ? new Float32Array(0) : undefined;
  return backend.makeTensorInfo([...shape], 'float32', values);
}

export function sizeOf({ shape }: tf.TensorInfo): number {
  return tf.util.sizeFromShape(shape);
}

/** A tensor as rows of its last axis. */
export function rowsOf(tensor: tf.TensorInfo): { rows: number; width: number } {
  const width = tensor.shape.at(-1) ?? 1;
  return { rows: sizeOf(tensor) / width, width };
}

function flat(tensor: tf.TensorInfo): tf.TensorInfo {
  return { ...tensor, shape: [sizeOf(tensor)] };
}
