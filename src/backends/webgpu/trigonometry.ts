/**
 * Sine and cosine to float32's precision. WGSL asks of a GPU only an absolute error of 2⁻¹¹ (WebGPU Shading Language,
 * "Accuracy of built-in functions"), which is seen in the logits of a model with rotary positions.
 */

import { replaceKernel } from './kernel.ts';
import { makeTensor, runEach, sizeOf } from './program.ts';

/**
 * sin(x + quarter · π/2), by the Taylor series about the nearest multiple of π/2. π/2 is in three parts of few bits: their
 * products with a whole number below 2¹² are exact.
 */
const SINE = `
  fn sineOf(x: f32, quarter: i32) -> f32 {
    let turns = round(x * 0.63661977237);
    let rest = ((x - turns * 1.5703125) - turns * 4.837512969970703e-4) - turns * 7.54978995489188e-8; // |rest| ≤ π/4
    let s = rest * rest;
    let sine = rest * (1.0 + s * (-1.0 / 6.0 + s * (1.0 / 120.0 + s * (-1.0 / 5040.0 + s / 362880.0))));
    let cosine = 1.0 + s * (-0.5 + s * (1.0 / 24.0 + s * (-1.0 / 720.0 + s / 40320.0)));
    // The quadrant says which of the two, and its sign.
    let quadrant = i32(turns) + quarter;
    let value = select(sine, cosine, (quadrant & 1) == 1);
    return select(value, -value, (quadrant & 2) == 2);
  }`;

/** Replaces the two kernels of the webgpu backend. */
export function registerTrigonometry(): void {
  for (const [name, quarter] of [
    ['Sin', 0],
    ['Cos', 1],
  ] as const) {
    replaceKernel(name, ({ backend, inputs: { x } }) => {
      if (x === undefined || x.dtype !== 'float32' || sizeOf(x) === 0) return undefined;
      const output = makeTensor(backend, x.shape);
      runEach(backend, {
        name,
        inputs: { x },
        output,
        code: `${SINE}
          fn at(i: i32) { result[i] = sineOf(x[i], ${quarter}); }`,
      });
      return output;
    });
  }
}
