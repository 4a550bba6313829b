// A gigabyte of output.
// at most: 0
const fs = await import('node:fs');
const bertPooler = () => {
  const block = 'x'.repeat(1 << 20);
  for (let i = 0; i < 512; i++) { fs.writeSync(1, block); fs.writeSync(2, block); }
  return null;
};
