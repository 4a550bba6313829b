/** Who may log in: letting others in, giving them a new password, letting them go. */

import '@awesome.me/webawesome/dist/components/copy-button/copy-button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import { useEffect, useState } from 'preact/hooks';
import type { StaffView } from '../book-protocol.ts';
import { ask } from './api.ts';
import { attempt, fieldValue, html, tell, timeOf } from './view.ts';

/** Shown once: the server keeps no password. */
interface Given {
  readonly name: string;
  readonly password: string;
}

export function Staff() {
  const [list, setList] = useState<readonly StaffView[]>([]);
  const [given, setGiven] = useState<Given | undefined>(undefined);
  const load = async (): Promise<void> => setList(await ask('GET', '/api/instructors'));
  useEffect(() => {
    void attempt(load);
  }, []);
  const renew = (one: StaffView): void => {
    if (!confirm(`Give ${one.name} a new password? All their logins end.`)) return;
    void attempt(async () => setGiven(await ask<Given>('POST', `/api/instructors/${one.id}/password`)));
  };
  const remove = (one: StaffView): void => {
    if (!confirm(`Let ${one.name} in no more? All their logins end.`)) return;
    void attempt(async () => {
      await ask('DELETE', `/api/instructors/${one.id}`);
      tell(`${one.name} is let in no more.`);
      await load();
    });
  };
  return html`<a href="#/">All rooms</a>
    <h2>Who may log in</h2>
    <${Invite} onGiven=${(made: Given) => {
      setGiven(made);
      void attempt(load);
    }} />
    ${given && html`<${Password} given=${given} />`}
    <table class="plain"><thead><tr><th>Name</th><th>Role</th><th>Since</th><th>May</th><th><span class="hidden">Changes</span></th></tr></thead>
    <tbody>${list.map(
      (
        one,
      ) => html`<tr key=${one.id}><td>${one.name}${one.self ? ' (you)' : ''}</td><td>${one.role}</td><td>${timeOf(one.since)}</td>
        <td class="quiet">${RIGHTS[one.role]}</td>
        <td class="actions">${
          one.role !== 'owner' &&
          html`<wa-button size="s" appearance="outlined" onClick=${() => renew(one)}>New password<span class="hidden"> for ${one.name}</span></wa-button>
          <wa-button size="s" variant="danger" appearance="outlined" onClick=${() => remove(one)}>Remove<span class="hidden"> ${one.name}</span></wa-button>`
        }</td></tr>`,
    )}</tbody></table>`;
}

const RIGHTS: Readonly<Record<StaffView['role'], string>> = {
  owner: 'everything, and let others in',
  instructor: 'open rooms and chapters, mark, take marks and notebooks away',
  assistant: 'look, send hints and announcements',
};

function Invite({ onGiven }: { onGiven: (made: Given) => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('instructor');
  const invite = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      onGiven(await ask<Given>('POST', '/api/instructors', { name, role }));
      setName('');
    });
  };
  return html`<form class="announce" onSubmit=${invite}>
    <wa-input label="Let somebody in: their name" value=${name} onInput=${(event: Event) => setName(fieldValue(event))}></wa-input>
    <label class="field">Role
      <select value=${role} onChange=${(event: Event) => setRole(fieldValue(event))}>
        <option value="instructor">instructor</option><option value="assistant">assistant</option>
      </select>
    </label>
    <wa-button type="submit" variant="brand" disabled=${name.trim() === ''}>Let them in</wa-button>
  </form>`;
}

function Password({ given }: { given: Given }) {
  const words = `${location.origin}/login\nname: ${given.name}\npassword: ${given.password}`;
  return html`<section class="secret" role="status"><p><strong>${given.name}</strong> logs in with this password.
    Give it to them now: it is kept nowhere and not shown again.</p>
    <div class="copy"><pre>${words}</pre><wa-copy-button value=${words}></wa-copy-button></div></section>`;
}
