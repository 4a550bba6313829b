/** The GPU's memory: buffers that are asked for again are there, others are given back, and running out is no secret. */

import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { BufferPool } from '../../src/backends/webgpu/buffer-pool.ts';
import { withWrittenInputs } from '../../src/backends/webgpu/outputs.ts';
import { skipWithoutGpu } from './gpu.ts';

const STORAGE = 0x80; // GPUBufferUsage.STORAGE

async function pool(): Promise<BufferPool> {
  await startBackend('webgpu');
  const { WebGPUBackend } = await import('@tensorflow/tfjs-backend-webgpu');
  const backend = tf.backend();
  if (!(backend instanceof WebGPUBackend)) throw new Error('expected webgpu');
  return new BufferPool(backend.device);
}

describe('the pool of buffers', () => {
  it('hands out the same buffer again, to who asks for its size and use', async (context) => {
    skipWithoutGpu(context);
    const buffers = await pool();
    const first = buffers.acquireBuffer(64, STORAGE);
    const second = buffers.acquireBuffer(64, STORAGE);
    expect(second).not.toBe(first);
    buffers.releaseBuffer(first);
    expect([buffers.getNumUsedBuffers(), buffers.getNumFreeBuffers()]).toEqual([1, 1]);
    expect([buffers.numBytesUsed, buffers.numBytesAllocated]).toEqual([64, 128]);
    expect(buffers.acquireBuffer(32, STORAGE)).not.toBe(first);
    expect(buffers.acquireBuffer(64, STORAGE)).toBe(first);
    expect([buffers.numBytesUsed, buffers.numBytesAllocated]).toEqual([160, 160]);
    buffers.dispose();
    expect([buffers.numBytesUsed, buffers.numBytesAllocated]).toEqual([0, 0]);
  });

  it('never holds more than twice what was in use at once, whatever sizes come', async (context) => {
    skipWithoutGpu(context);
    const buffers = await pool();
    for (let size = 4; size <= 4000; size += 4) {
      const buffer = buffers.acquireBuffer(size, STORAGE);
      buffers.releaseBuffer(buffer);
      expect(buffers.numBytesAllocated).toBeLessThanOrEqual(2 * size);
    }
    const last = buffers.acquireBuffer(4000, STORAGE);
    expect(buffers.numBytesAllocated).toBe(4000 + buffers.numBytesAllocated - buffers.numBytesUsed);
    buffers.releaseBuffer(last, false);
    expect(buffers.getNumUsedBuffers()).toBe(0);
    buffers.dispose();
  });
});

describe('where memory runs out', () => {
  it('a reading throws, once', async (context) => {
    skipWithoutGpu(context);
    await startBackend('webgpu');
    const tooLarge = tf.tidy(() => tf.sum(tf.fill([70_000, 70_000], 1)));
    await expect(tooLarge.data()).rejects.toThrow(/the GPU could not compute: Buffer size \(19600000000\)/);
    expect(Array.from(await tf.add(tf.ones([3]), 1).data())).toEqual([2, 2, 2]);
  });
});

describe('a program with several results', () => {
  it('may write the inputs that are named so, and no others', () => {
    const code = `
      @group(0) @binding(1) var<storage, read> madeUp: array<f32>;
      @group(0) @binding(2) var<storage, read> made: array<f32>;
      @group(0) @binding(3) var<storage, read> x: array<f32>;`;
    expect(withWrittenInputs(code).match(/read_write> \w+/g)).toEqual(['read_write> madeUp']);
  });
});
