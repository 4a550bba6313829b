// Tensors outside of the heap until memory is full.
// at most: 0
// says: more than the .* MiB|did not finish
const bertPooler = () => { const kept = []; for (;;) kept.push(tf.fill([1 << 22], 1)); };
