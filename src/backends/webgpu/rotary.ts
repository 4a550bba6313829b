/** Pairs of features turned by their angles (src/core/rotary.ts), forward or, for the gradient, back. */

import { addKernel, missing } from './kernel.ts';
import { makeTensor, runEach } from './program.ts';

export function registerRotary(): void {
  addKernel('LabRotary', ({ backend, inputs, attrs }) => {
    const { x = missing(), cos = missing(), sin = missing() } = inputs;
    const [batch = 0, heads = 0, length = 0, width = 0] = x.shape;
    const output = makeTensor(backend, x.shape);
    runEach(backend, {
      name: 'rotary',
      inputs: { x, cos, sin },
      output,
      count: (batch * heads * length * width) / 2,
      integers: {
        heads,
        length,
        pairs: width / 2,
        tables: cos.shape[0] ?? 1,
        interleaved: attrs.interleaved === true ? 1 : 0,
      },
      numbers: { way: attrs.inverse === true ? -1 : 1 },
      code: `
        fn at(i: i32) {
          let pair = i % uniforms.pairs;
          let row = i / uniforms.pairs;
          let table = select(0, row / (uniforms.length * uniforms.heads), uniforms.tables > 1);
          let angle = (table * uniforms.length + row % uniforms.length) * uniforms.pairs + pair;
          let interleaved = uniforms.interleaved == 1;
          let a = row * 2 * uniforms.pairs + select(pair, 2 * pair, interleaved);
          let b = a + select(uniforms.pairs, 1, interleaved);
          let c = cos[angle];
          let s = sin[angle] * uniforms.way;
          result[a] = x[a] * c - x[b] * s;
          result[b] = x[b] * c + x[a] * s;
        }`,
    });
    return [output];
  });
}
