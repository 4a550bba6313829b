/** What can be done with the marks of a whole chapter: releasing them, sending them to a learning platform, another date for a group. */

import '@awesome.me/webawesome/dist/components/switch/switch.js';
import { useState } from 'preact/hooks';
import type { BookView, GroupView, PassedMarkView } from '../book-protocol.ts';
import { ask } from './api.ts';
import { attempt, checkedOf, fieldValue, html, tell, timeOf } from './view.ts';

interface Props {
  readonly one: BookView['assignments'][number];
  readonly groups: readonly GroupView[];
  readonly room: number;
  /** How many have a mark. */
  readonly graded: number;
  readonly onChange: () => void;
}

export function ChapterPanel({ one, groups, room, graded, onChange }: Props) {
  const release = (released: boolean): void => {
    void attempt(async () => {
      await ask('PUT', `/api/rooms/${room}/chapters/${one.chapter}`, { released });
      tell(released ? 'Learners see their marks on their own pages.' : 'Learners see no marks any more.');
      onChange();
    });
  };
  return html`<aside class="panel" aria-label=${`About ${one.title}`}>
    <h3>${one.title}</h3>
    <p>${one.dueAt === null ? 'No due date' : `Due ${timeOf(one.dueAt)}`}</p>
    <p><wa-switch checked=${one.released} onChange=${(event: Event) => release(checkedOf(event))}>Learners see their marks</wa-switch></p>
    ${graded > 0 && html`<img class="chart" key=${graded} src=${`/api/rooms/${room}/chapters/${one.chapter}/marks.svg`} alt=${`How the marks of ${graded} learners are spread`} />`}
    ${one.linked ? html`<${PassBack} one=${one} room=${room} />` : html`<p class="quiet">No link of a learning platform leads here.</p>`}
    ${groups.length > 0 && html`<${GroupDate} one=${one} groups=${groups} room=${room} onChange=${onChange} />`}
  </aside>`;
}

function PassBack({ one, room }: Pick<Props, 'one' | 'room'>) {
  const [results, setResults] = useState<readonly PassedMarkView[] | undefined>(undefined);
  const [busy, setBusy] = useState(false);
  const send = async (): Promise<void> => {
    setBusy(true);
    await attempt(async () =>
      setResults(await ask('POST', `/api/rooms/${room}/chapters/${one.chapter}/passback`)),
    );
    setBusy(false);
  };
  const count = (outcome: PassedMarkView['outcome']) =>
    results?.filter((result) => result.outcome === outcome).length ?? 0;
  const failed = results?.filter(({ outcome }) => outcome === 'failed') ?? [];
  return html`<wa-button onClick=${send} disabled=${busy}>${busy ? 'Sending …' : 'Send the marks to the platform'}</wa-button>
    <div role="status">${
      results !== undefined &&
      html`<p>${count('sent')} sent, ${count('unchanged')} as they were, ${count('unmarked')} without a mark, ${failed.length} failed.</p>
      ${failed.length > 0 && html`<ul class="bad">${failed.map(({ name, why }) => html`<li key=${name}>${name}: ${why}</li>`)}</ul>`}`
    }</div>`;
}

function GroupDate({ one, groups, room, onChange }: Omit<Props, 'graded'>) {
  const [group, setGroup] = useState(String(groups[0]?.id ?? ''));
  const [until, setUntil] = useState('');
  const save = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      await ask('POST', `/api/rooms/${room}/chapters/${one.chapter}/extensions`, {
        groupId: Number(group),
        until: new Date(until).toISOString(),
      });
      tell('The group has another date.');
      onChange();
    });
  };
  return html`<form class="fields" onSubmit=${save}><h4>Another date for a group</h4>
    <label>Group <select value=${group} onChange=${(event: Event) => setGroup(fieldValue(event))}>
      ${groups.map(({ id, name }) => html`<option key=${id} value=${String(id)}>${name}</option>`)}</select></label>
    <label>Due <input type="datetime-local" value=${until} onInput=${(event: Event) => setUntil(fieldValue(event))} /></label>
    <wa-button type="submit" size="s" disabled=${until === ''}>Give the group this date</wa-button></form>`;
}
