/** The mistakes that most learners have made in the chapter looked at, with a sample of the code. */

import { useEffect, useState } from 'preact/hooks';
import type { MistakeCount } from '../protocol.ts';
import { ask } from './api.ts';
import { assignment, room, rows } from './live.ts';
import { attempt, html } from './view.ts';

export function Mistakes() {
  const [counts, setCounts] = useState<readonly MistakeCount[] | undefined>(undefined);
  const id = room.value?.id;
  const chapter = assignment.value?.chapter;
  useEffect(() => {
    if (id === undefined || chapter === undefined) return;
    void attempt(async () => setCounts(await ask('GET', `/api/rooms/${id}/mistakes?chapter=${chapter}`)));
  }, [id, chapter]);
  if (counts === undefined) return html`<p class="quiet">Counting …</p>`;
  if (counts.length === 0) return html`<p class="quiet">Nobody has made a mistake in this chapter yet.</p>`;
  const titles = new Map(assignment.value?.exercises.map((one) => [one.id, one.title]));
  const all = Math.max(1, rows.value.size);
  return html`<ol class="mistakes">${counts.map(
    ({ exercise, mistake, learners, times, sample }) => html`<li key=${`${exercise} ${mistake}`}>
      <h4>${titles.get(exercise) ?? exercise}</h4>
      <p>${mistake}</p>
      <p class="quiet"><span class="share"><span style=${{ width: `${(100 * learners) / all}%` }}></span></span>
        ${learners} ${learners === 1 ? 'learner' : 'learners'}, ${times} ${times === 1 ? 'time' : 'times'}</p>
      ${sample !== null && html`<details><summary>A sample</summary><pre>${sample}</pre></details>`}
    </li>`,
  )}</ol>`;
}
