/** Writing safetensors files, as transformers and every other reader of the format take them. */
import { open, rename, rm } from 'node:fs/promises';
import type { TensorData } from './safetensors.ts';

/**
 * Writes tensors, float32 as F32 and int32 as I32, in the order given. The file appears under its name only when it is
 * complete: a failure on the way leaves what was there before.
 *
 * @param metadata free text; transformers wants `format: 'pt'`
 */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): Promise<void> {
  const header: Array<[string, unknown]> = [['__metadata__', metadata]];
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    const size = shape.reduce((product, side) => product * side, 1);
    if (size !== values.length)
      throw new RangeError(`${name}: [${shape}] does not hold ${values.length} numbers`);
    const dtype = values instanceof Float32Array ? 'F32' : 'I32';
    header.push([name, { dtype, shape, data_offsets: [offset, offset + values.byteLength] }]);
    offset += values.byteLength;
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  // The header is filled up with spaces, so that the numbers start at a multiple of 8 and can be mapped into memory.
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);

  const draft = `${path}.${process.pid}.part`;
  const handle = await open(draft, 'w');
  try {
    try {
      await handle.writeFile(head);
      for (const { values } of tensors.values()) {
        await handle.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
      }
    } finally {
      await handle.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
