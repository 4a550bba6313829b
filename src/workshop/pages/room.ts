/** One room: what happens in it now, its most common mistakes, its course in time, what was handed in, its chapters. */

import '@awesome.me/webawesome/dist/components/badge/badge.js';
import '@awesome.me/webawesome/dist/components/tab/tab.js';
import '@awesome.me/webawesome/dist/components/tab-group/tab-group.js';
import '@awesome.me/webawesome/dist/components/tab-panel/tab-panel.js';
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { Announce } from './announce.ts';
import { Book } from './book.ts';
import { Chapters } from './chapters.ts';
import { CodeDialog } from './code-dialog.ts';
import { Grid, selected } from './grid.ts';
import { HandIns } from './hand-ins.ts';
import { assignment, chapter, connected, follow, leave, messages, room, rows, stuck } from './live.ts';
import { Mistakes } from './mistakes.ts';
import { Panel } from './panel.ts';
import { fieldValue, html, timeOf } from './view.ts';
import { may } from './who.ts';

const tab = signal('live');
const showCode = signal(false);

export function RoomPage({ id }: { id: number }) {
  useEffect(() => {
    follow(id);
    return leave;
  }, [id]);
  const now = room.value;
  if (now === undefined) return html`<p class="quiet">Opening the room …</p>`;
  const people = [...rows.value.values()];
  const online = people.filter((row) => row.online).length;
  return html`
    <header class="room-head">
      <div class="where">
        <a href="#/">All rooms</a>
        <h2>${now.title} ${now.closed && html`<wa-badge variant="neutral">closed</wa-badge>`}</h2>
        <p class="quiet">${people.length} learners, ${online} connected
          ${connected.value ? '' : html` · <strong class="bad">not live: connecting again …</strong>`}</p>
      </div>
      <div class="room-tools">
        <label>Chapter
          <select value=${assignment.value?.chapter ?? ''} onChange=${(event: Event) => {
            chapter.value = fieldValue(event);
            selected.value = undefined;
          }}>${now.assignments.map((one) => html`<option key=${one.id} value=${one.chapter}>${one.title}${one.open ? '' : ' (closed)'}</option>`)}</select>
        </label>
        <wa-button variant="brand" onClick=${() => {
          showCode.value = true;
        }}>Code ${spaced(now.code)}</wa-button>
      </div>
    </header>
    <wa-tab-group class="room-tabs" active=${tab.value} onwa-tab-show=${(
      event: CustomEvent<{ name: string }>,
    ) => {
      if (event.detail.name !== undefined) tab.value = event.detail.name;
    }}>
      <wa-tab panel="live">Live</wa-tab>
      <wa-tab panel="mistakes">Mistakes</wa-tab>
      <wa-tab panel="time">Timeline</wa-tab>
      <wa-tab panel="hand-ins">Handed in</wa-tab>
      ${may('manage') && html`<wa-tab panel="book">Gradebook</wa-tab>`}
      <wa-tab panel="chapters">Chapters</wa-tab>
      <wa-tab-panel name="live">
        <div class="live">
          <section class="main" aria-label="Progress">
            <${Announce} />
            <${StuckList} />
            <${Grid} />
          </section>
          <${Panel} />
        </div>
        <${Said} />
      </wa-tab-panel>
      <wa-tab-panel name="mistakes">${tab.value === 'mistakes' && html`<${Mistakes} />`}</wa-tab-panel>
      <wa-tab-panel name="time">${tab.value === 'time' && html`<${Timeline} id=${now.id} />`}</wa-tab-panel>
      <wa-tab-panel name="hand-ins">${tab.value === 'hand-ins' && html`<${HandIns} />`}</wa-tab-panel>
      ${may('manage') && html`<wa-tab-panel name="book">${tab.value === 'book' && html`<${Book} />`}</wa-tab-panel>`}
      <wa-tab-panel name="chapters">${tab.value === 'chapters' && html`<${Chapters} />`}</wa-tab-panel>
    </wa-tab-group>
    <${CodeDialog} open=${showCode.value} onClose=${() => {
      showCode.value = false;
    }} />`;
}

/** In groups of four, as it is read aloud. */
export function spaced(code: string): string {
  return code.replace(/(.{4})(?=.)/g, '$1-');
}

/** More would push the table off the screen. */
const MOST_STUCK = 4;

function StuckList() {
  const all = stuck.value;
  if (all.length === 0) return null;
  const titles = new Map(assignment.value?.exercises.map(({ id, title }) => [id, title]));
  const people = new Set(all.map(({ row }) => row.id)).size;
  return html`<section class="stuck-list" aria-label="Who is stuck">
    <h3>${people === 1 ? 'One learner is' : `${people} learners are`} stuck</h3>
    <ul>${all.slice(0, MOST_STUCK).map(
      ({ row, cell }) => html`<li key=${`${row.id} ${cell.exercise}`}>
      <button class="link" onClick=${() => {
        selected.value = { learner: row.id, exercise: cell.exercise };
      }}>${row.name}</button> · ${titles.get(cell.exercise)} · ${cell.failures} tries
      ${cell.mistake !== undefined && html`<span class="quiet"> · ${cell.mistake}</span>`}</li>`,
    )}</ul>
    ${all.length > MOST_STUCK && html`<p class="quiet">and ${all.length - MOST_STUCK} more cells; order the table by most failures to see them</p>`}
  </section>`;
}

function Said() {
  if (messages.value.length === 0) return null;
  return html`<section class="said"><h3>Said so far</h3><ul>${messages.value.slice(0, 20).map(
    ({
      id,
      kind,
      text,
      exercise,
      at,
    }) => html`<li key=${id}><wa-badge variant="neutral">${kind}</wa-badge> ${timeOf(at)}
      ${exercise === undefined ? '' : html`<code>${exercise}</code>`} <span class="text">${text}</span></li>`,
  )}</ul></section>`;
}

/** Drawn by the server; drawn anew as long as it is looked at. */
function Timeline({ id }: { id: number }) {
  useEffect(() => {
    const timer = setInterval(() => {
      const picture = document.querySelector<HTMLImageElement>('#timeline');
      if (picture !== null) picture.src = `/api/rooms/${id}/timeline.svg?${Date.now()}`;
    }, 10_000);
    return () => clearInterval(timer);
  }, [id]);
  return html`<p class="quiet">Checks a minute, and how many of them passed.</p>
    <img id="timeline" class="chart" src=${`/api/rooms/${id}/timeline.svg`} alt="Checks over time, passed and not passed" />`;
}
