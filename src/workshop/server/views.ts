/** What is in the store, as the pages and the notebooks are shown it. */

import type { AssignmentView, Cell, RoomMessage } from '../protocol.ts';
import type { Progress } from '../store/checks.ts';
import type { Assignment, Message } from '../store/rooms.ts';
import type { ChapterEntry } from './course-catalogue.ts';

export function cellView({
  exercise,
  verdict,
  attempts,
  failures,
  mistake,
  firstAt,
  lastAt,
}: Progress): Cell {
  return {
    exercise,
    verdict,
    attempts,
    failures,
    ...(mistake === null || verdict === 'pass' ? {} : { mistake }),
    firstAt: firstAt.toISOString(),
    lastAt: lastAt.toISOString(),
  };
}

export function messageView({ id, kind, text, exercise, at }: Message): RoomMessage {
  return { id, kind, text, ...(exercise === null ? {} : { exercise }), at: at.toISOString() };
}

export function assignmentView(assignment: Assignment, catalogue: readonly ChapterEntry[]): AssignmentView {
  const { id, chapter, title, open, dueAt } = assignment;
  const exercises = catalogue.find((entry) => entry.chapter === chapter)?.exercises ?? [];
  return { id, chapter, title, open, dueAt: dueAt?.toISOString() ?? null, exercises };
}
