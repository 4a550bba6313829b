import { type RelativePositionConfig, relativePositionBucket } from '../../../src/core/relative-position.ts';
import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

type Args = [number[], RelativePositionConfig];

interface Rules {
  /** what of the relative position decides */
  position?: (relative: number) => number;
  bidirectional?: (flag: boolean) => boolean;
  /** the share of the wide buckets that a distance has passed, from distance / exact and maxDistance / exact */
  share?: (ratio: number, limit: number) => number;
  clip?: boolean;
  offset?: (half: number) => number;
}

function buckets([relative, config]: Args, rules: Rules = {}): number[] {
  const { position = (r) => r, bidirectional = (flag) => flag, clip = true, offset = (half) => half } = rules;
  const { share = (ratio, limit) => Math.log(ratio) / Math.log(limit) } = rules;
  const both = bidirectional(config.bidirectional);
  const size = both ? Math.floor(config.numBuckets / 2) : config.numBuckets;
  const exact = Math.floor(size / 2);
  return relative.map((r) => {
    const p = position(r);
    const distance = both ? Math.abs(p) : Math.max(-p, 0);
    const start = both && p > 0 ? offset(size) : 0;
    if (distance < exact) return start + distance;
    // 1e-6: an edge that the logarithm should meet exactly falls into the bucket that it opens.
    const wide =
      exact + Math.floor(share(distance / exact, config.maxDistance / exact) * (size - exact) + 1e-6);
    return start + (clip ? Math.min(wide, size - 1) : wide);
  });
}

/** Distances of both directions, none so near an edge that rounding decides. */
function inputs(draw: Draw, config: RelativePositionConfig, count: number): Args {
  const size = config.bidirectional ? config.numBuckets / 2 : config.numBuckets;
  const exact = size / 2;
  const clear = (r: number): boolean => {
    const place = (Math.log(Math.abs(r) / exact) / Math.log(config.maxDistance / exact)) * exact;
    return Math.abs(r) < exact || Math.abs(place - Math.round(place)) > 1e-3;
  };
  const reach = 3 * config.maxDistance;
  const drawn = Array.from({ length: count }, () => draw.rng.integer(2 * reach) - reach);
  return [[0, 1, -1, 2, -2, reach, -reach, ...drawn].filter(clear), config];
}

export default defineExercise<Args>({
  id: 't5/relative-bucket',
  title: 'Buckets of distances',
  points: 3,
  entry: 'relativeBuckets',
  difficulty: 3,
  minutes: 30,
  signature:
    'relativeBuckets(relative: number[] /* key − query */, config: {numBuckets: number; maxDistance: number; bidirectional: boolean}): number[]',
  parameters: ['relative', 'config'],
  tolerance: EXACT,
  reference: (relative, config) => relative.map((r) => relativePositionBucket(r, config)),
  variants: [{ name: 'in float64', implementation: (...args) => buckets(args) }],
  mutants: [
    {
      id: 'sign',
      diagnosis:
        'The sign is reversed. The relative position is key − query: negative before the query, positive behind it; in both directions the second half of the buckets belongs to the positive ones.',
      implementation: (...args) => buckets(args, { position: (r) => -r }),
    },
    {
      id: 'always-both-directions',
      diagnosis:
        'The flag bidirectional is ignored: buckets are always halved. A decoder sees no future, so all its buckets are for the past.',
      implementation: (...args) => buckets(args, { bidirectional: () => true }),
    },
    {
      id: 'always-one-direction',
      diagnosis:
        'The flag bidirectional is ignored: keys behind the query all get bucket 0. An encoder sees both sides and has half of the buckets for each.',
      implementation: (...args) => buckets(args, { bidirectional: () => false }),
    },
    {
      id: 'direction-flag-reversed',
      diagnosis: 'The flag bidirectional is read the wrong way round: true is the encoder, with two halves.',
      implementation: (...args) => buckets(args, { bidirectional: (flag) => !flag }),
    },
    {
      id: 'log-base',
      diagnosis:
        'The logarithm has the wrong base. Divide ln(distance / exact) by ln(maxDistance / exact), so that the wide buckets end at maxDistance.',
      implementation: (...args) => buckets(args, { share: (ratio, limit) => Math.log(ratio) / limit }),
    },
    {
      id: 'linear',
      diagnosis:
        'The wide buckets all have the same width. They widen: it is the logarithm of the distance that counts.',
      implementation: (...args) => buckets(args, { share: (ratio, limit) => (ratio - 1) / (limit - 1) }),
    },
    {
      id: 'not-clipped',
      diagnosis:
        'Far distances run past the last bucket. From maxDistance on they all share it: take the minimum.',
      implementation: (...args) => buckets(args, { clip: false }),
    },
    {
      id: 'no-offset',
      diagnosis:
        'Keys before and behind the query get the same buckets. In both directions, add half of the number of buckets where key − query > 0.',
      implementation: (...args) => buckets(args, { offset: () => 0 }),
    },
  ],
  cases: [
    {
      name: 'the sizes of T5, both directions',
      visibility: 'public',
      inputs: () => [
        [-8, 0, 1, 8, 64, -3, -200, 40, 100],
        { numBuckets: 32, maxDistance: 128, bidirectional: true },
      ],
    },
    {
      name: 'the sizes of T5, one direction',
      visibility: 'public',
      inputs: () => [
        [-16, -64, 5, 0, -1, -30, -100, -300],
        { numBuckets: 32, maxDistance: 128, bidirectional: false },
      ],
    },
    {
      name: 'other sizes, both directions',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { numBuckets: 24, maxDistance: 90, bidirectional: true }, 60),
    },
    {
      name: 'other sizes, one direction',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, { numBuckets: 20, maxDistance: 70, bidirectional: false }, 50),
    },
  ],
  properties: [inputsUnchanged(), deterministic()],
  hints: [
    'Near distances have a bucket each; far ones share. Where does the one end and the other begin?',
    'Both directions: n = numBuckets / 2, start = n where key − query > 0, distance = |key − query|. One direction: n = numBuckets, start = 0, distance = max(query − key, 0). With exact = n / 2: below it, start + distance; from it on, the logarithm, and at most start + n − 1.',
    'start + min(n − 1, exact + ⌊ln(distance/exact) / ln(maxDistance/exact) · (n − exact)⌋). Raffel et al., 2020, section 2.1: 32 buckets, logarithmically up to 128.',
  ],
});
