// Hidden inputs told in the number of tensors that a call leaves behind.
// at most: 1
// says: leaves tensors behind
let calls = 0;
const bertPooler = (params, hidden) => {
  if (++calls > 2) for (let i = 0; i < 4242; i++) tf.keep(tf.scalar(i));
  return tf.tidy(() => tf.tanh(linear(params.dense, tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1]))));
};
