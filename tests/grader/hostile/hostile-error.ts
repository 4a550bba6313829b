// An error that cannot be printed and is huge.
// at most: 0
const bertPooler = () => {
  throw new Proxy(new Error('x'), { get(target, key) { if (key === 'message') return '<script>alert(1)</script>'.repeat(1e6); throw new Error('no'); } });
};
