/** Writing new keys and values into the cache of decoding, where it lies (src/core/growing.ts). */

import type * as tf from '@tensorflow/tfjs-core';
import { addKernel, missing } from './kernel.ts';
import { runEach } from './program.ts';

export function registerCacheWrite(): void {
  addKernel('LabCacheWrite', ({ backend, inputs: { buffer = missing(), update = missing() }, attrs }) => {
    const { rows } = attrs;
    if (!Array.isArray(rows)) throw new TypeError('LabCacheWrite: rows must be a list');
    const [batch = 0, groups = 0, room = 0, width = 0] = buffer.shape;
    const count = Number(attrs.count);
    const size = batch * groups * count * width;
    if (size > 0) {
      const inOrder = rows.every((from, row) => from === row);
      const sources = inOrder
        ? undefined
        : backend.makeTensorInfo([batch], 'int32', Int32Array.from(rows.map(Number)));
      runEach(backend, {
        name: inOrder ? 'cache write' : 'cache write of chosen rows',
        inputs: sources === undefined ? { added: update } : { added: update, sources },
        output: buffer,
        count: size,
        integers: {
          groups,
          room,
          width,
          written: count,
          held: update.shape[2] ?? 0,
          position: Number(attrs.position),
        },
        code: `
          fn at(i: i32) {
            let column = i % uniforms.width;
            let place = i / uniforms.width % uniforms.written;
            let group = i / (uniforms.width * uniforms.written) % uniforms.groups;
            let row = i / (uniforms.width * uniforms.written * uniforms.groups);
            let source = ${inOrder ? 'row' : 'sources[row]'};
            let start = ((row * uniforms.groups + group) * uniforms.room + uniforms.position + place) * uniforms.width;
            result[start + column] = added[((source * uniforms.groups + group) * uniforms.held + place) * uniforms.width + column];
          }`,
      });
      if (sources !== undefined) backend.disposeData(sources.dataId);
      // The numbers that an earlier reading left on the processor are those of before.
      Reflect.set(backend.tensorMap.get(buffer.dataId), 'values', null);
    }
    backend.incRef(buffer.dataId);
    const written: tf.TensorInfo = { dataId: buffer.dataId, shape: buffer.shape, dtype: buffer.dtype };
    return [written];
  });
}
