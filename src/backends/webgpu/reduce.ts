/** Sums and largest numbers over the threads of a workgroup, in its shared memory, by halving. */

/**
 * Functions `sumOf` and `largestOf`, which every thread must call, in control flow that depends on uniforms alone: they
 * wait for each other. Every thread gets the result.
 */
export function reductions(threads: number): string {
  const reduction = (name: string, combine: string): string => `
    fn ${name}(mine: f32) -> f32 {
      workgroupBarrier(); // the results of the last reduction are read
      lanes[localIndex] = mine;
      workgroupBarrier();
      for (var half = ${threads / 2}u; half > 0u; half = half / 2u) {
        if (localIndex < half) {
          let a = lanes[localIndex];
          let b = lanes[localIndex + half];
          lanes[localIndex] = ${combine};
        }
        workgroupBarrier();
      }
      return lanes[0];
    }`;
  return `
    var<workgroup> lanes: array<f32, ${threads}>;
    const THREADS = ${threads};
    ${reduction('sumOf', 'a + b')}
    ${reduction('largestOf', 'select(max(a, b), a + b, isnan(a) || isnan(b))')}`;
}

/** How many threads share a row of so many numbers: a power of two. */
export function threadsFor(width: number): number {
  for (const threads of [32, 64, 128]) if (width <= 4 * threads) return threads;
  return 256;
}
