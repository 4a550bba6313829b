/** What was handed in, with its marks as far as it is graded. */

import { useEffect, useState } from 'preact/hooks';
import type { HandInView } from '../protocol.ts';
import { ask } from './api.ts';
import { room } from './live.ts';
import { attempt, html, timeOf } from './view.ts';

export function HandIns() {
  const [list, setList] = useState<readonly HandInView[] | undefined>(undefined);
  const id = room.value?.id;
  useEffect(() => {
    if (id === undefined) return;
    const load = () => attempt(async () => setList(await ask('GET', `/api/rooms/${id}/hand-ins`)));
    void load();
    const timer = setInterval(load, 10_000);
    return () => clearInterval(timer);
  }, [id]);
  if (list === undefined) return html`<p class="quiet">Loading …</p>`;
  if (list.length === 0) {
    return html`<p class="quiet">Nothing is handed in yet. Learners hand in with <code>npx lab hand-in notebooks/03-bert.ipynb</code>.</p>`;
  }
  return html`<p><a href=${`/api/rooms/${id}/hand-ins.zip`}>All notebooks as a zip</a> for <code>npx lab grade</code>.</p>
    <table class="plain"><thead><tr><th>Learner</th><th>Chapter</th><th>Attempt</th><th>When</th><th>Points</th></tr></thead>
    <tbody>${list.map(
      (one) => html`<tr key=${one.id}><td>${one.learner}</td><td>${one.chapter}</td><td>${one.attempt}</td>
        <td>${timeOf(one.at)}${one.late ? ' (late)' : ''}</td>
        <td>${one.points === null ? 'not graded' : `${one.points} of ${one.outOf}`}</td></tr>`,
    )}</tbody></table>`;
}
