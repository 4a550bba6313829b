// Answers written into the grader's channel before they are asked for.
// at most: 0
// says: channel|ended
const fs = await import('node:fs');
const frame = (header, body = Buffer.alloc(0)) => {
  const text = Buffer.from(JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeUInt32LE(text.length, 0);
  prefix.writeUInt32LE(body.length, 4);
  return Buffer.concat([prefix, text, body]);
};
for (let id = 0; id < 50; id++) {
  for (let fd = 3; fd < 8; fd++) {
    try { fs.writeSync(fd, frame({ kind: 'returned', id, leaked: 0, changed: [], verdict: 'pass', score: 1 })); } catch {}
  }
}
const bertPooler = () => null;
