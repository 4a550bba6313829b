/** Another date for a learner, and the group they are in. */

import { useEffect, useState } from 'preact/hooks';
import type { GroupView, MarkDetail } from '../book-protocol.ts';
import { ask } from './api.ts';
import { attempt, fieldValue, html, localField, tell } from './view.ts';

interface Props {
  readonly detail: MarkDetail;
  readonly room: number;
  readonly onChange: () => void;
}

export function DateForm({ detail, room, onChange }: Props) {
  const { learner, chapter, dueAt } = detail;
  const [until, setUntil] = useState(localField(dueAt));
  useEffect(() => setUntil(localField(dueAt)), [dueAt]);
  const save = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      await ask('POST', `/api/rooms/${room}/chapters/${chapter}/extensions`, {
        learnerId: learner.id,
        until: new Date(until).toISOString(),
      });
      tell(`${learner.name} has another date. One that is earlier than the others' changes nothing.`);
      onChange();
    });
  };
  if (dueAt === null) return null;
  return html`<form class="fields" onSubmit=${save}><h4>Another date</h4>
    <label>Due for ${learner.name} <input type="datetime-local" value=${until} onInput=${(event: Event) => setUntil(fieldValue(event))} /></label>
    <wa-button type="submit" size="s" disabled=${until === '' || until === localField(dueAt)}>Give this date</wa-button></form>`;
}

export function GroupForm({ detail, groups, room, onChange }: Props & { groups: readonly GroupView[] }) {
  const { learner } = detail;
  const [name, setName] = useState(learner.group ?? '');
  useEffect(() => setName(learner.group ?? ''), [learner.group]);
  const save = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      const group = name.trim() === '' ? null : name.trim();
      await ask('PUT', `/api/rooms/${room}/learners/${learner.id}/group`, { group });
      tell(group === null ? `${learner.name} is in no group.` : `${learner.name} is in ${group}.`);
      onChange();
    });
  };
  return html`<form class="fields" onSubmit=${save}><h4>Group</h4>
    <label>Group of ${learner.name} <input type="text" list="group-names" value=${name} maxlength="60" onInput=${(event: Event) => setName(fieldValue(event))} /></label>
    <datalist id="group-names">${groups.map((one) => html`<option key=${one.id} value=${one.name}></option>`)}</datalist>
    <wa-button type="submit" size="s" disabled=${name.trim() === (learner.group ?? '')}>Save</wa-button></form>`;
}
