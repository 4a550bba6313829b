/**
 * Seeded random numbers. Everything random in the library takes an `Rng`, so that one seed gives one result on
 * every backend: the numbers are drawn here, in JavaScript, and never by a backend.
 */

/** A stream of random numbers. `next()` is uniform on [0, 1). */
export interface Rng {
  next(): number;
  /** A whole number, uniform on [0, limit). */
  integer(limit: number): number;
  /** A draw from the normal distribution with mean 0 and variance 1. */
  normal(): number;
  /** An independent stream, fixed by this stream's seed and the key alone (not by how much was drawn). */
  fork(key: string | number): Rng;
}

/** 32-bit FNV-1a hash of a string, to turn names into seeds. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * A generator for the seed: xoshiro128** (Blackman and Vigna, 2018, "Scrambled linear pseudorandom number
 * generators"), its state filled by splitmix32.
 */
export function createRng(seed: number | string): Rng {
  const label = String(seed);
  let mix = hash(label);
  const splitmix = (): number => {
    mix = (mix + 0x9e3779b9) | 0;
    let z = mix ^ (mix >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix();
  const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));
  const next32 = (): number => {
    const result = Math.imul(rotl(Math.imul(b, 5), 7), 9) >>> 0;
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotl(d, 11);
    return result;
  };
  // 53 bits from two draws, so that the numbers fill a double as Math.random's do.
  const next = (): number => ((next32() >>> 5) * 0x4000000 + (next32() >>> 6)) / 0x20000000000000;
  let spare: number | undefined;
  return {
    next,
    integer: (limit) => Math.floor(next() * limit),
    normal: () => {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Box–Muller; 1 − u lies in (0, 1], so the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - next()));
      const angle = 2 * Math.PI * next();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    fork: (key) => createRng(`${label}/${key}`),
  };
}
