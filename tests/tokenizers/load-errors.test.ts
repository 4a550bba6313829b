import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRng, type Rng } from '../../src/core/random.ts';
import { InputError, messageOf } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true }));

const minimal = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'Whitespace' },
  post_processor: null,
  decoder: null,
  model: {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    vocab: { '[UNK]': 0, a: 1, b: 2 },
  },
};

describe('a folder with vocab.txt only', () => {
  it('is a BERT tokenizer, cased if its configuration says so', async () => {
    await writeFile(join(folder, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nA\né\n');
    expect((await loadTokenizer(folder)).encode('A a é').inputIds).toEqual([2, 5, 5, 1, 3]);
    await writeFile(join(folder, 'tokenizer_config.json'), '{"do_lower_case": false}');
    expect((await loadTokenizer(folder)).encode('A a é').inputIds).toEqual([2, 6, 5, 7, 3]);
  });
});

describe('what a configuration adds', () => {
  it('gives tokens that the vocabulary lacks the next ids, and puts the end where it is asked to', async () => {
    const tokenizer = await loadTokenizer({
      tokenizer: minimal,
      config: {
        pad_token: '<pad>',
        eos_token: { content: '<end>' },
        add_eos_token: true,
        padding_side: 'left',
      },
    });
    expect(tokenizer.vocabSize).toBe(5);
    expect(tokenizer.encodeBatch(['a', 'a b c']).inputIds).toEqual([
      [3, 3, 1, 4],
      [1, 2, 0, 4],
    ]);
  });

  it('is guessed from the usual spellings where there is none', async () => {
    const special = (content: string, id: number) => ({ id, content, special: true, normalized: false });
    const added_tokens = [special('<s>', 3), special('</s>', 4), special('<pad>', 5)];
    const guessed = await loadTokenizer({ tokenizer: { ...minimal, added_tokens } });
    expect(guessed.specialIds).toEqual({ bos: 3, eos: 4, pad: 5, unk: 0 });
    const named = await loadTokenizer({
      tokenizer: { ...minimal, added_tokens },
      config: { eos_token: '</s>' },
    });
    expect(named.specialIds).toEqual({ eos: 4, unk: 0 });
  });

  it('lets texts of one length go without a padding token, and only those', async () => {
    const tokenizer = await loadTokenizer({ tokenizer: minimal });
    expect(tokenizer.encodeBatch(['a b', 'b b']).inputIds).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(() => tokenizer.encodeBatch(['a', 'a b'])).toThrow('no padding token');
  });
});

describe('malformed tokenizers', () => {
  const broken: [string, unknown][] = [
    ['not an object', []],
    ['no model', { ...minimal, model: undefined }],
    ['a vocabulary of words only', { ...minimal, model: { ...minimal.model, vocab: ['a', 'b'] } }],
    ['ids that are not whole', { ...minimal, model: { ...minimal.model, vocab: { a: 0.5 } } }],
    ['an unknown normalizer', { ...minimal, normalizer: { type: 'Shouting' } }],
    ['an unknown pre-tokenizer', { ...minimal, pre_tokenizer: { type: 'Shouting' } }],
    ['an unknown post-processor', { ...minimal, post_processor: { type: 'Shouting' } }],
    ['a component that is text', { ...minimal, decoder: 'WordPiece' }],
    ['merges that are numbers', { ...minimal, model: { type: 'BPE', vocab: { a: 0 }, merges: [1, 2] } }],
    ['a unigram without scores', { ...minimal, model: { type: 'Unigram', unk_id: 0, vocab: [['a']] } }],
    ['added tokens without ids', { ...minimal, added_tokens: [{ content: 'x' }] }],
    [
      'two frames',
      {
        ...minimal,
        post_processor: {
          type: 'Sequence',
          processors: [
            { type: 'TemplateProcessing', single: [], pair: [] },
            { type: 'TemplateProcessing', single: [], pair: [] },
          ],
        },
      },
    ],
  ];
  it.each(broken)('refuses %s in one sentence that names the file', async (_, content) => {
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(content));
    const loading = loadTokenizer(folder).then((tokenizer) => tokenizer.encode('a b'));
    await expect(loading).rejects.toThrow(InputError);
    await expect(loading).rejects.toThrow(/tokenizer\.json/);
  });

  it('refuses files that are cut off, not UTF-8 or missing', async () => {
    await expect(loadTokenizer(folder)).rejects.toThrow(
      'expected a folder with tokenizer.json, vocab.txt, or vocab.json and merges.txt',
    );
    const path = join(folder, 'tokenizer.json');
    for (const content of [JSON.stringify(minimal).slice(0, 80), new Uint8Array([0x7b, 0xff, 0x7d]), '']) {
      await writeFile(path, content);
      await expect(loadTokenizer(folder)).rejects.toThrow(InputError);
    }
    await writeFile(path, JSON.stringify(minimal));
    await writeFile(join(folder, 'tokenizer_config.json'), '{"pad_token": 3}');
    await expect(loadTokenizer(folder)).rejects.toThrow(/tokenizer_config\.json: pad_token/);
  });

  it('refuses a frame with a token that the vocabulary lacks', async () => {
    const special = [{ SpecialToken: { id: '[CLS]', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }];
    const tokenizer = await loadTokenizer({
      tokenizer: { ...minimal, post_processor: { type: 'TemplateProcessing', single: special, pair: [] } },
    });
    expect(() => tokenizer.encode('a')).toThrow('lacks the special token [CLS]');
  });
});

describe('damaged tokenizers', () => {
  /** A copy with one place, anywhere, gone or replaced by something else. */
  function damage(value: unknown, rng: Rng): unknown {
    const copy: unknown = structuredClone(value);
    let node: unknown = copy;
    for (let depth = 0; depth < 12; depth++) {
      if (typeof node !== 'object' || node === null) break;
      const keys = Object.keys(node);
      const key = keys[rng.integer(keys.length)];
      if (key === undefined) break;
      const child: unknown = Reflect.get(node, key);
      if (typeof child === 'object' && child !== null && Object.keys(child).length > 0 && rng.next() < 0.75) {
        node = child;
        continue;
      }
      const others: unknown[] = [null, -1, 0.5, 1e9, '', 'x', '(', [], {}, [[]], true, [null], { type: 'x' }];
      if (rng.next() < 0.25) Reflect.deleteProperty(node, key);
      else Reflect.set(node, key, others[rng.integer(others.length)]);
      break;
    }
    return copy;
  }

  it.each(['bert', 'roberta', 'llama3', 'llama2', 'unigram'])(
    'work or are refused in one sentence: %s',
    async (kind) => {
      const path = new URL(`./fixtures/${kind}/tokenizer.json`, import.meta.url);
      const whole: unknown = JSON.parse(await readFile(path, 'utf8'));
      const rng = createRng(kind);
      let refused = 0;
      for (let round = 0; round < 120; round++) {
        const tokenizer = damage(whole, rng);
        try {
          const loaded = await loadTokenizer({ tokenizer, config: { pad_token: '<pad>' } });
          const { inputIds } = loaded.encode('Two words, 3 <mask> 中.', { pair: 'b', maxLength: 12 });
          expect(inputIds.every((id) => Number.isInteger(id))).toBe(true);
          expect(typeof loaded.decode(inputIds)).toBe('string');
        } catch (error) {
          expect(error, messageOf(error)).toBeInstanceOf(InputError);
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(20);
    },
  );
});
