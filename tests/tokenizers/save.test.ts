import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  byteLevelBpeTokenizer,
  loadTokenizer,
  plainBpeTokenizer,
  robertaFrame,
  saveTokenizer,
  type Tokenizer,
  trainByteLevelBpe,
  trainPlainBpe,
  trainUnigram,
  trainWordPiece,
  unigramTokenizer,
  wordPieceTokenizer,
} from '../../src/tokenizers/index.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'saved-'));
});
afterAll(() => rm(folder, { recursive: true }));

const texts = [
  'The quick brown fox jumps over the lazy dog.',
  'She sells sea shells; the shells she sells are sea-shells!',
  'Café, naïve, 中文 and 12,000 more: don’t stop.',
];
const specialTokens = { cls: '<s>', sep: '</s>', pad: '<pad>', mask: '<mask>', bos: '<s>', eos: '</s>' };
const fixture = (kind: string): Promise<Tokenizer> =>
  loadTokenizer(fileURLToPath(new URL(`./fixtures/${kind}`, import.meta.url)));

const kinds: Record<string, () => Tokenizer | Promise<Tokenizer>> = {
  WordPiece: () => wordPieceTokenizer(trainWordPiece(texts, { vocabSize: 120 })),
  'cased WordPiece': () =>
    wordPieceTokenizer(trainWordPiece(texts, { vocabSize: 120, lowercase: false }), { lowercase: false }),
  'byte-level BPE': () =>
    byteLevelBpeTokenizer(
      trainByteLevelBpe(texts, { vocabSize: 300, specialTokens: ['<s>', '<pad>', '</s>', '<mask>'] }),
      { specialTokens, template: robertaFrame('<s>', '</s>') },
    ),
  'plain BPE': () => plainBpeTokenizer(trainPlainBpe(texts, { vocabSize: 150 })),
  unigram: () => unigramTokenizer(trainUnigram(texts, { vocabSize: 100 })),
  'a loaded RoBERTa tokenizer': () => fixture('roberta'),
  'a loaded LLaMA tokenizer': () => fixture('llama2'),
};

it.each(Object.entries(kinds))('%s is the same after it was saved and loaded', async (name, make) => {
  const tokenizer = await make();
  const path = join(folder, name);
  await saveTokenizer(path, tokenizer);
  const loaded = await loadTokenizer(path);
  expect(loaded.vocabSize).toBe(tokenizer.vocabSize);
  expect(loaded.specialIds).toEqual(tokenizer.specialIds);
  const unseen = ['A fox in Ω  boxes, [MASK] and <mask>?', ' lazy  <pad>sea '];
  for (const text of [...texts, ...unseen, '']) {
    const encoding = tokenizer.encode(text);
    expect(loaded.encode(text), text).toEqual(encoding);
    expect(loaded.decode(encoding.inputIds)).toBe(tokenizer.decode(encoding.inputIds));
  }
  const options = { pair: 'The dog.', maxLength: 9 };
  expect(loaded.encode(texts[1] ?? '', options)).toEqual(tokenizer.encode(texts[1] ?? '', options));
});
