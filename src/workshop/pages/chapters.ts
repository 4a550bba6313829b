/** Which chapters are open and until when, and the settings of the room. */

import '@awesome.me/webawesome/dist/components/switch/switch.js';
import type { AssignmentView } from '../protocol.ts';
import { ask } from './api.ts';
import { room } from './live.ts';
import { attempt, checkedOf, fieldValue, html, localField, tell } from './view.ts';

export function Chapters() {
  const now = room.value;
  if (now === undefined) return null;
  const save = (one: AssignmentView, change: { open?: boolean; dueAt?: string | null }): void => {
    void attempt(async () => {
      await ask('PUT', `/api/rooms/${now.id}/chapters/${one.chapter}`, change);
      tell(`${one.title} is saved.`);
    });
  };
  const settings = (change: { asksForCode?: boolean; closed?: boolean }): void => {
    void attempt(async () => {
      await ask('PATCH', `/api/rooms/${now.id}`, change);
      tell('Saved.');
    });
  };
  return html`
    <table class="plain"><thead><tr><th>Chapter</th><th>Exercises</th><th>Open</th><th>Due</th></tr></thead>
    <tbody>${now.assignments.map(
      (one) => html`<tr key=${one.id}>
        <td>${one.title}</td><td>${one.exercises.length}</td>
        <td><wa-switch aria-label=${`${one.title} is open`} checked=${one.open} onChange=${(event: Event) => save(one, { open: checkedOf(event) })}></wa-switch></td>
        <td><input type="datetime-local" aria-label=${`${one.title} is due`} value=${localField(one.dueAt)} onChange=${(
          event: Event,
        ) => {
          const value = fieldValue(event);
          save(one, { dueAt: value === '' ? null : new Date(value).toISOString() });
        }} /></td>
      </tr>`,
    )}</tbody></table>
    <p><wa-switch checked=${now.asksForCode} onChange=${(event: Event) => settings({ asksForCode: checkedOf(event) })}>
      Ask for the code of the answers. Learners see that it is sent.</wa-switch></p>
    <p><wa-switch checked=${now.closed} onChange=${(event: Event) => settings({ closed: checkedOf(event) })}>
      The room is closed: nobody joins, nothing is recorded.</wa-switch></p>
    <p>Marks as CSV: ${['csv', 'canvas', 'moodle', 'gradescope'].map(
      (format) =>
        html`<a class="hand-in" key=${format} href=${`/api/rooms/${now.id}/grades.csv?format=${format}`}>${format === 'csv' ? 'table' : format}</a>`,
    )}</p>`;
}
