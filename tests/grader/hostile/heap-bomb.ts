// Objects until the heap is full.
// at most: 0
// says: more than the .* MiB|did not finish
const bertPooler = () => { const kept = []; for (;;) kept.push({ kept: new Array(1000).fill(kept.length) }); };
