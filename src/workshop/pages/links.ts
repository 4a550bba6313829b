/** Links of learning platforms, and the chapters they lead to. */

import { useEffect, useState } from 'preact/hooks';
import type { LinkView } from '../book-protocol.ts';
import type { RoomSummary } from '../protocol.ts';
import { ask } from './api.ts';
import { attempt, fieldValue, html, tell } from './view.ts';

interface Choice {
  readonly rooms: readonly RoomSummary[];
  /** By room. */
  readonly chapters: readonly { readonly chapter: string; readonly title: string }[];
}

/** @param wanted the link that somebody came by and that leads nowhere yet */
export function Links({ wanted }: { wanted?: number | undefined }) {
  const [links, setLinks] = useState<readonly LinkView[] | undefined>(undefined);
  const [choice, setChoice] = useState<Choice>({ rooms: [], chapters: [] });
  const load = async (): Promise<void> => {
    setLinks(await ask('GET', '/api/links'));
    const [rooms, chapters] = await Promise.all([
      ask<readonly RoomSummary[]>('GET', '/api/rooms'),
      ask<Choice['chapters']>('GET', '/api/chapters'),
    ]);
    setChoice({ rooms, chapters });
  };
  useEffect(() => {
    void attempt(load);
  }, []);
  if (links === undefined) return html`<p class="quiet">Loading …</p>`;
  return html`<a href="#/">All rooms</a>
    <h2>Links of learning platforms</h2>
    ${
      links.length === 0
        ? html`<p class="quiet">No link was opened yet. Register a platform with <code>npx lab gradebook lti add</code> (end the server for it, unless it
            works on a database server), make an activity there
            that opens this tool, and open it once as its instructor.</p>`
        : html`<table class="plain wide"><thead><tr><th>Link</th><th>Platform</th><th>Leads to</th></tr></thead>
          <tbody>${links.map((one) => html`<${Line} key=${one.id} link=${one} choice=${choice} wanted=${one.id === wanted} onSaved=${load} />`)}</tbody></table>`
    }`;
}

function Line({
  link,
  choice,
  wanted,
  onSaved,
}: {
  link: LinkView;
  choice: Choice;
  wanted: boolean;
  onSaved: () => Promise<void>;
}) {
  const [room, setRoom] = useState(link.roomId === null ? '' : String(link.roomId));
  const [chapter, setChapter] = useState(link.chapter ?? '');
  const title = link.title ?? `link ${link.id}`;
  const save = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      await ask('PUT', `/api/links/${link.id}`, { roomId: Number(room), chapter });
      tell(`${title} leads to ${chapter}.`);
      await onSaved();
    });
  };
  return html`<tr class=${wanted && link.chapter === null ? 'wanted' : ''}>
    <td>${title}${link.chapter === null ? html` <strong class="bad">leads nowhere yet</strong>` : ''}</td>
    <td>${link.platform}</td>
    <td><form class="inline" onSubmit=${save}>
      <label>Room <select value=${room} onChange=${(event: Event) => setRoom(fieldValue(event))}>
        <option value="">choose</option>
        ${choice.rooms.map((one) => html`<option key=${one.id} value=${String(one.id)}>${one.title}</option>`)}</select></label>
      <label>Chapter <select value=${chapter} onChange=${(event: Event) => setChapter(fieldValue(event))}>
        <option value="">choose</option>
        ${choice.chapters.map((one) => html`<option key=${one.chapter} value=${one.chapter}>${one.title}</option>`)}</select></label>
      <wa-button type="submit" size="s" disabled=${room === '' || chapter === ''}>Save<span class="hidden"> ${title}</span></wa-button>
    </form></td></tr>`;
}
