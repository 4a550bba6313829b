/** A learner's own page. */

import '@awesome.me/webawesome/dist/components/copy-button/copy-button.js';
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import type { MarkView } from '../book-protocol.ts';
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
    ${now.lab && html`<${Connect} lab=${now.lab} name=${now.name} />`}
    ${now.assignments.map((one) => html`<${Chapter} key=${one.id} one=${one} />`)}
    ${now.messages.length > 0 && html`<h2>Said to you</h2><ul>${now.messages.map(({ id, at, text }) => html`<li key=${id}>${timeOf(at)} <span class="text">${text}</span></li>`)}</ul>`}
    </main><${Notice} />`;
}

/** The key is made when it is asked for: it is good once, for ten minutes. */
function Connect({ lab, name }: { lab: NonNullable<ProgressView['lab']>; name: string }) {
  const [key, setKey] = useState('');
  const [why, setWhy] = useState('');
  const make = async (): Promise<void> => {
    try {
      setKey((await ask<{ key: string }>('POST', '/api/my/lab-key')).key);
    } catch (error) {
      setWhy(error instanceof Error ? error.message : String(error));
    }
  };
  const cell = `await lab.joinRoom(${JSON.stringify(lab.address)}, '${lab.code}', { name: ${JSON.stringify(name)}, identity: '${key}' });`;
  return html`<section class="connect"><h2>Your lab</h2>
    <p>${lab.joined ? 'A lab is connected. Another one takes its place.' : 'No lab is connected yet: nothing that you check is shown here.'}</p>
    ${
      key === ''
        ? html`<wa-button onClick=${make}>Connect a lab</wa-button> ${why}`
        : html`<p>Run this in a cell of your notebook, after the first cell, within ten minutes:</p>
          <div class="copy"><pre>${cell}</pre><wa-copy-button value=${cell}></wa-copy-button></div>`
    }
  </section>`;
}

/** What counts, once it is released. */
function MarkLine({ mark }: { mark: MarkView }) {
  const { status, points, outOf, daysLate, factor, comments } = mark;
  const late =
    daysLate === 0
      ? ''
      : `, ${daysLate} ${daysLate === 1 ? 'day' : 'days'} late${factor < 1 ? `, which leaves ${Math.round(factor * 100)} %` : ''}`;
  const words =
    status === 'graded'
      ? `${points}${outOf === null ? '' : ` of ${outOf}`} points${late}`
      : status === 'pending'
        ? 'not graded yet'
        : 'nothing was handed in in time';
  return html`<p><strong>Mark:</strong> ${words}</p>
    ${comments.length > 0 && html`<ul>${comments.map(({ exercise, comment }, i) => html`<li key=${i}>${exercise !== null && html`<code>${exercise}</code>: `}<span class="text">${comment}</span></li>`)}</ul>`}`;
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
    ${one.handIns.length > 0 && html`<p>Handed in: ${one.handIns.map(({ attempt, at, late }) => html`<span class="hand-in" key=${attempt}>attempt ${attempt}, ${timeOf(at)}${late ? ' (late)' : ''}</span>`)}</p>`}
    ${one.mark && html`<${MarkLine} mark=${one.mark} />`}
  </section>`;
}

async function load(): Promise<void> {
  try {
    view.value = await ask<ProgressView>('GET', '/api/my/progress');
  } catch (error) {
    if (error instanceof Refusal && error.status === 401)
      trouble.value =
        'Open this page with the address that `npx lab progress` prints, or with the link of your learning platform.';
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
