import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InputError } from '../../src/errors.ts';
import {
  bertWords,
  createVocabulary,
  loadVocabulary,
  saveVocabulary,
  trainWordPiece,
  wordPieces,
  wordPieceTokenizer,
} from '../../src/tokenizers/index.ts';

const ids = z.array(z.number());
const Fixture = z.array(
  z.object({
    lowercase: z.boolean(),
    vocabulary: z.array(z.string()),
    singles: z.array(
      z.object({ text: z.string(), ids, decoded: z.string(), decodedWithoutSpecial: z.string() }),
    ),
    pairs: z.array(
      z.object({ a: z.string(), b: z.string(), maxLength: z.number().nullable(), ids, segments: ids }),
    ),
    batches: z.array(
      z.object({
        texts: z.array(z.string()),
        padding: z.enum(['longest', 'max_length']),
        maxLength: z.number().nullable(),
        input_ids: z.array(ids),
        token_type_ids: z.array(ids),
        attention_mask: z.array(ids),
      }),
    ),
  }),
);

const fixtureFile = new URL('./fixtures/wordpiece.json', import.meta.url);
const fixtures = Fixture.parse(JSON.parse(await readFile(fixtureFile, 'utf8')));

describe.each(fixtures)('the same as Hugging Face, lower-casing $lowercase', (fixture) => {
  const tokenizer = wordPieceTokenizer(createVocabulary(fixture.vocabulary), {
    lowercase: fixture.lowercase,
  });

  it('encodes fuzzed texts to the same ids', () => {
    for (const { text, ids: expected } of fixture.singles) {
      expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(expected);
    }
  });

  it('decodes to the same text, with and without special tokens', () => {
    for (const { ids: given, decoded, decodedWithoutSpecial } of fixture.singles) {
      expect(tokenizer.decode(given)).toBe(decoded);
      expect(tokenizer.decode(given, { skipSpecialTokens: true })).toBe(decodedWithoutSpecial);
    }
  });

  it('encodes pairs with the same segments, cut to the same lengths', () => {
    for (const { a, b, maxLength, ids: expected, segments } of fixture.pairs) {
      const encoding = tokenizer.encode(a, { pair: b, ...(maxLength === null ? {} : { maxLength }) });
      expect(encoding.inputIds, JSON.stringify([a, b, maxLength])).toEqual(expected);
      expect(encoding.tokenTypeIds).toEqual(segments);
    }
  });

  it('pads batches with the same attention mask', () => {
    for (const { texts, padding, maxLength, ...expected } of fixture.batches) {
      const batch = tokenizer.encodeBatch(texts, {
        padding: padding === 'longest' ? 'longest' : 'maxLength',
        ...(maxLength === null ? {} : { maxLength }),
      });
      expect(batch.inputIds).toEqual(expected.input_ids);
      expect(batch.tokenTypeIds).toEqual(expected.token_type_ids);
      expect(batch.attentionMask).toEqual(expected.attention_mask);
    }
  });
});

describe('words and pieces', () => {
  it('splits punctuation, drops accents and sets ideographs apart', () => {
    expect(bertWords("Don't touch the CAFÉ's 中文, OK?")).toEqual(
      ['don', "'", 't', 'touch', 'the', 'cafe', "'", 's', '中', '文', ',', 'ok', '?'], //
    );
    expect(bertWords('Café', { lowercase: false })).toEqual(['Café']);
  });

  it('matches the longest piece first, and gives one unknown token for a whole word', () => {
    const vocabulary = createVocabulary(['[UNK]', 'un', 'una', '##aff', '##ff', '##able', '##a']);
    expect(wordPieces('unaffable', vocabulary)).toEqual(['una', '##ff', '##able']);
    expect(wordPieces('unable', vocabulary)).toEqual(['[UNK]']);
    expect(wordPieces('unaffablx', vocabulary)).toEqual(['[UNK]']);
  });
});

