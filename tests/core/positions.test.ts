import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startBackend } from '../../src/backends/index.ts';
import { relativePositionBias, relativePositionBucket } from '../../src/core/relative-position.ts';
import {
  interleavedToHalves,
  parseRotary,
  rotaryFieldsSchema,
  rotaryFrequencies,
  rotaryTables,
  rotateHalves,
  rotateInterleaved,
} from '../../src/core/rotary.ts';

await startBackend();

const numbers = z.array(z.number());
const expected = z
  .object({
    rotary: z.array(
      z.object({
        fields: z.looseObject({ max_position_embeddings: z.number() }),
        length: z.number(),
        headWidth: z.number(),
        frequencies: numbers,
        x: numbers,
        turned: numbers,
      }),
    ),
    buckets: z.array(
      z.object({
        bidirectional: z.boolean(),
        numBuckets: z.number(),
        maxDistance: z.number(),
        first: z.number(),
        buckets: numbers,
      }),
    ),
  })
  .parse(JSON.parse(await readFile(new URL('fixtures/positions.json', import.meta.url), 'utf8')));

function furthest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] ?? Number.NaN))));
}

describe.each(expected.rotary)('rotary positions of $fields over $length tokens', (reference) => {
  const { fields, headWidth, length } = reference;
  const config = parseRotary(rotaryFieldsSchema.parse(fields), {
    headWidth,
    maxPositions: fields.max_position_embeddings,
  });

  it('has transformers’ frequencies', () => {
    expect(furthest(rotaryFrequencies(config, length), reference.frequencies)).toBeLessThan(1e-7);
  });

  it('turns queries as transformers does, by range and by ids', async () => {
    const x = tf.tensor4d(reference.x, [1, 3, length, headWidth]);
    const ids = tf.tensor2d([Array.from({ length }, (_, i) => i)], [1, length], 'int32');
    for (const positions of [{ start: 0, count: length }, ids]) {
      const turned = await rotateHalves(x, rotaryTables(config, positions)).data();
      expect(furthest(turned, reference.turned)).toBeLessThan(1e-5);
    }
  });

  it('is the same for neighbouring pairs, once the features are reordered', async () => {
    const apart = tf.tensor4d(reference.x, [1, 3, length, headWidth]);
    // Feature i of the halves is feature 2i of the neighbours, and feature i + d/2 is 2i + 1.
    const paired: tf.Tensor4D = tf.reshape(
      tf.transpose(tf.reshape(apart, [1, 3, length, 2, headWidth / 2]), [0, 1, 2, 4, 3]),
      apart.shape,
    );
    const tables = rotaryTables(config, { start: 0, count: length });
    const [, , , width] = apart.shape;
    const turned = tf.reshape(rotateInterleaved(paired, tables), [-1, width]);
    const back = interleavedToHalves(tf.transpose(turned), 1);
    expect(furthest(await tf.transpose(back).data(), reference.turned)).toBeLessThan(1e-5);
  });
});

describe('rotary positions', () => {
  const sizes = { headWidth: 6, maxPositions: 20 };

  it('a query and a key meet by their distance alone', async () => {
    const config = parseRotary({ rope_theta: 50 }, sizes);
    const q = tf.tensor4d([0.3, -1, 2, 0.5, 1.5, -0.7], [1, 1, 1, 6]);
    const k = tf.tensor4d([1, 0.2, -0.4, 2, -1.1, 0.9], [1, 1, 1, 6]);
    const score = async (query: number, key: number): Promise<number> => {
      const at = (x: tf.Tensor4D, start: number) =>
        rotateHalves(x, rotaryTables(config, { start, count: 1 }));
      return (await tf.sum(tf.mul(at(q, query), at(k, key))).data())[0] ?? Number.NaN;
    };
    expect(await score(13, 9)).toBeCloseTo(await score(4, 0), 4);
    expect(Math.abs((await score(13, 9)) - (await score(13, 8)))).toBeGreaterThan(1e-2);
  });

  it('the old spelling means what the new one does', () => {
    const old = parseRotary({ rope_theta: 77, rope_scaling: { type: 'linear', factor: 3 } }, sizes);
    const now = parseRotary({ rope_parameters: { rope_type: 'linear', rope_theta: 77, factor: 3 } }, sizes);
    expect(old).toEqual(now);
  });

  it.each([
    [{ rope_scaling: { rope_type: 'yarn', factor: 2 } }, /yarn/],
    [{ rope_scaling: { rope_type: 'linear' } }, /factor/],
    [{ rope_scaling: { rope_type: 'llama3', factor: 2 } }, /low_freq_factor/],
  ])('refuses %j', (fields, message) => {
    expect(() => parseRotary(fields, sizes)).toThrow(message);
    expect(() => parseRotary({}, { ...sizes, headWidth: 5 })).toThrow(/even/);
  });
});

describe('relative positions', () => {
  it.each(expected.buckets)(
    '$numBuckets buckets up to $maxDistance, both ways: $bidirectional',
    (reference) => {
      const found = reference.buckets.map((_, i) => relativePositionBucket(reference.first + i, reference));
      expect(found).toEqual(reference.buckets);
    },
  );

  it('has the buckets that T5’s paper settings are known by', () => {
    const both = { numBuckets: 32, maxDistance: 128, bidirectional: true };
    expect([-8, 1, 8, 64].map((distance) => relativePositionBucket(distance, both))).toEqual([8, 17, 24, 30]);
    const past = { ...both, bidirectional: false };
    expect([-16, -64, 5].map((distance) => relativePositionBucket(distance, past))).toEqual([16, 26, 0]);
  });

  it('the bias of the last queries is the end of the whole bias', async () => {
    const config = { numBuckets: 8, maxDistance: 12, bidirectional: false };
    const table = tf.tensor2d(
      Array.from({ length: 24 }, (_, i) => i * 0.5),
      [8, 3],
    );
    const whole = relativePositionBias(table, 7, 7, config);
    const last = relativePositionBias(table, 2, 7, config);
    expect(last.shape).toEqual([1, 3, 2, 7]);
    expect(await last.data()).toEqual(await tf.slice(whole, [0, 0, 5, 0], [1, 3, 2, 7]).data());
  });
});
