/** The instructor's page: all rooms, or one. */

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { RoomSummary } from '../protocol.ts';
import { ask, useCsrf } from './api.ts';
import { Links } from './links.ts';
import { RoomPage, spaced } from './room.ts';
import { Staff } from './staff.ts';
import {
  attempt,
  fieldValue,
  html,
  Notice,
  render,
  startSize,
  startTheme,
  switchSize,
  switchTheme,
  timeOf,
} from './view.ts';
import { type Me, may, me } from './who.ts';
import '@awesome.me/webawesome/dist/components/input/input.js';

/** What is looked at: the name of a page and the number behind it, as in `#/rooms/3`. */
const at = signal(placeIn(location.hash));

interface Place {
  readonly page: 'rooms' | 'links' | 'staff';
  readonly id?: number;
}

function placeIn(hash: string): Place {
  const [, page, id] = /^#\/(rooms|links|staff)(?:\/(\d+))?$/.exec(hash) ?? [];
  const number = id === undefined ? {} : { id: Number(id) };
  return { page: page === 'links' || page === 'staff' ? page : 'rooms', ...number };
}

function Page() {
  const { page, id } = at.value;
  if (page === 'staff') return html`<${Staff} />`;
  if (page === 'links') return html`<${Links} wanted=${id} />`;
  return id === undefined ? html`<${Rooms} />` : html`<${RoomPage} id=${id} />`;
}

function App() {
  if (me.value === undefined) return html`<p class="quiet">Loading …</p>`;
  return html`
    <header class="top">
      <a class="brand" href="#/">LLM Lab <span>workshop</span></a>
      <nav>
        ${may('manage') && html`<a href="#/links">Platforms</a>`}
        ${may('staff') && html`<a href="#/staff">Staff</a>`}
        <button class="plain-button" onClick=${switchSize} title="Larger type, for a projector">Aa</button>
        <button class="plain-button" onClick=${switchTheme} title="Light or dark">◐</button>
        <span class="quiet">${me.value.name}</span>
        <button class="plain-button" onClick=${logout}>Log out</button>
      </nav>
    </header>
    <main><${Page} /></main>
    <${Notice} />`;
}

function logout(): void {
  void attempt(async () => {
    await ask('POST', '/api/logout');
    location.assign('/login');
  });
}

function Rooms() {
  const [list, setList] = useState<readonly RoomSummary[] | undefined>(undefined);
  const [title, setTitle] = useState('');
  useEffect(() => {
    void attempt(async () => setList(await ask('GET', '/api/rooms')));
  }, []);
  const create = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      const made = await ask<{ id: number }>('POST', '/api/rooms', { title });
      location.hash = `#/rooms/${made.id}`;
    });
  };
  return html`
    <h2>Rooms</h2>
    <form class="announce" onSubmit=${create}>
      <wa-input label="A new room" placeholder="for example: Transformers, Monday" value=${title}
        onInput=${(event: Event) => setTitle(fieldValue(event))}></wa-input>
      <wa-button type="submit" variant="brand" disabled=${title.trim() === ''}>Open a room</wa-button>
    </form>
    ${
      list !== undefined &&
      list.length > 0 &&
      html`<table class="plain"><thead><tr><th>Room</th><th>Code</th><th>Learners</th><th>Opened</th></tr></thead>
      <tbody>${list.map(
        (
          one,
        ) => html`<tr key=${one.id}><td><a href=${`#/rooms/${one.id}`}>${one.title}</a>${one.closed ? ' (closed)' : ''}</td>
          <td><code>${spaced(one.code)}</code></td><td>${one.learners}</td><td>${timeOf(one.createdAt)}</td></tr>`,
      )}</tbody></table>`
    }
    ${list?.length === 0 && html`<p class="quiet">No room yet. A room has a code that learners join with.</p>`}`;
}

startTheme();
startSize();
addEventListener('hashchange', () => {
  at.value = placeIn(location.hash);
});
const root = document.querySelector('#app');
if (root !== null) render(html`<${App} />`, root as HTMLElement);
try {
  me.value = await ask<Me>('GET', '/api/me');
  useCsrf(me.value.csrf);
} catch {
  location.assign('/login');
}
