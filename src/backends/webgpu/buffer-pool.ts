/**
 * The GPU's memory, used again. TensorFlow.js keeps every buffer that was ever made, by its exact size, so that texts of
 * many lengths, or a decoding that sees one key more each time, take more and more. Here the sizes that were not asked
 * for longest are given back as soon as more lies idle than was ever in use at once.
 */

import type { WebGPUBackend } from '@tensorflow/tfjs-backend-webgpu';

/** Takes the place of the backend's own manager, before it has made any buffer. */
export function useBufferPool(backend: WebGPUBackend): BufferPool {
  const pool = new BufferPool(backend.device);
  Reflect.set(backend, 'bufferManager', pool); // of the same methods, but a class of its own
  return pool;
}

export class BufferPool {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  readonly #device: Pick<GPUDevice, 'createBuffer'>;
  readonly #used = new Set<GPUBuffer>();
  /** By size and usage, those asked for longest ago first. */
  readonly #free = new Map<string, GPUBuffer[]>();
  #mostUsed = 0;

  constructor(device: Pick<GPUDevice, 'createBuffer'>) {
    this.#device = device;
  }

  /** @param reuse false for one that has to be new, because it is mapped */
  acquireBuffer(size: number, usage: GPUBufferUsageFlags, mappedAtCreation = false, reuse = true): GPUBuffer {
    const idle = reuse ? this.#idleOf(size, usage).pop() : undefined;
    const buffer = idle ?? this.#device.createBuffer({ size, usage, mappedAtCreation });
    if (idle === undefined) this.numBytesAllocated += size;
    this.#used.add(buffer);
    this.numBytesUsed += size;
    this.#mostUsed = Math.max(this.#mostUsed, this.numBytesUsed);
    return buffer;
  }

  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    if (!this.#used.delete(buffer)) return;
    this.numBytesUsed -= buffer.size;
    if (!reuse) {
      this.#destroy(buffer);
      return;
    }
    this.#idleOf(buffer.size, buffer.usage).push(buffer);
    this.#giveBack();
  }

  getNumUsedBuffers(): number {
    return this.#used.size;
  }

  getNumFreeBuffers(): number {
    let count = 0;
    for (const buffers of this.#free.values()) count += buffers.length;
    return count;
  }

  dispose(): void {
    for (const buffer of [...this.#used, ...[...this.#free.values()].flat()]) this.#destroy(buffer);
    this.#used.clear();
    this.#free.clear();
    this.numBytesUsed = 0;
  }

  /** The idle buffers of a size, which moves to the end of the queue. */
  #idleOf(size: number, usage: GPUBufferUsageFlags): GPUBuffer[] {
    const key = `${size} ${usage}`;
    const buffers = this.#free.get(key) ?? [];
    this.#free.delete(key);
    this.#free.set(key, buffers);
    return buffers;
  }

  #giveBack(): void {
    for (const [key, buffers] of this.#free) {
      while (this.numBytesAllocated - this.numBytesUsed > this.#mostUsed) {
        const buffer = buffers.pop();
        if (buffer === undefined) break;
        this.#destroy(buffer);
      }
      if (buffers.length > 0) return;
      this.#free.delete(key);
    }
  }

  #destroy(buffer: GPUBuffer): void {
    buffer.destroy();
    this.numBytesAllocated -= buffer.size;
  }
}
