/**
 * Matrix products of larger matrices: a workgroup makes a tile of 64 × 64 numbers of the result, each thread 4 × 4 of them in
 * registers, from blocks of both factors in shared memory (the way of Goto and van de Geijn, 2008, "Anatomy of
 * high-performance matrix multiplication", on a GPU). TensorFlow.js reads a transposed right factor, which every linear
 * layer has, number by number from places far apart; here neighbouring threads read neighbours whatever is transposed.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';
import * as tf from '@tensorflow/tfjs-core';
import { replaceKernel } from './kernel.ts';
import { makeTensor, runProgram } from './program.ts';
import { sumColumns } from './sums.ts';

/** Rows and columns of a tile, the depth of a block, and the threads that share them: 4 × 4 results each. */
const TILE = 64;
const DEPTH = 16;
const THREADS = 256;
/** In vectors of 4, with one more than a tile has: so that the threads of a write meet different banks of the memory. */
const STRIDE = TILE / 4 + 1;
/** Smaller results are left to TensorFlow.js: most of a tile would be empty. */
const SMALLEST = 32;
/** Fewer tiles do not fill a GPU; long sums are then divided among several, each of so many terms at least. */
const ENOUGH_TILES = 256;
const SHORTEST_SHARE = 256;

export interface Factors {
  /** [..., M, K], or [..., K, M] if transposed. */
  readonly a: tf.TensorInfo;
  /** [..., K, N], or [..., N, K] if transposed. */
  readonly b: tf.TensorInfo;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** [N], added to each row. */
  readonly bias?: tf.TensorInfo | undefined;
}

/** a · b + bias, [..., M, N]; undefined for cases that are left to TensorFlow.js. */
export function multiply(backend: WebGPUBackend, factors: Factors): tf.TensorInfo | undefined {
  const { a, b, bias, transposeA, transposeB } = factors;
  if ([a, b].some(({ dtype, shape }) => dtype !== 'float32' || shape.length < 2)) return undefined;
  const [rowsA = 0, columnsA = 0] = a.shape.slice(-2);
  const [rowsB = 0, columnsB = 0] = b.shape.slice(-2);
  const [m, k] = transposeA ? [columnsA, rowsA] : [rowsA, columnsA];
  const [n, depth] = transposeB ? [rowsB, columnsB] : [columnsB, rowsB];
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const [batchA, batchB] = [tf.util.sizeFromShape(outerA), tf.util.sizeFromShape(outerB)];
  const sameBatch = tf.util.arraysEqual(outerA, outerB);
  if (k !== depth || m < SMALLEST || n < SMALLEST || k === 0) return undefined;
  if (!sameBatch && batchA !== 1 && batchB !== 1) return undefined;
  const outer = tf.broadcast_util.assertAndGetBroadcastShape(outerA, outerB);
  const batches = Math.max(batchA, batchB);
  const [tilesM, tilesN] = [Math.ceil(m / TILE), Math.ceil(n / TILE)];
  const shares = bias === undefined && batches === 1 ? sharesOf(tilesM * tilesN, k) : 1;
  const output = makeTensor(backend, shares === 1 ? [...outer, m, n] : [shares, m, n]);
  runProgram(backend, {
    name: `product ${transposeA ? 'Aᵀ' : 'A'}${transposeB ? 'Bᵀ' : 'B'}${bias === undefined ? '' : ' + bias'}`,
    inputs: bias === undefined ? { a, b } : { a, b, bias },
    output,
    threads: THREADS,
    workgroups: batches * shares * tilesM * tilesN,
    integers: {
      m,
      n,
      k,
      tilesM,
      tilesN,
      shares,
      share: DEPTH * Math.ceil(k / shares / DEPTH),
      batches,
      stepA: batchA === 1 ? 0 : m * k,
      stepB: batchB === 1 ? 0 : k * n,
    },
    code: codeOf(factors),
  });
  if (shares === 1) return output;
  const sum = sumColumns(backend, output, shares, [...outer, m, n], 1);
  backend.disposeData(output.dataId);
  return sum;
}

function sharesOf(tiles: number, k: number): number {
  return Math.max(1, Math.min(8, Math.floor(ENOUGH_TILES / tiles), Math.floor(k / SHORTEST_SHARE)));
}