describe('training', () => {
  // The worked example of the Hugging Face course, chapter 6.6: the words hug, pug, pun, bun and hugs, counted.
  const corpus = Object.entries({ hug: 10, pug: 5, pun: 12, bun: 4, hugs: 5 }).flatMap(([word, count]) =>
    new Array<string>(count).fill(word),
  );

  it('merges by count(ab) / (count(a) · count(b)), worked out by hand', () => {
    const { tokens } = trainWordPiece(corpus, { vocabSize: 5 + 7 + 5, minFrequency: 1 });
    expect(tokens.slice(5, 12)).toEqual(['##g', '##n', '##s', '##u', 'b', 'h', 'p']);
    // ##gs 5 / (20 · 5). Then hu, pu and bu all at 1/36, the most frequent first: pu, 17 times. Then hu and bu
    // at 1/19: hu, 15 times. Then bu 4 / (4 · 4). Then hugs 5 / (15 · 5), before bun 4 / (4 · 16).
    expect(tokens.slice(12)).toEqual(['##gs', 'pu', 'hu', 'bu', 'hugs']);
  });

  it('merges the most frequent pair instead when asked to', () => {
    const { tokens } = trainWordPiece(corpus, { vocabSize: 5 + 7 + 2, minFrequency: 1, score: 'frequency' });
    expect(tokens.slice(12)).toEqual(['##ug', '##un']);
  });

  it('stops when no pair is frequent enough, and gives the same vocabulary every time', () => {
    const once = trainWordPiece(corpus, { vocabSize: 1000, minFrequency: 6 });
    expect(once.tokens.length).toBeLessThan(20);
    expect(trainWordPiece(corpus, { vocabSize: 1000, minFrequency: 6 }).tokens).toEqual(once.tokens);
  });

  it('gives a vocabulary that can spell its own corpus', () => {
    const texts = ['The cat sat on the mat.', 'A cat, a hat: that is that!'];
    const tokenizer = wordPieceTokenizer(trainWordPiece(texts, { vocabSize: 60 }));
    for (const text of texts) {
      expect(tokenizer.encode(text).inputIds).not.toContain(tokenizer.specialIds.unk);
    }
    expect(tokenizer.decode(tokenizer.encode('the cat sat.').inputIds, { skipSpecialTokens: true })).toBe(
      'the cat sat.',
    );
  });

  it('refuses texts without a word and a size too small for the characters', () => {
    expect(() => trainWordPiece(['  \n'], { vocabSize: 50 })).toThrow(InputError);
    expect(() => trainWordPiece(['abc'], { vocabSize: 7 })).toThrow(/at least 8/);
  });
});

describe('wrong input', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vocabulary-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const tokenizer = wordPieceTokenizer(createVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'a']));

  it('keeps a vocabulary through a file, line separators and all', async () => {
    const path = join(folder, 'vocab.txt');
    const vocabulary = createVocabulary(['[UNK]', 'a', '\u2028', '##é', '\r']);
    await saveVocabulary(path, vocabulary);
    expect((await loadVocabulary(path)).tokens).toEqual(vocabulary.tokens);
    await writeFile(path, '[UNK]\r\na\r\n');
    expect((await loadVocabulary(path)).tokens).toEqual(['[UNK]', 'a']);
  });

  it('refuses files that are missing, empty, not UTF-8, or hold a token twice', async () => {
    const path = join(folder, 'bad.txt');
    await expect(loadVocabulary(join(folder, 'none.txt'))).rejects.toThrow(InputError);
    for (const content of ['', new Uint8Array([0x61, 0xff, 0x0a]), 'a\nb\na\n']) {
      await writeFile(path, content);
      await expect(loadVocabulary(path)).rejects.toThrow(InputError);
    }
  });

  it('refuses a vocabulary without special tokens, lengths without room, and unknown ids', () => {
    expect(() => wordPieceTokenizer(createVocabulary(['[UNK]', 'a']))).toThrow(/\[PAD\]/);
    expect(() => tokenizer.encode('a', { pair: 'a', maxLength: 2 })).toThrow(/at least 3/);
    expect(() => tokenizer.decode([6])).toThrow(/id 6/);
    expect(() => tokenizer.encode('a', { pair: 'a a a a', maxLength: 5, truncation: 'only_first' })).toThrow(
      /first text/,
    );
  });

  it('takes text that is not well-formed Unicode', () => {
    expect(tokenizer.encode('a\ud800 \udc00a').inputIds).toEqual([2, 5, 5, 3]);
  });
});
