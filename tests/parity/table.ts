/**
 * Writes docs/parity.md: every class, its parameters, and how far it is from transformers on every fixture, measured
 * now on each backend that can be used here.
 *
 *     npm run docs:parity
 */
import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { leavesOf } from '../../src/checkpoints/weight-map.ts';
import { messageOf } from '../../src/errors.ts';
import type { Architecture } from '../../src/models/architecture.ts';
import { architectures } from '../../src/models/registry.ts';

const ROOT = join(import.meta.dirname, '../..');
const FIXTURES = join(import.meta.dirname, 'fixtures');
const BACKENDS = ['wasm', 'tensorflow'] as const;
const run = promisify(execFile);

const reportSchema = z.object({
  results: z.array(
    z.object({
      className: z.string(),
      ok: z.boolean(),
      comparisons: z.array(z.object({ name: z.string(), maxError: z.number().nullable() })),
    }),
  ),
});
type Results = z.infer<typeof reportSchema>['results'];

/** Configurations of published checkpoints, to say how large each class is in practice. */
const encoder = { num_hidden_layers: 12, num_attention_heads: 12, hidden_size: 768, intermediate_size: 3072 };
const PUBLISHED: Readonly<Record<string, { name: string; config: object }>> = {
  bert: {
    name: 'bert-base-uncased',
    config: { ...encoder, vocab_size: 30522, max_position_embeddings: 512 },
  },
  roberta: {
    name: 'roberta-base',
    config: { ...encoder, vocab_size: 50265, max_position_embeddings: 514, type_vocab_size: 1 },
  },
  albert: {
    name: 'albert-base-v2',
    config: { ...encoder, vocab_size: 30000, max_position_embeddings: 512, embedding_size: 128 },
  },
  electra: {
    name: 'electra-base-discriminator',
    config: { ...encoder, vocab_size: 30522, max_position_embeddings: 512, embedding_size: 768 },
  },
  bart: {
    name: 'bart-base',
    config: {
      vocab_size: 50265,
      d_model: 768,
      encoder_layers: 6,
      decoder_layers: 6,
      encoder_attention_heads: 12,
      decoder_attention_heads: 12,
      encoder_ffn_dim: 3072,
      decoder_ffn_dim: 3072,
      max_position_embeddings: 1024,
    },
  },
  t5: {
    name: 't5-small',
    config: { vocab_size: 32128, d_model: 512, d_kv: 64, d_ff: 2048, num_layers: 6, num_heads: 8 },
  },
  'openai-gpt': {
    name: 'openai-gpt',
    config: { vocab_size: 40478, n_positions: 512, n_embd: 768, n_layer: 12, n_head: 12 },
  },
  gpt2: {
    name: 'gpt2',
    config: { vocab_size: 50257, n_positions: 1024, n_embd: 768, n_layer: 12, n_head: 12 },
  },
  llama: {
    name: 'Llama-3.2-1B',
    config: {
      vocab_size: 128256,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      max_position_embeddings: 131072,
      rms_norm_eps: 1e-5,
      rope_theta: 500000,
      tie_word_embeddings: true,
    },
  },
};

/** The results of all fixtures on a backend, or why it cannot be used. */
async function measure(backend: string): Promise<Results | string> {
  const folders = (await readdir(FIXTURES)).sort().map((name) => join(FIXTURES, name));
  const command = [join(ROOT, 'src/cli/main.ts'), 'parity', '--json', ...folders];
  const env = { ...process.env, LLM_LAB_BACKEND: backend };
  try {
    const { stdout } = await run(process.execPath, command, { env, maxBuffer: 1e9 });
    return reportSchema.parse(JSON.parse(stdout)).results;
  } catch (error) {
    return messageOf(error).trim().split('\n').at(-1) ?? 'failed';
  }
}

/** The largest error of a class, over the comparisons that `which` takes. */
function worst(results: Results | string, className: string, which: (name: string) => boolean): string {
  if (typeof results === 'string') return '–';
  const errors = results
    .filter((result) => result.className === className)
    .flatMap(({ comparisons }) => comparisons.filter(({ name }) => which(name)))
    .map(({ maxError }) => maxError ?? Number.NaN);
  return errors.length === 0 ? '–' : Math.max(...errors).toExponential(1);
}

function parametersOf({ family, weights, parseConfig }: Architecture): string {
  const published = PUBLISHED[family];
  if (published === undefined) return '–';
  const leaves = leavesOf(weights(parseConfig(published.config)).map);
  const own = leaves.filter(({ tiedTo }) => tiedTo === undefined);
  const count = own.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0);
  return `${count.toLocaleString('en')} (${published.name})`;
}

const measured = new Map(
  await Promise.all(BACKENDS.map(async (name) => [name, await measure(name)] as const)),
);
const isGradient = (name: string): boolean => name.startsWith('grad.');
const isOutput = (name: string): boolean => !isGradient(name) && name !== 'generated_ids';

const columns = BACKENDS.flatMap((name) => [`outputs, ${name}`, `gradients, ${name}`]);
const header = ['Class', 'Implements', 'Parameters', 'Fixtures', ...columns];
const rows = [...architectures.values()].map((architecture) => {
  const { className, source } = architecture;
  const wasm = measured.get('wasm');
  const fixtures = Array.isArray(wasm) ? wasm.filter((result) => result.className === className).length : 0;
  const errors = BACKENDS.flatMap((name) => {
    const results = measured.get(name) ?? '';
    return [worst(results, className, isOutput), worst(results, className, isGradient)];
  });
  return [`\`${className}\``, source, parametersOf(architecture), String(fixtures), ...errors];
});
const absent = BACKENDS.filter((name) => typeof measured.get(name) === 'string');

const table = [header, header.map(() => '---'), ...rows]
  .map((cells) => `| ${cells.join(' | ')} |`)
  .join('\n');
const note = absent.map(
  (name) => `\n\nNot measured on ${name}: it was not installed where this table was made.`,
);
const text = `# Parity with transformers

Every class of the library, run on the fixtures in \`tests/parity/fixtures\` and compared with transformers 5.23.0 on
torch 2.13.0. The last columns are the largest |Δ| of any number of any output, and of any gradient of the loss by any
parameter; \`lab parity\` allows 1e-4 + 1e-4·|expected|. Generated ids are equal in every fixture that has them. The
parameters are counted in the configuration of a published checkpoint, a tied tensor once.

Made by \`npm run docs:parity\`, and \`npx lab parity tests/parity/fixtures/*\` prints every single number.

${table}${note.join('')}
`;
await writeFile(join(ROOT, 'docs/parity.md'), text);
console.log(`docs/parity.md: ${rows.length} classes`);
