/** What the QR code leads to: how to join from a notebook. */

import '@awesome.me/webawesome/dist/components/copy-button/copy-button.js';
import '@awesome.me/webawesome/dist/components/input/input.js';
import { useState } from 'preact/hooks';
import { fieldValue, html, render, startTheme } from './view.ts';

function Join() {
  const [code, setCode] = useState(/^#([\w-]{4,40})$/.exec(location.hash)?.[1] ?? '');
  const [name, setName] = useState('');
  const quoted = JSON.stringify(name === '' ? 'your name' : name);
  const cell = `await lab.joinRoom('${location.origin}', '${code || 'CODE'}', { name: ${quoted} });`;
  const command = `npx lab join ${location.origin} ${code || 'CODE'} --name ${quoted}`;
  return html`<main class="narrow"><h1>Join the workshop</h1>
    <wa-input label="Code of the room" value=${code} onInput=${(event: Event) => setCode(fieldValue(event))}></wa-input>
    <wa-input label="Your name in the room, which may be made up" value=${name} onInput=${(event: Event) => setName(fieldValue(event))}></wa-input>
    <h2>In a notebook</h2>
    <p>Run this in a cell of its own, after the first cell:</p>
    <div class="copy"><pre>${cell}</pre><wa-copy-button value=${cell}></wa-copy-button></div>
    <h2>Or in a terminal, in the folder of the lab</h2>
    <div class="copy"><pre>${command}</pre><wa-copy-button value=${command}></wa-copy-button></div>
    <p>The room is told which exercises you check, whether they pass, and the diagnosis. Your code is told only in a room that
      asks for it; your notebook says so.</p></main>`;
}

startTheme();
const root = document.querySelector('#app');
if (root !== null) render(html`<${Join} />`, root as HTMLElement);
