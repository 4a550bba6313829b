// A message that says it is four gigabytes long.
// at most: 0
// says: channel
const fs = await import('node:fs');
const bertPooler = () => { fs.writeSync(3, Buffer.alloc(4096, 255)); return null; };
