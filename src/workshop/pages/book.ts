/** The gradebook of a room: learners × chapters. A cell opens how its mark came about, a heading what can be done with a chapter. */

import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { BookView, MarkView } from '../book-protocol.ts';
import { ask } from './api.ts';
import { ChapterPanel } from './chapter-panel.ts';
import { group } from './grid.ts';
import { onGridKey } from './grid-keys.ts';
import { room } from './live.ts';
import { MarkPanel } from './mark-panel.ts';
import { attempt, fieldValue, html, tell, timeOf } from './view.ts';

export const book = signal<BookView | undefined>(undefined);
/** What the panel beside the table shows. */
const chosen = signal<{ learner?: number; chapter: string } | undefined>(undefined);
const filter = signal('');
const everyChapter = signal(false);
const REFRESH = 15_000;

export function Book() {
  const id = room.value?.id;
  useEffect(() => {
    if (id === undefined) return;
    book.value = undefined;
    chosen.value = undefined;
    const load = () => loadBook(id);
    void load();
    const timer = setInterval(load, REFRESH);
    return () => clearInterval(timer);
  }, [id]);
  const now = book.value;
  if (now === undefined || id === undefined) return html`<p class="quiet">Loading …</p>`;
  return html`<div class="live">
    <section class="main" aria-label="Gradebook"><${Tools} now=${now} id=${id} /><${Table} now=${now} /></section>
    <${Side} now=${now} id=${id} />
  </div>`;
}

export function loadBook(id: number): Promise<boolean> {
  return attempt(async () => {
    book.value = await ask<BookView>('GET', `/api/rooms/${id}/book`);
  });
}

