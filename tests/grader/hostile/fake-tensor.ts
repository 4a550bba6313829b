// An object that looks like a tensor.
// at most: 0
const bertPooler = (params, hidden) => ({ shape: [hidden.shape[0], hidden.shape[2]], dtype: 'float32', size: 12, data: async () => new Float32Array(12), isDisposed: false, __proto__: tf.Tensor.prototype });
