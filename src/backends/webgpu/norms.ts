/**
 * Layer and root-mean-square norms (src/core/norm.ts has the formulas and their sources): a workgroup a row. A layer
 * norm has a shift and subtracts the mean, the other has none and does not.
 */

import { addKernel, missing } from './kernel.ts';
import { makeTensor, rowsOf, runProgram } from './program.ts';
import { reductions, threadsFor } from './reduce.ts';
import { sumColumns } from './sums.ts';

/** Rows whose shares of the gains' gradient are added up before they are written. */
const GROUPS = 128;

/** `mean` and `scale` = 1/√(variance + eps) of the row that starts at `base`. */
const moments = (centred: boolean): string => `
  let mean = ${centred ? 'meanOf(base)' : '0.0'};
  let scale = scaleOf(base, mean);`;

const MOMENTS = `
  fn meanOf(base: i32) -> f32 {
    var sum = 0.0;
    for (var c = i32(localIndex); c < uniforms.width; c += THREADS) { sum += x[base + c]; }
    return sumOf(sum) / f32(uniforms.width);
  }
  fn scaleOf(base: i32, mean: f32) -> f32 {
    var sum = 0.0;
    for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
      let d = x[base + c] - mean;
      sum += d * d;
    }
    return 1.0 / sqrt(sumOf(sum) / f32(uniforms.width) + uniforms.eps);
  }`;

export function registerNorms(): void {
  addKernel('LabNorm', ({ backend, inputs: { x = missing(), weight = missing(), bias }, attrs }) => {
    const { rows, width } = rowsOf(x);
    const threads = threadsFor(width);
    const output = makeTensor(backend, x.shape);
    const centred = bias !== undefined;
    runProgram(backend, {
      name: centred ? 'layer norm' : 'root-mean-square norm',
      inputs: centred ? { x, weight, bias } : { x, weight },
      output,
      threads,
      workgroups: rows,
      integers: { rows, width },
      numbers: { eps: Number(attrs.eps) },
      code: `${reductions(threads)}${MOMENTS}
        fn main(index: i32) {
          let base = min(index / THREADS, uniforms.rows - 1) * uniforms.width;
          ${moments(centred)}
          for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
            result[base + c] = (x[base + c] - mean) * scale * weight[c]${centred ? ' + bias[c]' : ''};
          }
        }`,
    });
    return [output];
  });

  // With n = (x − mean) · scale and g = dy · weight: dx = scale · (g − mean(g) − n · mean(g·n)), the gain's gradient is
  // Σ dy·n, the shift's Σ dy. Each workgroup takes some rows and leaves its share of the two sums.
  addKernel('LabNormGradient', ({ backend, inputs, attrs }) => {
    const { x = missing(), weight = missing(), dy = missing() } = inputs;
    const { rows, width } = rowsOf(x);
    const threads = threadsFor(width);
    const rowsPerGroup = Math.ceil(rows / GROUPS);
    const groups = Math.ceil(rows / rowsPerGroup);
    const centred = attrs.centred === true;
    const dx = makeTensor(backend, x.shape);
    const shares = makeTensor(backend, [groups, 2, width]);
    runProgram(backend, {
      name: centred ? 'layer norm gradient' : 'root-mean-square norm gradient',
      inputs: { x, weight, dy },
      output: dx,
      more: { madeShares: shares },
      threads,
      workgroups: groups,
      integers: { rows, width, rowsPerGroup },
      numbers: { eps: Number(attrs.eps) },
      code: `${reductions(threads)}${MOMENTS}
        fn main(index: i32) {
          let group = index / THREADS;
          let share = group * 2 * uniforms.width;
          for (var k = 0; k < uniforms.rowsPerGroup; k += 1) {
            let row = group * uniforms.rowsPerGroup + k;
            let counts = row < uniforms.rows;
            let base = min(row, uniforms.rows - 1) * uniforms.width;
            ${moments(centred)}
            var sum = 0.0;
            var products = 0.0;
            for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
              let g = dy[base + c] * weight[c];
              sum += g;
              products += g * (x[base + c] - mean) * scale;
            }
            let meanG = ${centred ? 'sumOf(sum) / f32(uniforms.width)' : '0.0'};
            let meanProduct = sumOf(products) / f32(uniforms.width);
            if (counts) {
              for (var c = i32(localIndex); c < uniforms.width; c += THREADS) {
                let d = dy[base + c];
                let n = (x[base + c] - mean) * scale;
                result[base + c] = scale * (d * weight[c] - meanG - n * meanProduct);
                let gain = d * n;
                let at = share + c;
                if (k == 0) {
                  madeShares[at] = gain;
                  madeShares[at + uniforms.width] = d;
                } else {
                  madeShares[at] += gain;
                  madeShares[at + uniforms.width] += d;
                }
              }
            }
          }
        }`,
    });
    const sums = sumColumns(backend, shares, groups, [2, width], 1);
    backend.disposeData(shares.dataId);
    return [dx, sums];
  });
}
