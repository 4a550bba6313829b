/**
 * Makes the memory of a WebAssembly binary shared, so that worker threads compute on the same bytes.
 *
 * TensorFlow.js ships a threaded binary too, but its start-up code creates workers from `blob:` addresses, which Node's
 * worker threads refuse; so under Node it reports no threads at all. The plain binary needs only one bit: the flag
 * `shared` of its memory. Ordinary loads and stores are valid on shared memory (WebAssembly threads proposal).
 */

const HEADER_BYTES = 8;
const MEMORY_SECTION = 5;
const HAS_MAXIMUM = 1;
const HAS_MAXIMUM_AND_SHARED = 3;

/** The binary with its memory shared; undefined if it is not one with a single, bounded memory of its own. */
export function withSharedMemory(binary: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  let at = HEADER_BYTES;
  while (at < binary.length) {
    const section = binary[at];
    const length = readUnsigned(binary, at + 1);
    if (section === MEMORY_SECTION) {
      const memories = binary[length.end];
      if (memories !== 1 || binary[length.end + 1] !== HAS_MAXIMUM) return undefined;
      const patched = Uint8Array.from(binary);
      patched[length.end + 1] = HAS_MAXIMUM_AND_SHARED;
      return patched;
    }
    at = length.end + length.value;
  }
  return undefined;
}

/** A LEB128 number and where it ends. */
function readUnsigned(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  let end = start;
  for (let factor = 1; ; factor *= 128) {
    const byte = bytes[end++] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return { value, end };
  }
}
