// Buffers outside of the heap until memory is full.
// at most: 0
// says: more than the .* MiB|did not finish
const bertPooler = () => { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 26, 1)); };
