import { defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Config {
  num_hidden_layers: number;
  num_attention_heads: number;
  num_key_value_heads: number;
  head_dim: number;
}
/** Configuration, batch, length, bytes of a number. */
type Args = [Config, number, number, number];

const bytes = (c: Config, batch: number, length: number, size: number): number =>
  2 * c.num_hidden_layers * batch * c.num_key_value_heads * length * c.head_dim * size;

export default defineExercise<Args>({
  id: 'llama/cache-bytes',
  title: 'Bytes of the cache',
  points: 1,
  entry: 'cacheBytes',
  difficulty: 1,
  minutes: 10,
  signature:
    'cacheBytes(config: {num_hidden_layers; num_attention_heads; num_key_value_heads; head_dim: number}, batch: number, length: number, bytesPerNumber: number): number',
  parameters: ['config', 'batch', 'length', 'bytesPerNumber'],
  tolerance: EXACT,
  reference: bytes,
  variants: [
    {
      name: 'layer by layer',
      implementation: (c, batch, length, size) => {
        let total = 0;
        for (let layer = 0; layer < c.num_hidden_layers; layer++)
          for (const _ of ['key', 'value'])
            total += batch * length * (c.num_key_value_heads * c.head_dim) * size;
        return total;
      },
    },
  ],
  mutants: [
    {
      id: 'query-heads',
      diagnosis: 'The query heads are counted. The cache holds num_key_value_heads heads, unrepeated.',
      implementation: (c, batch, length, size) =>
        bytes({ ...c, num_key_value_heads: c.num_attention_heads }, batch, length, size),
    },
    {
      id: 'keys-only',
      diagnosis: 'Only the keys or only the values are counted. Both are kept: a factor of 2.',
      implementation: (...args) => bytes(...args) / 2,
    },
    {
      id: 'one-layer',
      diagnosis: 'One layer is counted. Each of num_hidden_layers has its own keys and values.',
      implementation: (c, batch, length, size) => bytes({ ...c, num_hidden_layers: 1 }, batch, length, size),
    },
    {
      id: 'batch-forgotten',
      diagnosis: 'One sequence is counted. Each of the batch has its own cache.',
      implementation: (c, _, length, size) => bytes(c, 1, length, size),
    },
    {
      id: 'numbers-not-bytes',
      diagnosis: 'The result counts numbers, not bytes. Multiply by bytesPerNumber.',
      implementation: (c, batch, length) => bytes(c, batch, length, 1),
    },
    {
      id: 'length-squared',
      diagnosis:
        'The length is squared, as if scores were kept. The cache holds one key and one value for each token.',
      implementation: (c, batch, length, size) => bytes(c, batch, length * length, size),
    },
  ],
  cases: [
    {
      name: 'grouped',
      visibility: 'public',
      inputs: () => [
        { num_hidden_layers: 32, num_attention_heads: 40, num_key_value_heads: 8, head_dim: 128 },
        3,
        8192,
        4,
      ],
    },
    {
      name: 'multi-query',
      visibility: 'hidden',
      inputs: (draw) => [
        { num_hidden_layers: 7, num_attention_heads: 6, num_key_value_heads: 1, head_dim: 20 },
        5,
        100 + draw.rng.integer(900),
        4,
      ],
    },
    {
      name: 'multi-head',
      visibility: 'hidden',
      inputs: (draw) => [
        { num_hidden_layers: 11, num_attention_heads: 12, num_key_value_heads: 12, head_dim: 64 },
        3,
        100 + draw.rng.integer(900),
        2,
      ],
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Which tensors does a layer keep for each token, and with how many heads?',
    'For each layer a key [B, G, S, d] and a value [B, G, S, d]; each number takes bytesPerNumber bytes.',
    'bytes = 2·L·B·G·S·d·bytesPerNumber, G = H for multi-head, 1 for multi-query attention (Shazeer, 2019), between for grouped (Ainslie et al., 2023).',
  ],
});
