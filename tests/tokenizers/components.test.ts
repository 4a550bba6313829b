import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createRng } from '../../src/core/random.ts';
import { InputError } from '../../src/errors.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';
import { precompiledNormalizer } from '../../src/tokenizers/precompiled.ts';

const Fixture = z.array(
  z.object({
    name: z.string(),
    tokenizer: z.unknown(),
    cases: z.array(z.tuple([z.string(), z.array(z.number()), z.string().nullable()])),
  }),
);
const fixtureFile = new URL('./fixtures/components.json', import.meta.url);
const fixture = Fixture.parse(JSON.parse(await readFile(fixtureFile, 'utf8')));

describe('every component of a tokenizer.json works as in Hugging Face’s tokenizers', () => {
  it.each(fixture)('$name', async ({ tokenizer, cases }) => {
    const loaded = await loadTokenizer({ tokenizer });
    for (const [text, ids, decoded] of cases) {
      expect(loaded.encode(text).inputIds, JSON.stringify(text)).toEqual(ids);
      if (decoded !== null) expect(loaded.decode(ids), JSON.stringify(text)).toBe(decoded);
    }
  });
});

describe('SentencePiece’s precompiled table', async () => {
  const tableFile = new URL('./fixtures/precompiled.json', import.meta.url);
  const { table, cases } = z
    .object({ table: z.string(), cases: z.array(z.tuple([z.string(), z.string()])) })
    .parse(JSON.parse(await readFile(tableFile, 'utf8')));

  it('turns text into what Hugging Face’s tokenizers make of it', () => {
    const normalize = precompiledNormalizer(table, 'table');
    for (const [text, expected] of cases) expect(normalize(text), JSON.stringify(text)).toBe(expected);
  });

  it('never reads outside of a table that is cut off or made of noise', () => {
    const bytes = Buffer.from(table, 'base64');
    for (const length of [0, 3, 8, 40]) {
      expect(() => precompiledNormalizer(bytes.subarray(0, length).toString('base64'), 'table')).toThrow(
        InputError,
      );
    }
    const rng = createRng(1);
    for (let round = 0; round < 50; round++) {
      const noisy = Buffer.from(bytes);
      for (let i = 0; i < 20; i++) noisy[4 + rng.integer(noisy.length - 4)] = rng.integer(256);
      const normalize = precompiledNormalizer(noisy.toString('base64'), 'table');
      for (const [text] of cases.slice(0, 30)) expect(typeof normalize(text)).toBe('string');
    }
  });
});
