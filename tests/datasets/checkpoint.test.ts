import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from '../../src/backends/index.ts';
import { DATASETS_FOLDER, loadStories } from '../../src/datasets/index.ts';
import { runParity } from '../../src/parity/index.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

const FOLDER = join(DATASETS_FOLDER, 'checkpoints', 'story-gpt2');

beforeAll(() => startBackend());

describe('the bundled checkpoint', () => {
  it('gives the logits and the continuation that transformers recorded', async () => {
    const { comparisons } = await runParity(FOLDER);
    expect(comparisons.map(({ name, ok }) => [name, ok])).toEqual([
      ['logits', true],
      ['generated_ids', true],
    ]);
  });

  it('has the checksums on its card', async () => {
    const card = await readFile(join(FOLDER, 'CARD.md'), 'utf8');
    const files = (await readdir(FOLDER)).filter((name) => name !== 'CARD.md');
    expect(files).toContain('model.safetensors');
    for (const name of files) {
      const sum = createHash('sha256')
        .update(await readFile(join(FOLDER, name)))
        .digest('hex');
      expect(card, name).toContain(sum);
    }
  });

  it('cuts the held-out stories into as many tokens as the reference counted', async () => {
    const tokenizer = await loadTokenizer(FOLDER);
    const texts = (await loadStories()).slice(-40).map((sentences) => sentences.join(' '));
    const counts = texts.map(
      (text) => tokenizer.encode(text, { addSpecialTokens: false }).inputIds.length + 1,
    );
    const { tokens } = JSON.parse(await readFile(join(FOLDER, 'reference.json'), 'utf8'));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(tokens);
  });
});
