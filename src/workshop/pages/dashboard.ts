/** The instructor's page: all rooms, or one. */

import { signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { RoomSummary } from '../protocol.ts';
import { ask, useCsrf } from './api.ts';
import { RoomPage, spaced } from './room.ts';
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
import '@awesome.me/webawesome/dist/components/input/input.js';

interface Me {
  readonly name: string;
  readonly role: string;
  readonly csrf: string;
}

const me = signal<Me | undefined>(undefined);
/** The number of the room in `#/rooms/3`. */
const at = signal(roomIn(location.hash));

function roomIn(hash: string): number | undefined {
  const found = /^#\/rooms\/(\d+)$/.exec(hash);
  return found?.[1] === undefined ? undefined : Number(found[1]);
}

function App() {
  if (me.value === undefined) return html`<p class="quiet">Loading …</p>`;
  return html`
    <header class="top">
      <a class="brand" href="#/">LLM Lab <span>workshop</span></a>
      <nav>
        <button class="plain-button" onClick=${switchSize} title="Larger type, for a projector">Aa</button>
        <button class="plain-button" onClick=${switchTheme} title="Light or dark">◐</button>
        <span class="quiet">${me.value.name}</span>
        <button class="plain-button" onClick=${logout}>Log out</button>
      </nav>
    </header>
    <main>${at.value === undefined ? html`<${Rooms} />` : html`<${RoomPage} id=${at.value} />`}</main>
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
  at.value = roomIn(location.hash);
});
const root = document.querySelector('#app');
if (root !== null) render(html`<${App} />`, root as HTMLElement);
try {
  me.value = await ask<Me>('GET', '/api/me');
  useCsrf(me.value.csrf);
} catch {
  location.assign('/login');
}
