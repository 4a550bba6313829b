// A result in memory that goes on changing while it is read.
// at most: 0
const shared = new SharedArrayBuffer(4 * 12);
const values = new Float32Array(shared);
const bertPooler = (params, hidden) => {
  setInterval(() => values.fill(Math.random()), 0);
  const result = tf.zeros([hidden.shape[0], hidden.shape[2]]);
  result.data = async () => { queueMicrotask(() => values.fill(1)); return values; };
  return result;
};