function codeOf({ transposeA, transposeB, bias }: Factors): string {
  // Which of a block each thread fetches: along the depth, or along rows and columns, whichever lies side by side.
  const [along, across] = ['mine % 16', 'mine / 16'];
  const [depthA, groupA] = transposeA ? [across, along] : [along, across];
  const [depthB, groupB] = transposeB ? [along, across] : [across, along];
  const row = (r: number, x: string): string => `
    sums${r} = fma(vec4<f32>(${x}), right, sums${r});`;
  const store = (r: number): string => `
    if (firstRow + ${r} < uniforms.m) {
      for (var c = 0; c < 4; c += 1) {
        if (firstColumn + c < uniforms.n) {
          result[start + (firstRow + ${r}) * uniforms.n + firstColumn + c] = sums${r}[c]${bias === undefined ? '' : ' + bias[firstColumn + c]'};
        }
      }
    }`;
  return `
    var<workgroup> blockA: array<vec4<f32>, ${DEPTH * STRIDE}>;
    var<workgroup> blockB: array<vec4<f32>, ${DEPTH * STRIDE}>;
    fn readA(start: i32, row: i32, at: i32, end: i32) -> f32 {
      let place = ${transposeA ? 'at * uniforms.m + row' : 'row * uniforms.k + at'};
      return select(0.0, a[start + place], row < uniforms.m && at < end);
    }
    fn readB(start: i32, column: i32, at: i32, end: i32) -> f32 {
      let place = ${transposeB ? 'column * uniforms.k + at' : 'at * uniforms.n + column'};
      return select(0.0, b[start + place], column < uniforms.n && at < end);
    }
    fn main(index: i32) {
      let mine = i32(localIndex);
      let tile = index / ${THREADS};
      // Tiles that run at the same time share blocks of the larger factor, so that only the smaller is fetched often.
      let downFirst = uniforms.tilesM < uniforms.tilesN;
      let tileRow = ${TILE} * select(tile / uniforms.tilesN % uniforms.tilesM, tile % uniforms.tilesM, downFirst);
      let tileColumn = ${TILE} * select(tile % uniforms.tilesN, tile / uniforms.tilesM % uniforms.tilesN, downFirst);
      let part = tile / (uniforms.tilesN * uniforms.tilesM);
      let batch = min(part / uniforms.shares, uniforms.batches - 1);
      let first = part % uniforms.shares * uniforms.share;
      let end = min(first + uniforms.share, uniforms.k);
      let startA = batch * uniforms.stepA;
      let startB = batch * uniforms.stepB;
      var sums0 = vec4<f32>(0.0);
      var sums1 = vec4<f32>(0.0);
      var sums2 = vec4<f32>(0.0);
      var sums3 = vec4<f32>(0.0);
      for (var block = 0; block < uniforms.share; block += ${DEPTH}) {
        let kA = ${depthA};
        let kB = ${depthB};
        let rowA = tileRow + 4 * (${groupA});
        let columnB = tileColumn + 4 * (${groupB});
        let atA = first + block + kA;
        let atB = first + block + kB;
        let fetchedA = vec4<f32>(readA(startA, rowA, atA, end), readA(startA, rowA + 1, atA, end),
          readA(startA, rowA + 2, atA, end), readA(startA, rowA + 3, atA, end));
        let fetchedB = vec4<f32>(readB(startB, columnB, atB, end), readB(startB, columnB + 1, atB, end),
          readB(startB, columnB + 2, atB, end), readB(startB, columnB + 3, atB, end));
        workgroupBarrier(); // the last block is used
        blockA[kA * ${STRIDE} + ${groupA}] = fetchedA;
        blockB[kB * ${STRIDE} + ${groupB}] = fetchedB;
        workgroupBarrier();
        for (var i = 0; i < ${DEPTH}; i += 1) {
          let left = blockA[i * ${STRIDE} + mine / 16];
          let right = blockB[i * ${STRIDE} + mine % 16];
          ${['left.x', 'left.y', 'left.z', 'left.w'].map((x, r) => row(r, x)).join('')}
        }
      }
      let firstRow = tileRow + 4 * (mine / 16);
      let firstColumn = tileColumn + 4 * (mine % 16);
      let start = (batch * uniforms.shares + part % uniforms.shares) * uniforms.m * uniforms.n;
      ${[0, 1, 2, 3].map(store).join('')}
    }`;
}

export function registerMatMul(): void {
  replaceKernel('BatchMatMul', ({ backend, inputs: { a, b }, attrs }) => {
    if (a === undefined || b === undefined) return undefined;
    return multiply(backend, {
      a,
      b,
      transposeA: attrs.transposeA === true,
      transposeB: attrs.transposeB === true,
    });
  });
}
