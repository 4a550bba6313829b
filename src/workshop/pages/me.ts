/** A learner's own page. */

import { signal } from '@preact/signals';
import type { ProgressView } from '../protocol.ts';
import { ask, Refusal } from './api.ts';
import { lookOf } from './grid.ts';
import { html, Notice, render, startTheme, switchTheme, timeOf } from './view.ts';

const view = signal<ProgressView | undefined>(undefined);
const trouble = signal('');

function Me() {
  const now = view.value;
  if (now === undefined) {
    return html`<main class="narrow"><h1>Your progress</h1><p>${trouble.value || 'Loading …'}</p></main>`;
  }
  return html`<main class="narrow"><h1>${now.name} <button class="plain-button" onClick=${switchTheme} title="Light or dark">◐</button></h1>
    <p class="quiet">${now.room}. Only you and your instructors see this page.</p>
    ${now.assignments.map((one) => html`<${Chapter} key=${one.id} one=${one} />`)}
    ${now.messages.length > 0 && html`<h2>Said to you</h2><ul>${now.messages.map(({ id, at, text }) => html`<li key=${id}>${timeOf(at)} <span class="text">${text}</span></li>`)}</ul>`}
    </main><${Notice} />`;
}

function Chapter({ one }: { one: ProgressView['assignments'][number] }) {
  const cells = new Map(one.cells.map((cell) => [cell.exercise, cell]));
  const passed = one.cells.filter(({ verdict }) => verdict === 'pass').length;
  return html`<section><h2>${one.title}</h2>
    <p>${passed} of ${one.exercises.length} exercises pass their checks${one.dueAt === null ? '' : `, due ${timeOf(one.dueAt)}`}${one.open ? '' : ', closed'}.
      ${passed > 0 && html` Hidden cases remain until it is graded.`}</p>
    <ul class="exercises">${one.exercises.map(({ id, title }) => {
      const look = lookOf(cells.get(id));
      return html`<li key=${id}><b class=${look.className}>${look.sign}</b> ${title} <span class="quiet">${look.words}</span></li>`;
    })}</ul>
    ${one.handIns.length > 0 && html`<p>Handed in: ${one.handIns.map(({ attempt, at, late, points, outOf }) => html`<span class="hand-in" key=${attempt}>attempt ${attempt}, ${timeOf(at)}${late ? ' (late)' : ''}${points === null ? '' : `, ${points} of ${outOf}`}</span>`)}</p>`}
  </section>`;
}

async function load(): Promise<void> {
  try {
    view.value = await ask<ProgressView>('GET', '/api/my/progress');
  } catch (error) {
    if (error instanceof Refusal && error.status === 401)
      trouble.value = 'Open this page with the address that `npx lab progress` prints.';
    else trouble.value = error instanceof Error ? error.message : String(error);
  }
}

startTheme();
const root = document.querySelector('#app');
if (root !== null) render(html`<${Me} />`, root as HTMLElement);
const key = /^#key=([\w-]+)$/.exec(location.hash)?.[1];
if (key !== undefined) {
  history.replaceState(null, '', '/me');
  await ask('POST', '/api/my/session', { key }).catch(() => undefined);
}
await load();
setInterval(load, 5_000);
