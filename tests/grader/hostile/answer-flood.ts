// Answers as large as they may be, again and again: what is kept of them must not fill the grader's memory.
// at most: 0
const bertPooler = () => new Float32Array(3.9 * 2 ** 20).fill(1);
