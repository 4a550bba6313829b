import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

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
