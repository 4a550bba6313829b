/**
 * The gradient of a table look-up: what comes back for every use of a row is added up. A workgroup a row of the table
 * looks for its uses, in their order, so that the same step gives the same numbers; TensorFlow.js adds with atomics, in
 * an order that changes, on a transposed copy.
 */

import * as tf from '@tensorflow/tfjs-core';
import { replaceKernel } from './kernel.ts';
import { makeTensor, runProgram, sizeOf } from './program.ts';
import { threadsFor } from './reduce.ts';

export function registerTables(): void {
  replaceKernel('UnsortedSegmentSum', ({ backend, inputs: { x, segmentIds }, attrs }) => {
    const rows = Number(attrs.numSegments);
    if (x === undefined || segmentIds === undefined || rows === 0) return undefined;
    if (x.dtype !== 'float32' || segmentIds.dtype !== 'int32' || sizeOf(x) === 0) return undefined;
    const [uses = 0, ...rest] = x.shape;
    const width = tf.util.sizeFromShape(rest);
    const threads = threadsFor(width);
    const output = makeTensor(backend, [rows, ...rest]);
    runProgram(backend, {
      name: 'table gradient',
      inputs: { x, used: segmentIds },
      output,
      threads,
      workgroups: rows,
      integers: { rows, uses, width },
      code: `
        const THREADS = ${threads};
        var<workgroup> ids: array<i32, THREADS>;
        var<workgroup> found: atomic<u32>;
        fn main(index: i32) {
          // More workgroups may run than there are rows, each of which must be written once.
          let row = index / THREADS;
          let mine = i32(localIndex);
          let base = row * uniforms.width;
          let width = select(0, uniforms.width, row < uniforms.rows);
          for (var c = mine; c < width; c += THREADS) { result[base + c] = 0.0; }
          for (var first = 0; first < uniforms.uses; first += THREADS) {
            if (mine == 0) { atomicStore(&found, 0u); }
            workgroupBarrier();
            let asked = first + mine;
            ids[mine] = select(-1, used[min(asked, uniforms.uses - 1)], asked < uniforms.uses);
            if (ids[mine] == row) { atomicOr(&found, 1u); }
            workgroupBarrier();
            if (atomicLoad(&found) == 1u) {
              for (var k = 0; k < THREADS; k += 1) {
                if (ids[k] == row) {
                  let start = (first + k) * uniforms.width;
                  for (var c = mine; c < width; c += THREADS) { result[base + c] += x[start + c]; }
                }
              }
            }
            workgroupBarrier();
          }
        }`,
    });
    return output;
  });
}
