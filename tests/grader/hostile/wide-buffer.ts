// One array larger than the machine.
// at most: 0
const bertPooler = () => new Float32Array(2 ** 33).fill(1);
