/** The gradebook of the store, as the dashboard is shown it. */

import type { MarkDetail, MarkView } from '../book-protocol.ts';
import type { Mark } from '../gradebook/policy.ts';
import type { AssignmentView } from '../protocol.ts';
import type { Learner } from '../store/learners.ts';
import type { MarkHistory } from '../store/mark-detail.ts';
import type { Assignment } from '../store/rooms.ts';

export function markView(mark: Mark): MarkView {
  const { status, points, outOf, automatic, attempt, daysLate, factor, manual, comments } = mark;
  return { status, points, outOf, automatic, attempt, daysLate, factor, manual, comments };
}

export function detailView(given: {
  readonly learner: Learner;
  readonly group: string | null;
  readonly assignment: Assignment;
  readonly history: MarkHistory;
  /** The exercises of the chapter, for as long as nothing is graded. */
  readonly known: AssignmentView['exercises'];
}): MarkDetail {
  const { learner, group, assignment, history, known } = given;
  const { mark, manual, dueAt, extended } = history;
  const graded = new Map(history.exercises.map((one) => [one.id, one]));
  const ids = graded.size > 0 ? [...graded.keys()] : known.map(({ id }) => id);
  // A mark by hand may stand for an exercise that the grading does not have.
  const all = new Set([...ids, ...manual.keys()]);
  return {
    learner: { id: learner.id, name: learner.displayName, group },
    chapter: assignment.chapter,
    title: assignment.title,
    mark: markView(mark),
    whole: history.whole,
    dueAt: dueAt?.toISOString() ?? null,
    extended,
    exercises: [...all].map((id) => {
      const found = graded.get(id);
      return {
        id,
        title: found?.title ?? known.find((one) => one.id === id)?.title ?? id,
        verdict: found?.verdict ?? null,
        automatic: found === undefined || found.verdict === 'error' ? null : found.score,
        outOf: found?.points ?? null,
        manual: manual.get(id) ?? null,
      };
    }),
    attempts: history.attempts.map(({ at, gradings, ...rest }) => ({
      ...rest,
      at: at.toISOString(),
      gradings: gradings.map(({ gradedAt, points, outOf, cause, graderVersion }) => ({
        at: gradedAt.toISOString(),
        points,
        outOf,
        cause,
        graderVersion,
      })),
    })),
    history: historyOf(history),
  };
}

function historyOf({ marks, extensions }: MarkHistory): MarkDetail['history'] {
  const decided = marks.map(({ at, by, exercise, points, comment }) => ({
    at,
    by,
    what: `${exercise ?? 'the whole chapter'}: ${
      comment === null ? (points === null ? 'mark by hand taken back' : `${points} points`) : `“${comment}”`
    }`,
  }));
  const dated = extensions.map(({ at, by, dueAt, groupId }) => ({
    at,
    by,
    what: groupId === null ? 'another date for this learner' : 'another date for the group',
    until: dueAt.toISOString(),
  }));
  // Of the same moment the one that was kept last comes first.
  return [...decided.toReversed(), ...dated.toReversed()]
    .sort((a, b) => b.at.getTime() - a.at.getTime())
    .map(({ at, ...rest }) => ({ ...rest, at: at.toISOString() }));
}
