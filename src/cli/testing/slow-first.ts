/** The order of the test files: a slow one that starts last makes everybody wait for it. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Folders whose files take longest, slowest first; all others follow, larger files before smaller ones. */
const SLOW = ['notebooks', 'browser', 'cli', 'kernel', 'grader', 'backends', 'parity', 'models'];

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted
      .map((file, place) => ({ file, place, rank: rank(file.moduleId) }))
      .sort((a, b) => a.rank - b.rank || a.place - b.place)
      .map(({ file }) => file);
  }
}

function rank(path: string): number {
  const index = SLOW.findIndex((folder) => path.includes(`/tests/${folder}/`));
  return index === -1 ? SLOW.length : index;
}
