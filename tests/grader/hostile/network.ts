// A call home.
// at most: 0
const port = PORT;
const net = await import('node:net');
const bertPooler = async () => {
  const outcomes = await Promise.allSettled([
    fetch(`http://127.0.0.1:${port}/stolen`, { signal: AbortSignal.timeout(1000) }),
    new Promise((resolve, reject) => net.connect(port, '127.0.0.1').on('connect', resolve).on('error', reject)),
  ]);
  return outcomes.map(({ status }) => status);
};
