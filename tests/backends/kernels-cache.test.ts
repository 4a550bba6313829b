/** The cache of decoding is written where it lies, on backends of every kind. */

import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { write } from '../../src/core/fused-attention.ts';
import { KeyValueCache } from '../../src/core/index.ts';
import { skipWithoutGpu } from './gpu.ts';

const [GROUPS, ROOM, WIDTH] = [3, 7, 5];

/** [rows, 3, length, 5], every number another. */
function counted(rows: number, length: number, from: number): tf.Tensor4D {
  const values = Float32Array.from({ length: rows * GROUPS * length * WIDTH }, (_, i) => from + i);
  return tf.tensor4d(values, [rows, GROUPS, length, WIDTH]);
}

describe.each(['cpu', 'wasm', 'webgpu'])('on %s', (backend) => {
  beforeEach(async (context) => {
    if (backend === 'webgpu') skipWithoutGpu(context);
    await startBackend(backend);
  });

  it.each([
    { rows: [0, 1], position: 0, count: 4, held: 4 },
    { rows: [0, 1], position: 6, count: 1, held: 1 },
    { rows: [1, 1], position: 2, count: 3, held: 3 },
    { rows: [2, 0], position: 1, count: 2, held: 6 },
  ])('writes rows $rows at $position, and nothing else', async ({ rows, position, count, held }) => {
    const buffer = counted(2, ROOM, 1);
    const update = counted(3, held, 1000);
    await buffer.data(); // what was read before must not be what is read after
    const expected = await buffer.array();
    const numbers = await update.array();
    for (const [row, from] of rows.entries()) {
      for (let group = 0; group < GROUPS; group++) {
        for (let place = 0; place < count; place++) {
          const target = expected[row]?.[group];
          const vector = numbers[from]?.[group]?.[place];
          if (target !== undefined && vector !== undefined) target[position + place] = vector;
        }
      }
    }
    write(buffer, update, { position, count, rows });
    expect(await tf.add(buffer, 0).array()).toEqual(expected);
    expect(await buffer.array()).toEqual(expected);
    tf.dispose([buffer, update]);
  });

  it('takes no memory for a token where it is expected', async () => {
    const cache = new KeyValueCache({ expectedLength: 40 });
    const token = (i: number): void =>
      tf.tidy(() => {
        cache.layer(0)(() => ({ key: counted(2, 1, i), value: counted(2, 1, -i) }));
      });
    token(0);
    token(1);
    const { numTensors, numDataBuffers } = tf.memory();
    for (let i = 2; i < 40; i++) token(i);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
    const { key } = cache.layer(0)(() => ({ key: counted(2, 1, 40), value: counted(2, 1, 0) }));
    expect(key.shape).toEqual([2, GROUPS, 80, WIDTH]); // there was room for 40
    const held = await tf.slice(key, [0, 0, 0, 0], [1, 1, 41, 1]).data();
    expect(Array.from(held)).toEqual(Array.from({ length: 41 }, (_, i) => i));
    cache.dispose();
  });

  it('leaves alone what was given to it while a gradient was recorded', async () => {
    const given = counted(2, 4, 1);
    const numbers = Array.from(await given.data());
    const cache = new KeyValueCache();
    tf.tidy(() => {
      tf.grad((x) => tf.sum(cache.layer(0)(() => ({ key: tf.reshape(x, given.shape), value: given })).key))(
        given,
      );
    });
    cache.crop(1);
    const next = (): { key: tf.Tensor4D; value: tf.Tensor4D } => ({
      key: counted(2, 1, 500),
      value: counted(2, 1, 700),
    });
    tf.tidy(() => void cache.layer(0)(next));
    cache.reorder([1, 0]);
    cache.reorder([1, 0]);
    const { key } = cache.layer(0)(next);
    const first = await tf.slice(key, [0, 0, 0, 0], [1, 1, 3, 1]).data();
    expect(Array.from(first)).toEqual([1, 500, 500]);
    expect(Array.from(await tf.add(given, 0).data())).toEqual(numbers);
    cache.dispose();
  });
});
