import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  bestSegmentation,
  byteLevelBpeTokenizer,
  byteLevelWords,
  byteToCharacter,
  createVocabulary,
  expectedCounts,
  fromByteCharacters,
  mergeByRank,
  mergeRanks,
  pieceTable,
  plainBpeTokenizer,
  robertaFrame,
  toByteCharacters,
  trainByteLevelBpe,
  trainPlainBpe,
  trainUnigram,
  trainWordPiece,
  unigramTokenizer,
} from '../../src/tokenizers/index.ts';

const pair = z.tuple([z.string(), z.string()]);
const cases = z.array(z.object({ text: z.string(), ids: z.array(z.number()), decoded: z.string() }));
const bpe = z.object({
  vocabulary: z.array(z.string()),
  merges: z.array(pair),
  special: z.array(z.string()),
  cases,
});
const Fixture = z.object({
  training: z.object({
    corpus: z.array(z.string()),
    byteLevel: z.array(pair),
    plain: z.array(pair),
    wordPieceLikelihood: z.array(pair),
    wordPieceFrequency: z.array(pair),
  }),
  byteLevel: bpe,
  plain: bpe,
  unigram: z.object({ pieces: z.array(z.tuple([z.string(), z.number()])), cases }),
});
const fixtureFile = new URL('./fixtures/subwords.json', import.meta.url);
const fixture = Fixture.parse(JSON.parse(await readFile(fixtureFile, 'utf8')));
const { corpus } = fixture.training;

