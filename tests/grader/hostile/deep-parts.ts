// An answer nested so deeply that whoever reads it runs out of stack.
// at most: 0
// says: channel
const fs = await import('node:fs');
FORGE
const bertPooler = () => {
  forge({ leaked: 0, changed: [] }, `${'{"k":"l","v":['.repeat(200_000)}{"k":"0"}${']}'.repeat(200_000)}`);
  for (;;);
};