function Tools({ now, id }: { now: BookView; id: number }) {
  const pull = (): void => {
    tell('Asking the platform who is in the course …');
    void attempt(async () => {
      const { added, matched } = await ask<{ added: number; matched: number }>(
        'POST',
        `/api/rooms/${id}/pull-roster`,
      );
      tell(`${added} learners added, ${matched} known by their e-mail.`);
      await loadBook(id);
    });
  };
  return html`<div class="grid-tools">
    <label>Find <input type="search" placeholder="a name" value=${filter.value} onInput=${(event: Event) => {
      filter.value = fieldValue(event);
    }} /></label>
    ${
      now.groups.length > 0 &&
      html`<label>Group <select value=${group.value} onChange=${(event: Event) => {
        group.value = fieldValue(event);
      }}><option value="">all</option>${now.groups.map(({ name }) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>`
    }
    <label><input type="checkbox" checked=${everyChapter.value} onChange=${() => {
      everyChapter.value = !everyChapter.value;
    }} /> chapters without a mark too</label>
    ${now.pulls && html`<wa-button size="s" appearance="outlined" onClick=${pull}>Fetch the roster of the platform</wa-button>`}
    <span class="legend"><b class="late">2 d</b> late <b>✎</b> marked by hand <b>…</b> not graded</span>
  </div>`;
}

/** As a sign, a colour and words: none of them alone carries the meaning. */
export function lookOfMark(mark: MarkView): { sign: string; className: string; words: string } {
  const { status, points, outOf, daysLate, manual } = mark;
  if (status === 'missing') return { sign: '·', className: 'none', words: 'nothing handed in' };
  const late = daysLate === 0 ? '' : `, ${daysLate} ${daysLate === 1 ? 'day' : 'days'} late`;
  if (status === 'pending') return { sign: '…', className: 'pending', words: `not graded yet${late}` };
  const full = outOf !== null && points !== null && points >= outOf;
  return {
    sign: `${points}${manual ? ' ✎' : ''}`,
    className: full ? 'pass' : '',
    words: `${points}${outOf === null ? '' : ` of ${outOf}`} points${late}${manual ? ', marked by hand' : ''}`,
  };
}

function Table({ now }: { now: BookView }) {
  const wanted = filter.value.toLowerCase();
  const rows = now.rows
    .filter(
      (row) => row.name.toLowerCase().includes(wanted) && (group.value === '' || row.group === group.value),
    )
    .sort((a, b) => new Intl.Collator(undefined, { numeric: true }).compare(a.name, b.name));
  const columns = now.assignments
    .map((one, index) => ({ ...one, index }))
    .filter(
      ({ index }) =>
        everyChapter.value || now.rows.some(({ marks }) => (marks[index]?.status ?? 'missing') !== 'missing'),
    );
  if (now.rows.length === 0) return html`<p class="quiet">Nobody is in this room yet.</p>`;
  if (columns.length === 0) {
    return html`<p class="quiet">Nothing is handed in yet. Marks come
      from <code>npx lab gradebook collect</code>, <code>npx lab grade</code> and <code>npx lab gradebook grade</code>; to mark by hand, show the chapters without a mark.</p>`;
  }
  return html`<div class="grid-scroll" tabindex="-1"><table class="grid book" onKeyDown=${onGridKey} aria-label="Learners and chapters">
    <thead><tr><th scope="col" class="corner">${rows.length} learners</th>
      ${columns.map(
        (
          one,
        ) => html`<th scope="col" key=${one.id}><button tabindex="-1" class=${chosen.value?.chapter === one.chapter && chosen.value.learner === undefined ? 'chosen' : ''}
          aria-label=${`${one.title}: what can be done with the chapter`} onClick=${() => {
            chosen.value = { chapter: one.chapter };
          }}><span class="exercise">${one.title}</span><span class="number">${one.dueAt === null ? '' : `due ${timeOf(one.dueAt)}`}${one.released ? ' · released' : ''}</span></button></th>`,
      )}</tr></thead>
    <tbody>${rows.map(
      (
        row,
        i,
      ) => html`<tr key=${row.id}><th scope="row"><button tabindex=${i === 0 ? 0 : -1} onClick=${() => {
        const [first] = columns;
        if (first !== undefined) chosen.value = { learner: row.id, chapter: first.chapter };
      }}>${row.name}${row.group !== null && html`<small class="quiet group">${row.group}</small>`}</button></th>
        ${columns.map((one) => html`<${MarkCell} key=${one.id} row=${row} chapter=${one.chapter} title=${one.title} mark=${row.marks[one.index]} />`)}</tr>`,
    )}</tbody></table></div>`;
}

function MarkCell({
  row,
  chapter,
  title,
  mark,
}: {
  row: BookView['rows'][number];
  chapter: string;
  title: string;
  mark: MarkView | undefined;
}) {
  if (mark === undefined) return html`<td></td>`;
  const { sign, className, words } = lookOfMark(mark);
  const here = chosen.value?.learner === row.id && chosen.value.chapter === chapter;
  return html`<td class=${className}><button tabindex="-1" class=${here ? 'chosen' : ''} title=${`${row.name}, ${title}: ${words}`}
    aria-label=${`${row.name}, ${title}: ${words}`} onClick=${() => {
      chosen.value = { learner: row.id, chapter };
    }}>${sign}${mark.daysLate > 0 && html` <small class="late">${mark.daysLate} d</small>`}</button></td>`;
}

function Side({ now, id }: { now: BookView; id: number }) {
  const choice = chosen.value;
  const one = now.assignments.find(({ chapter }) => chapter === choice?.chapter);
  const changed = (): void => void loadBook(id);
  const column = now.assignments.findIndex(({ chapter }) => chapter === choice?.chapter);
  const graded = now.rows.filter(({ marks }) => marks[column]?.status === 'graded').length;
  if (choice === undefined || one === undefined) {
    return html`<aside class="panel quiet"><p>Choose a mark to see how it came about and to change it, or the heading of a chapter to release its marks.</p></aside>`;
  }
  return choice.learner === undefined
    ? html`<${ChapterPanel} key=${one.chapter} one=${one} groups=${now.groups} room=${id} graded=${graded} onChange=${changed} />`
    : html`<${MarkPanel} key=${`${choice.learner} ${one.chapter}`} learner=${choice.learner} chapter=${one.chapter} groups=${now.groups} room=${id} onChange=${changed} />`;
}
