/** Beside the grid: one learner, or one exercise of one learner, and what the instructor can say to them. */

import '@awesome.me/webawesome/dist/components/textarea/textarea.js';
import { useEffect, useState } from 'preact/hooks';
import type { CheckEntry } from '../protocol.ts';
import { ask } from './api.ts';
import { lookOf, selected } from './grid.ts';
import { assignment, room, rows } from './live.ts';
import { attempt, fieldValue, html, tell, timeOf } from './view.ts';

export function Panel() {
  const choice = selected.value;
  const row = choice === undefined ? undefined : rows.value.get(choice.learner);
  const [history, setHistory] = useState<readonly CheckEntry[]>([]);
  const exercise = choice?.exercise;
  const state = row?.cells.find((cell) => cell.exercise === exercise);
  const id = room.value?.id;
  useEffect(() => {
    setHistory([]);
    if (id === undefined || choice === undefined) return;
    const query = exercise === undefined ? '' : `?exercise=${encodeURIComponent(exercise)}`;
    void attempt(async () =>
      setHistory(await ask('GET', `/api/rooms/${id}/learners/${choice.learner}/checks${query}`)),
    );
  }, [id, choice?.learner, exercise, state?.attempts]);
  if (row === undefined || choice === undefined) {
    return html`<aside class="panel quiet"><p>Choose a cell to see what was tried, or a name to see a learner.</p></aside>`;
  }
  const title = assignment.value?.exercises.find((one) => one.id === exercise)?.title;
  return html`<aside class="panel" aria-label=${`About ${row.name}`}>
    <h3>${row.name}${row.pseudonym ? html` <small>(pseudonym)</small>` : ''}</h3>
    ${exercise === undefined ? html`<p>${row.joinedAt === null ? 'On the list of names, not joined yet' : `Joined ${timeOf(row.joinedAt)}`}, ${row.online ? 'connected' : 'not connected'}.</p>` : html`<p><strong>${title}</strong><br />${lookOf(state).words}</p>`}
    ${history.length > 0 && html`<ol class="history">${history.map((one) => html`<${Entry} key=${one.id} entry=${one} withName=${exercise === undefined} />`)}</ol>`}
    <${Say} learner=${row.id} exercise=${exercise} name=${row.name} />
  </aside>`;
}

function Entry({ entry, withName }: { entry: CheckEntry; withName: boolean }) {
  const { verdict, exercise, checkedAt, mistake, code } = entry;
  const sign = verdict === 'pass' ? '✓' : verdict === 'fail' ? '✗' : '!';
  return html`<li class=${verdict}>
    <span><b>${sign}</b> ${timeOf(checkedAt)}${withName ? ` · ${exercise}` : ''}</span>
    ${mistake !== null && html`<p>${mistake}</p>`}
    ${
      code !== null &&
      html`<details><summary>Code</summary><pre>${code}</pre>
      <wa-button size="s" onClick=${() => spotlight(exercise, code)}>Show to the room</wa-button></details>`
    }
  </li>`;
}

/** A solution for everybody to look at; the room is not told whose. */
function spotlight(exercise: string, code: string): void {
  const id = room.value?.id;
  if (!confirm('Show this code, without a name, in the notebooks of the whole room?')) return;
  void attempt(async () => {
    await ask('POST', `/api/rooms/${id}/messages`, { kind: 'spotlight', text: code, exercise });
    tell('Shown to the room.');
  });
}

function Say({ learner, exercise, name }: { learner: number; exercise: string | undefined; name: string }) {
  const [text, setText] = useState('');
  const send = (): void => {
    void attempt(async () => {
      const body = {
        kind: 'hint',
        text,
        learnerId: learner,
        ...(exercise === undefined ? {} : { exercise }),
      };
      await ask('POST', `/api/rooms/${room.value?.id}/messages`, body);
      setText('');
      tell(`${name} sees it in their notebook.`);
    });
  };
  return html`<wa-textarea label=${`A hint for ${name}`} rows="3" value=${text} onInput=${(event: Event) => setText(fieldValue(event))}></wa-textarea>
    <wa-button variant="brand" size="s" disabled=${text.trim() === ''} onClick=${send}>Send the hint</wa-button>`;
}
