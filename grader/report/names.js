/** File names for learners' reports: what learners call themselves is theirs, what a file may be called is not. */
import { createHash } from 'node:crypto';
/** A name that is safe on every file system; changed names carry a piece of a hash, so that no two collide. */
export function fileNameOf(learner) {
  const plain = learner
    .replace(/[^A-Za-z0-9._@+-]+/g, '_')
    .replace(/^[.-]+/, '_')
    .slice(0, 80);
  const changed =
    plain !== learner ||
    /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(plain) ||
    plain.toLowerCase() !== plain;
  if (plain === '') return 'learner-unnamed';
  return changed ? `${plain}-${createHash('sha256').update(learner).digest('hex').slice(0, 8)}` : plain;
}
