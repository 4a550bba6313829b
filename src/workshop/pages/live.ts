/** The room as it is now: all of it once, then what changes. */

import { computed, signal } from '@preact/signals';
import type { AssignmentView, Cell, LearnerRow, LiveEvent, RoomMessage, RoomView } from '../protocol.ts';

/** What the room is, without its learners. */
export const room = signal<Omit<RoomView, 'rows' | 'messages'> | undefined>(undefined);
export const rows = signal<ReadonlyMap<number, LearnerRow>>(new Map());
export const messages = signal<readonly RoomMessage[]>([]);
/** Whether changes arrive. */
export const connected = signal(false);
/** The chapter that is looked at. */
export const chapter = signal<string | undefined>(undefined);

/** The chapter looked at, or failing that the first open one. */
export const assignment = computed<AssignmentView | undefined>(() => {
  const all = room.value?.assignments ?? [];
  return all.find((one) => one.chapter === chapter.value) ?? all.find((one) => one.open) ?? all[0];
});

let source: EventSource | undefined;

/** Follows a room, until another is followed or `leave`. The browser connects again by itself. */
export function follow(id: number): void {
  leave();
  source = new EventSource(`/api/rooms/${id}/live`);
  source.onopen = () => {
    connected.value = true;
  };
  source.onerror = () => {
    connected.value = false;
    // Refused for good (closed by the browser): the login has ended.
    if (source?.readyState === EventSource.CLOSED) location.assign('/login');
  };
  source.onmessage = ({ data }: MessageEvent<string>) => receive(JSON.parse(data) as LiveEvent);
}

export function leave(): void {
  source?.close();
  source = undefined;
  connected.value = false;
  room.value = undefined;
  rows.value = new Map();
  messages.value = [];
}

function receive(event: LiveEvent): void {
  if (event.type === 'room') {
    const { rows: all, messages: said, ...rest } = event.room;
    room.value = rest;
    rows.value = new Map(all.map((row) => [row.id, row]));
    messages.value = said;
  } else if (event.type === 'rows') {
    const next = new Map(rows.value);
    for (const row of event.rows) next.set(row.id, row);
    rows.value = next;
  } else {
    messages.value = [event.message, ...messages.value.filter(({ id }) => id !== event.message.id)];
  }
}

/** A learner who has failed an exercise so often since it last passed is taken to be stuck. */
export const STUCK_AFTER = 3;

export interface Stuck {
  readonly row: LearnerRow;
  readonly cell: Cell;
}

/** Who is stuck in the chapter looked at: the most failures first. */
export const stuck = computed<readonly Stuck[]>(() => {
  const wanted = new Set(assignment.value?.exercises.map(({ id }) => id));
  const found: Stuck[] = [];
  for (const row of rows.value.values()) {
    for (const cell of row.cells) {
      if (wanted.has(cell.exercise) && cell.verdict !== 'pass' && cell.failures >= STUCK_AFTER)
        found.push({ row, cell });
    }
  }
  return found.sort(
    (a, b) => b.cell.failures - a.cell.failures || a.cell.lastAt.localeCompare(b.cell.lastAt),
  );
});
