/** The key-value cache holds exactly what it was given, in place where the backend can write and joined where it cannot. */

import * as tf from '@tensorflow/tfjs-core';
import { beforeEach, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { canWrite } from '../../src/core/fused-attention.ts';
import { type KeyValue, KeyValueCache, withoutRoom } from '../../src/core/index.ts';

const [ROWS, HEADS, WIDTH] = [2, 3, 5];

/** Keys of `count` tokens: each number tells its row of the batch, head, token and place. */
function keys(rows: number[], firstToken: number, count: number): number[] {
  return rows.flatMap((row) =>
    Array.from({ length: HEADS }, (_, head) =>
      Array.from({ length: count }, (_, token) =>
        Array.from({ length: WIDTH }, (_, i) => 1000 * row + 100 * head + 10 * (firstToken + token) + i),
      ),
    ).flat(2),
  );
}

/** Adds tokens to a layer, the values being the keys negated, and returns what it then holds. */
function add(cache: KeyValueCache, rows: number[], firstToken: number, count: number, layer = 0): number[] {
  return tf.tidy(() => {
    const compute = (): KeyValue => {
      const key = tf.tensor4d(keys(rows, firstToken, count), [rows.length, HEADS, count, WIDTH]);
      return { key, value: tf.neg(key) };
    };
    const { key, value } = withoutRoom(cache.layer(layer)(compute));
    const numbers = Array.from(key.dataSync());
    expect(Array.from(value.dataSync(), (x) => -x)).toEqual(numbers);
    return numbers;
  });
}

describe.each([
  { backend: 'wasm', writes: true },
  { backend: 'cpu', writes: true },
  { backend: 'cpu', writes: false }, // as where there is no kernel, on cuda for example
])('on $backend, which can write: $writes', ({ backend, writes }) => {
  beforeEach(async () => {
    await startBackend(backend);
    if (!writes && tf.getKernel('LabCacheWrite', backend)) tf.unregisterKernel('LabCacheWrite', backend);
    expect(canWrite()).toBe(writes);
  });

  it.each([{ expectedLength: 0 }, { expectedLength: 10 }, { expectedLength: 200 }])(
    'grows token by token, $expectedLength expected',
    (options) => {
      const before = tf.memory().numTensors;
      const cache = new KeyValueCache(options);
      expect(cache.length).toBe(0);
      add(cache, [0, 1], 0, 7);
      for (let token = 7; token < 90; token++) {
        add(cache, [0, 1], token, 1, 1);
        expect(add(cache, [0, 1], token, 1)).toEqual(keys([0, 1], 0, token + 1));
        expect(cache.length).toBe(token + 1);
      }
      expect(cache.bytes).toBe(4 * 2 * ROWS * HEADS * WIDTH * (90 + 83));
      cache.dispose();
      expect(cache.length).toBe(0);
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('forks: rows that were one go separate ways', () => {
    const cache = new KeyValueCache();
    add(cache, [0, 1], 0, 2);
    cache.reorder([1, 1, 0]);
    expect(add(cache, [5, 6, 7], 2, 1)).toEqual(
      [5, 6, 7].flatMap((row, i) => joined([1, 1, 0][i] ?? 0, 2, row, 1)),
    );
    cache.reorder([0, 0, 2]);
    cache.reorder([1, 0, 2]);
    expect(add(cache, [5, 5, 7], 3, 1)).toEqual(
      [5, 5, 7].flatMap((row, i) => joined([1, 1, 0][i] ?? 0, 2, row, 2)),
    );
    cache.dispose();
  });

  it('forgets what was cut off', () => {
    const cache = new KeyValueCache();
    add(cache, [0, 1], 0, 6);
    cache.crop(2);
    expect(cache.length).toBe(2);
    expect(add(cache, [3, 4], 2, 1)).toEqual([0, 1].flatMap((row) => joined(row, 2, row + 3, 1)));
    cache.crop(50);
    expect(cache.length).toBe(3);
    cache.dispose();
  });

  it('computes what comes from the encoder once', () => {
    const cache = new KeyValueCache();
    let calls = 0;
    const compute = (): KeyValue => {
      calls += 1;
      const key = tf.tensor4d(keys([0], 0, 3), [1, HEADS, 3, WIDTH]);
      return { key, value: key };
    };
    const twice = [1, 2].map(() =>
      tf.tidy(() => Array.from(withoutRoom(cache.cross(0)(compute)).key.dataSync())),
    );
    expect(twice).toEqual([keys([0], 0, 3), keys([0], 0, 3)]);
    expect(calls).toBe(1);
    cache.dispose();
  });

  it('lets gradients through while they are recorded', () => {
    const cache = new KeyValueCache();
    add(cache, [0], 0, 2);
    const x = tf.ones([1, HEADS, 1, WIDTH]);
    const slope = tf.grad((added) => {
      const key: tf.Tensor4D = tf.reshape(added, [1, HEADS, 1, WIDTH]);
      const held = withoutRoom(cache.layer(0)(() => ({ key, value: key })));
      return tf.sum(tf.add(tf.mul(held.key, 3), held.value));
    })(x);
    expect(new Set(slope.dataSync())).toEqual(new Set([4]));
    expect(cache.length).toBe(3);
    cache.dispose();
  });
});

/** Keys of a row's first tokens, then of another row's next ones, head by head. */
function joined(row: number, tokens: number, nextRow: number, next: number): number[] {
  const [first, second] = [keys([row], 0, tokens), keys([nextRow], tokens, next)];
  const part = (numbers: number[], head: number, count: number): number[] =>
    numbers.slice(head * count * WIDTH, (head + 1) * count * WIDTH);
  return Array.from({ length: HEADS }, (_, head) => [
    ...part(first, head, tokens),
    ...part(second, head, next),
  ]).flat();
}

it('takes no memory for a token where it is expected', async () => {
  await startBackend('wasm');
  const cache = new KeyValueCache({ expectedLength: 40 });
  add(cache, [0, 1], 0, 1);
  const { numBytes, numTensors } = tf.memory();
  for (let token = 1; token < 40; token++) {
    add(cache, [0, 1], token, 1);
    expect(tf.memory()).toMatchObject({ numBytes, numTensors });
  }
  cache.reorder([1, 0]); // makes the second piece of memory, between which the rows then go to and fro
  const reordered = tf.memory().numBytes;
  for (let i = 0; i < 5; i++) cache.reorder([i % 2, 0]);
  expect(tf.memory().numBytes).toBe(reordered);
  cache.dispose();
});
