/**
 * SentencePiece's own normalisation table, the `precompiled_charsmap` of a `tokenizer.json`: a trie of byte sequences
 * in a double array (Aoe, 1989; laid out as in darts-clone), and the texts that they become.
 */

import { InputError } from '../errors.ts';

/**
 * The function of a table in base64: the number of bytes of the trie, the trie, and texts that each end with a zero
 * byte. As in the reference, a grapheme of up to five bytes is looked up whole, and taken for what its first match
 * becomes; all else character by character.
 */
export function precompiledNormalizer(base64: string, source: string): (text: string) => string {
  const bytes = Buffer.from(base64, 'base64');
  const size = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (size === 0 || size % 4 !== 0 || 4 + size > bytes.length) {
    throw new InputError(`${source}: normalizer: precompiled_charsmap is cut off or not a table`);
  }
  const trie = Uint32Array.from({ length: size / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const texts = bytes.subarray(4 + size);

  /** What the shortest prefix in the table becomes, if any. */
  const replacement = (text: string): string | undefined => {
    const start = firstMatch(trie, Buffer.from(text));
    if (start === undefined) return undefined;
    const end = texts.indexOf(0, start);
    return texts.toString('utf8', start, end === -1 ? texts.length : end);
  };
  const known = new Map<string, string | undefined>();
  const look = (text: string): string | undefined => {
    if (!known.has(text)) known.set(text, replacement(text));
    return known.get(text);
  };
  const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
  return (text) => {
    let normalized = '';
    for (const { segment } of graphemes.segment(text)) {
      const whole = Buffer.byteLength(segment) < 6 ? look(segment) : undefined;
      normalized += whole ?? Array.from(segment, (character) => look(character) ?? character).join('');
    }
    return normalized;
  };
}

/** The value of the shortest prefix of the key that the trie holds. */
function firstMatch(trie: Uint32Array, key: Uint8Array): number | undefined {
  // A unit holds, from the low bits up: its label (8), whether a value follows (1), and the offset to its children,
  // which is shifted by 8 more if bit 9 is set. In a unit that is a value, all but the highest bit are the value.
  const childrenOf = (position: number, unit: number): number =>
    position ^ ((unit >>> 10) << ((unit & 0x200) >>> 6));
  let position = childrenOf(0, trie[0] ?? 0);
  for (const byte of key) {
    position ^= byte;
    const unit = trie[position];
    if (byte === 0 || unit === undefined || (unit & 0x800000ff) !== byte) return undefined;
    position = childrenOf(position, unit);
    if ((unit >>> 8) & 1) return (trie[position] ?? 0) & 0x7fffffff;
  }
  return undefined;
}
