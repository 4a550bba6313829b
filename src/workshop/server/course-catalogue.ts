/** Chapters and their exercises, as a room shows them. */

import { allExercises } from '../../../grader/discover.ts';
import { loadMasters } from '../../notebook/course.ts';
import { BASE_LANGUAGE, type Master } from '../../notebook/master.ts';
import type { AssignmentView } from '../protocol.ts';

export interface ChapterEntry {
  /** `03-bert` */
  readonly chapter: string;
  readonly title: string;
  readonly exercises: AssignmentView['exercises'];
}

/** All chapters in order; the exercises of each in the order of the notebook. */
export async function loadCatalogue(): Promise<readonly ChapterEntry[]> {
  const [masters, exercises] = await Promise.all([loadMasters(), allExercises()]);
  const known = new Map(exercises.map((exercise) => [exercise.id, exercise]));
  return masters.map((master) => ({
    chapter: master.name,
    title: titleOf(master),
    exercises: master.cells.flatMap((cell) => {
      const found = cell.kind === 'answer' ? known.get(cell.exercise) : undefined;
      return found === undefined ? [] : [{ id: found.id, title: found.title, minutes: found.minutes }];
    }),
  }));
}

/** The chapter's first heading. */
function titleOf({ name, cells }: Master): string {
  for (const cell of cells) {
    if (cell.kind !== 'markdown') continue;
    const heading = /^# (.+)$/m.exec(cell.text.get(BASE_LANGUAGE) ?? '')?.[1];
    if (heading !== undefined) return heading;
  }
  return name;
}
