import * as tf from '@tensorflow/tfjs-core';
import { embed, type LinearParams, linear } from '../../../src/core/index.ts';
import { type Draw, defineExercise, FLOAT32, gradientsFlow, inputsUnchanged, noLeak } from '../../define.ts';

interface Params {
  /** [V, E] */
  table: tf.Tensor2D;
  /** E → the generator's width, null where they are equal */
  generator: LinearParams | null;
  /** E → the discriminator's width, null where they are equal */
  discriminator: LinearParams | null;
}

interface Ids {
  masked: tf.Tensor2D;
  corrupted: tf.Tensor2D;
}

type Args = [Params, Ids];

interface Sizes {
  vocabulary: number;
  embedding: number;
  /** undefined: as wide as the embedding, without a projection */
  generator?: number;
  discriminator?: number;
  batch: number;
  length: number;
}

function inputs(draw: Draw, { vocabulary, embedding, generator, discriminator, batch, length }: Sizes): Args {
  const projection = (width: number | undefined): LinearParams | null =>
    width === undefined
      ? null
      : {
          weight: draw.normal([width, embedding], { std: 0.5 }).as2D(width, embedding),
          bias: draw.shift(width),
        };
  const ids = (): tf.Tensor2D => draw.integers([batch, length], 0, vocabulary).as2D(batch, length);
  return [
    {
      table: draw.normal([vocabulary, embedding]).as2D(vocabulary, embedding),
      generator: projection(generator),
      discriminator: projection(discriminator),
    },
    { masked: ids(), corrupted: ids() },
  ];
}

type Lookup = (table: tf.Tensor2D, ids: tf.Tensor2D) => tf.Tensor;
const project = (params: LinearParams | null, x: tf.Tensor): tf.Tensor =>
  params === null ? x : linear(params, x);

/** Fresh numbers that lead nowhere: what a copy of the table amounts to. */
const detached: Lookup = (table, ids) =>
  embed(
    tf.customGrad<tf.Tensor2D>(() => ({ value: tf.clone(table), gradFunc: () => tf.zerosLike(table) }))(
      table,
    ),
    ids,
  );

const both = (
  params: Params,
  ids: Ids,
  { generator = embed, discriminator = embed }: { generator?: Lookup; discriminator?: Lookup } = {},
) =>
  tf.tidy(() => ({
    generator: project(params.generator, generator(params.table, ids.masked)),
    discriminator: project(params.discriminator, discriminator(params.table, ids.corrupted)),
  }));

export default defineExercise<Args>({
  id: 'electra/shared-embeddings',
  title: 'One table for two networks',
  points: 2,
  entry: 'embedBoth',
  difficulty: 2,
  minutes: 15,
  signature:
    'embedBoth(params: {table: tf.Tensor2D /* [V, E] */; generator: LinearParams | null; discriminator: LinearParams | null}, ids: {masked: tf.Tensor2D; corrupted: tf.Tensor2D /* int32 [B, T] */}): {generator: tf.Tensor /* [B, T, Dg] */; discriminator: tf.Tensor /* [B, T, D] */}',
  parameters: ['params', 'ids'],
  tolerance: { ...FLOAT32, reason: 'one product over E in float32' },
  reference: (params, ids) => both(params, ids),
  variants: [
    {
      name: 'one look-up for both, then split',
      implementation: (params, ids) =>
        tf.tidy(() => {
          const states = embed(params.table, tf.concat([ids.masked, ids.corrupted], 0));
          const [first, second] = tf.split(states, 2, 0);
          if (first === undefined || second === undefined) throw new Error('split into two');
          return {
            generator: project(params.generator, first),
            discriminator: project(params.discriminator, second),
          };
        }),
    },
  ],
  mutants: [
    {
      id: 'copied-table',
      diagnosis:
        'The values are right, but one of the two networks works with a copy of the table: its gradient never reaches the shared one. Look both up in params.table itself.',
      implementation: (params, ids) => both(params, ids, { discriminator: detached }),
    },
    {
      id: 'never-projected',
      diagnosis:
        'A projection that is there is not used: where E differs from the width of the network, the embeddings must go through it.',
      implementation: (params, ids) => both({ ...params, generator: null, discriminator: null }, ids),
    },
    {
      id: 'discriminator-not-projected',
      diagnosis: 'The projection of the discriminator is not used where it is given.',
      implementation: (params, ids) => both({ ...params, discriminator: null }, ids),
    },
    {
      id: 'ids-swapped',
      diagnosis:
        'The inputs are swapped: the generator reads the masked text, the discriminator the corrupted one.',
      implementation: (params, ids) => both(params, { masked: ids.corrupted, corrupted: ids.masked }),
    },
    {
      id: 'same-text-for-both',
      diagnosis:
        'Both networks get the masked text. The discriminator reads the text in which the generator has filled the gaps.',
      implementation: (params, ids) => both(params, { masked: ids.masked, corrupted: ids.masked }),
    },
  ],
  cases: [
    {
      name: 'a narrow generator',
      visibility: 'public',
      inputs: (draw) =>
        inputs(draw, { vocabulary: 11, embedding: 6, generator: 4, discriminator: 9, batch: 2, length: 5 }),
    },
    {
      name: 'a discriminator as wide as the table',
      visibility: 'public',
      inputs: (draw) => inputs(draw, { vocabulary: 13, embedding: 8, generator: 3, batch: 3, length: 4 }),
    },
    {
      name: 'both as wide as the table',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { vocabulary: 17, embedding: 7, batch: 2, length: 6 }),
    },
  ],
  properties: [noLeak(), inputsUnchanged(), gradientsFlow({ weight: 2 })],
  hints: [
    'There is one table and there are two texts. What do the two networks do differently after the look-up?',
    'masked [B, T] → look-up [B, T, E] → params.generator, unless null → [B, T, Dg]; corrupted [B, T] → look-up in the same table [B, T, E] → params.discriminator, unless null → [B, T, D].',
    'Clark et al., 2020, "ELECTRA", section 3.2, weight sharing: the token embeddings of both are tied, in the width of the discriminator; linear layers project where widths differ.',
  ],
});