describe('byte-pair encoding', () => {
  it('merges in the order of ranks, not from left to right', () => {
    const ranks = mergeRanks([
      ['b', 'c'],
      ['a', 'b'],
      ['a', 'bc'],
      ['a', 'a'],
    ]);
    expect(mergeByRank([...'abc'], ranks)).toEqual(['abc']);
    expect(mergeByRank([...'abab'], ranks)).toEqual(['ab', 'ab']);
    expect(mergeByRank([...'aaa'], ranks)).toEqual(['aa', 'a']);
    expect(mergeByRank([], ranks)).toEqual([]);
  });

  it('encodes and decodes bytes as Hugging Face does, in the frame of RoBERTa', () => {
    const { vocabulary, merges, cases: wanted } = fixture.byteLevel;
    const tokenizer = byteLevelBpeTokenizer(
      { vocabulary: createVocabulary(vocabulary), merges },
      {
        specialTokens: { cls: '<s>', sep: '</s>', pad: '<pad>', mask: '<mask>' },
        template: robertaFrame('<s>', '</s>'),
      },
    );
    for (const { text, ids, decoded } of wanted) {
      expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
    expect(tokenizer.encode('a', { pair: 'b' }).tokens).toEqual(['<s>', 'a', '</s>', '</s>', 'b', '</s>']);
  });

  it('encodes and decodes characters as Hugging Face does', () => {
    const { vocabulary, merges, cases: wanted } = fixture.plain;
    const tokenizer = plainBpeTokenizer({ vocabulary: createVocabulary(vocabulary), merges });
    for (const { text, ids, decoded } of wanted) {
      expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it('gives every byte a character of its own, and any text back', () => {
    const table = byteToCharacter();
    expect(new Set(table).size).toBe(256);
    expect(table[0x20]).toBe('Ġ');
    expect(table[0x0a]).toBe('Ċ');
    expect(table[0x41]).toBe('A');
    expect(table[0xad]).toBe('Ń');
    const text = 'naïve \u0000 中文 😀\r\n';
    expect(fromByteCharacters(toByteCharacters(text))).toBe(text);
    expect(byteLevelWords("It's  2\n\n")).toEqual(['It', "'s", ' ', ' 2', '\n\n']);
    expect(byteLevelWords(text).join('')).toBe(text);
  });
});

describe('training merges', () => {
  const { training } = fixture;

  it('learns the merges of byte-level and plain BPE in their order', () => {
    const bytes = trainByteLevelBpe(corpus, { vocabSize: 256 + 2 + 60, specialTokens: ['<a>', '<b>'] });
    expect(bytes.merges).toEqual(training.byteLevel);
    expect(bytes.vocabulary.tokens.slice(0, 2)).toEqual(['<a>', '<b>']);
    expect(bytes.vocabulary.tokens).toHaveLength(256 + 2 + 60);
    const plain = trainPlainBpe(corpus, { vocabSize: 10_000 });
    expect(plain.merges.slice(0, 60)).toEqual(training.plain);
  });

  it('learns the pieces of WordPiece in their order, by either score', () => {
    const glue = ([left, right]: [string, string]): string => left + right.slice(2);
    const learned = (tokens: readonly string[]): string[] =>
      tokens.filter((token) => [...token.replace('##', '')].length > 1).slice(5);
    const likelihood = trainWordPiece(corpus, { vocabSize: 10_000, minFrequency: 3 });
    const unique = [...new Set(training.wordPieceLikelihood.map(glue))];
    expect(learned(likelihood.tokens).slice(0, unique.length)).toEqual(unique);
    const frequency = trainWordPiece(corpus, { vocabSize: 10_000, score: 'frequency' });
    const frequent = [...new Set(training.wordPieceFrequency.map(glue))];
    expect(learned(frequency.tokens).slice(0, frequent.length)).toEqual(frequent);
  });

  it('spells every text with what byte-level training gives', () => {
    const tokenizer = byteLevelBpeTokenizer(trainByteLevelBpe(corpus, { vocabSize: 300 }));
    const text = 'Unseen: 中文 😀 \u0001';
    expect(tokenizer.decode(tokenizer.encode(text).inputIds)).toBe(text);
    expect(() => trainByteLevelBpe(corpus, { vocabSize: 200 })).toThrow('at least 256');
    expect(() => trainPlainBpe([' '], { vocabSize: 200 })).toThrow('no word');
  });
});

describe('the unigram model', () => {
  it('finds the segmentation of Hugging Face', () => {
    const tokenizer = unigramTokenizer(fixture.unigram);
    for (const { text, ids, decoded } of fixture.unigram.cases) {
      expect(tokenizer.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(decoded);
    }
  });

  it('prefers the likelier of two ways to spell a word, and joins unknown characters', () => {
    const table = pieceTable({
      pieces: [
        ['a', -2],
        ['b', -2],
        ['ab', -3.5],
        ['c', -1],
        ['bc', -2.5],
      ],
    });
    expect(bestSegmentation('ab', table)).toEqual(['ab']);
    expect(bestSegmentation('abc', table)).toEqual(['a', 'bc']);
    expect(bestSegmentation('xxaxb', table)).toEqual([undefined, 'a', undefined, 'b']);
    expect(bestSegmentation('', table)).toEqual([]);
  });

  it('expects what summing over all segmentations gives', () => {
    const table = pieceTable({
      pieces: [
        ['a', -1.3],
        ['b', -1.7],
        ['ab', -2.2],
        ['ba', -2.9],
        ['aba', -4],
      ],
    });
    const spell = (rest: string): string[][] =>
      rest === ''
        ? [[]]
        : [...table.scores.keys()].flatMap((piece) =>
            rest.startsWith(piece) ? spell(rest.slice(piece.length)).map((tail) => [piece, ...tail]) : [],
          );
    const wanted = new Map<string, number>();
    const words = [
      { word: 'ababa', count: 3 },
      { word: 'bab', count: 2 },
    ];
    for (const { word, count } of words) {
      const ways = spell(word).map((pieces) => ({
        pieces,
        p: Math.exp(pieces.reduce((sum, piece) => sum + (table.scores.get(piece) ?? 0), 0)),
      }));
      const all = ways.reduce((sum, { p }) => sum + p, 0);
      for (const { pieces, p } of ways) {
        for (const piece of pieces) wanted.set(piece, (wanted.get(piece) ?? 0) + (count * p) / all);
      }
    }
    const counts = expectedCounts(words, table);
    for (const [piece, value] of wanted) expect(counts.get(piece)).toBeCloseTo(value, 10);
  });

  it('trains down to the size asked for, keeps every character, and gives probabilities', () => {
    const model = trainUnigram(corpus, { vocabSize: 220 });
    expect(model.pieces).toHaveLength(220);
    expect(model.pieces.slice(0, 3).map(([piece]) => piece)).toEqual(['<pad>', '</s>', '<unk>']);
    const total = model.pieces.slice(3).reduce((sum, [, score]) => sum + Math.exp(score), 0);
    expect(total).toBeCloseTo(1, 6);
    const tokenizer = unigramTokenizer(model);
    const length = (text: string): number => tokenizer.encode(text).inputIds.length;
    for (const text of corpus) expect(tokenizer.encode(text).inputIds).not.toContain(2);
    // Twice the pieces spell the same text with fewer of them.
    const larger = unigramTokenizer(trainUnigram(corpus, { vocabSize: 440 }));
    const all = corpus.join(' ');
    expect(larger.encode(all).inputIds.length).toBeLessThan(length(all));
    expect(() => trainUnigram(corpus, { vocabSize: 20 })).toThrow('at least');
  });
});
