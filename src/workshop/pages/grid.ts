/** Learners × exercises. One table; arrow keys move in it, Enter opens what a cell stands for. */

import { signal } from '@preact/signals';
import type { Cell, LearnerRow } from '../protocol.ts';
import { onGridKey } from './grid-keys.ts';
import { assignment, rows, STUCK_AFTER } from './live.ts';
import { fieldValue, html, timeOf } from './view.ts';

export type Order = 'name' | 'done' | 'stuck' | 'recent';

/** What is looked at in the panel beside the grid. */
export const selected = signal<{ learner: number; exercise?: string } | undefined>(undefined);
const order = signal<Order>('name');
const filter = signal('');
/** '' for everybody. */
export const group = signal('');

export interface CellLook {
  readonly sign: string;
  readonly className: string;
  readonly words: string;
}

/** A cell as a sign, a colour and words: none of them alone carries the meaning. */
export function lookOf(cell: Cell | undefined): CellLook {
  if (cell === undefined) return { sign: '·', className: 'none', words: 'not tried' };
  const tries = `${cell.attempts} ${cell.attempts === 1 ? 'try' : 'tries'}`;
  if (cell.verdict === 'pass') return { sign: '✓', className: 'pass', words: `passed, ${tries}` };
  if (cell.verdict === 'error')
    return { sign: '!', className: 'error', words: `could not be checked, ${tries}` };
  const className = cell.failures >= STUCK_AFTER ? 'fail stuck' : 'fail';
  return {
    sign: `✗${cell.failures}`,
    className,
    words: `not passed, ${tries}${cell.mistake === undefined ? '' : `: ${cell.mistake}`}`,
  };
}

function lastOf(row: LearnerRow): string {
  return row.cells.reduce((last, { lastAt }) => (lastAt > last ? lastAt : last), row.joinedAt ?? '');
}

function sorted(ids: ReadonlySet<string>): LearnerRow[] {
  const cells = (row: LearnerRow) => row.cells.filter(({ exercise }) => ids.has(exercise));
  const done = (row: LearnerRow) => cells(row).filter(({ verdict }) => verdict === 'pass').length;
  const worst = (row: LearnerRow) =>
    Math.max(0, ...cells(row).map(({ verdict, failures }) => (verdict === 'pass' ? 0 : failures)));
  const wanted = filter.value.toLowerCase();
  const names = new Intl.Collator(undefined, { numeric: true });
  return [...rows.value.values()]
    .filter(
      (row) => row.name.toLowerCase().includes(wanted) && (group.value === '' || row.group === group.value),
    )
    .sort((a, b) => {
      if (order.value === 'done') return done(b) - done(a) || names.compare(a.name, b.name);
      if (order.value === 'stuck') return worst(b) - worst(a) || names.compare(a.name, b.name);
      if (order.value === 'recent') return lastOf(b).localeCompare(lastOf(a));
      return names.compare(a.name, b.name);
    });
}

export function Grid() {
  const exercises = assignment.value?.exercises ?? [];
  const ids = new Set(exercises.map(({ id }) => id));
  const shown = sorted(ids);
  if (assignment.value === undefined) {
    return html`<p class="quiet">No chapter is open in this room. Open one under <strong>Chapters</strong>.</p>`;
  }
  if (rows.value.size === 0) {
    return html`<p class="quiet">Nobody is here yet. Show the code of the room: learners appear as they join.</p>`;
  }
  return html`
    <div class="grid-tools">
      <label>Find <input type="search" placeholder="a name" value=${filter.value} onInput=${(
        event: Event,
      ) => {
        filter.value = fieldValue(event);
      }} /></label>
      <label>Order
        <select value=${order.value} onChange=${(event: Event) => {
          order.value = fieldValue(event) as Order;
        }}>
          <option value="name">by name</option>
          <option value="stuck">most failures first</option>
          <option value="done">most done first</option>
          <option value="recent">last active first</option>
        </select>
      </label>
      <${GroupChoice} />
      <span class="legend"><b class="pass">✓</b> passed <b class="fail">✗2</b> failed twice <b class="fail stuck">✗3</b> stuck
        <b class="none">·</b> not tried</span>
    </div>
    <div class="grid-scroll" tabindex="-1">
      <table class="grid" onKeyDown=${onGridKey} aria-label="Learners and exercises">
        <thead><tr>
          <th scope="col" class="corner">${shown.length} learners</th>
          ${exercises.map(({ id, title }, i) => html`<${Heading} key=${id} id=${id} title=${title} shown=${shown} number=${i + 1} />`)}
        </tr></thead>
        <tbody>${shown.map((row, i) => html`<${Line} key=${row.id} row=${row} ids=${exercises} first=${i === 0} chosen=${selected.value?.learner === row.id ? (selected.value.exercise ?? '') : undefined} />`)}</tbody>
      </table>
    </div>`;
}

/** Which group is looked at, where there are groups. */
export function GroupChoice() {
  const names = new Set([...rows.value.values()].flatMap((row) => row.group ?? []));
  if (names.size === 0) return null;
  const sortedNames = [...names].sort(new Intl.Collator(undefined, { numeric: true }).compare);
  return html`<label>Group
    <select value=${group.value} onChange=${(event: Event) => {
      group.value = fieldValue(event);
    }}>
      <option value="">all</option>
      ${sortedNames.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
    </select>
  </label>`;
}

function Heading({
  id,
  title,
  shown,
  number,
}: {
  id: string;
  title: string;
  shown: readonly LearnerRow[];
  number: number;
}) {
  const passed = shown.filter(({ cells }) =>
    cells.some(({ exercise, verdict }) => exercise === id && verdict === 'pass'),
  ).length;
  const share = shown.length === 0 ? 0 : passed / shown.length;
  return html`<th scope="col" title=${`${title} (${id})`}>
    <span class="exercise"><span class="number">${number}</span> ${title}</span>
    <span class="share" aria-label=${`${passed} of ${shown.length} have passed`}><span style=${{ width: `${100 * share}%` }}></span></span>
  </th>`;
}

interface LineProps {
  readonly row: LearnerRow;
  readonly ids: readonly { readonly id: string; readonly title: string }[];
  /** The first cell of the first line is where the Tab key enters. */
  readonly first: boolean;
  /** The exercise whose cell is chosen; '' for the learner as a whole. */
  readonly chosen: string | undefined;
}

function Line({ row, ids, first, chosen }: LineProps) {
  const cells = new Map(row.cells.map((cell) => [cell.exercise, cell]));
  return html`<tr>
    <th scope="row">
      <button tabindex=${first ? 0 : -1} class=${chosen === '' ? 'chosen' : ''} onClick=${() => {
        selected.value = { learner: row.id };
      }}><span class=${row.online ? 'dot online' : 'dot'} title=${row.online ? 'connected' : 'not connected'}></span>${row.name}</button>
    </th>
    ${ids.map(({ id, title }) => {
      const cell = cells.get(id);
      const look = lookOf(cell);
      const when = cell === undefined ? '' : `, ${timeOf(cell.lastAt)}`;
      return html`<td class=${look.className} key=${id}>
        <button tabindex="-1" class=${chosen === id ? 'chosen' : ''} title=${`${row.name}, ${title}: ${look.words}${when}`}
          aria-label=${`${row.name}, ${title}: ${look.words}`} onClick=${() => {
            selected.value = { learner: row.id, exercise: id };
          }}>${look.sign}</button>
      </td>`;
    })}
  </tr>`;
}
