// A result of a hundred million elements.
// at most: 0
const bertPooler = () => ({ length: 1e8, list: Array.from({ length: 3e6 }, () => 'x') });
