/** The code of the room, large, for the wall. */

import '@awesome.me/webawesome/dist/components/copy-button/copy-button.js';
import '@awesome.me/webawesome/dist/components/dialog/dialog.js';
import '@awesome.me/webawesome/dist/components/qr-code/qr-code.js';
import { room } from './live.ts';
import { html } from './view.ts';

export function CodeDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const now = room.value;
  if (now === undefined) return null;
  const code = now.code.replace(/(.{4})(?=.)/g, '$1-');
  const address = now.address;
  const cell = `await lab.joinRoom('${address}', '${code}', { name: 'your name' });`;
  return html`<wa-dialog label=${`Join ${now.title}`} open=${open} light-dismiss onwa-after-hide=${onClose} class="code-dialog">
    <p class="big-code" aria-label=${`Code ${code.split('').join(' ')}`}>${code}</p>
    <div class="join">
      <wa-qr-code value=${`${address}/join#${now.code}`} label="Address of the page that tells how to join" size="220"></wa-qr-code>
      <div>
        <p>Address: <strong>${address}</strong></p>
        <p>In a notebook, after <code>import * as lab from 'llm-lab';</code></p>
        <pre>${cell}</pre>
        <p>or in a terminal</p>
        <pre>npx lab join ${address} ${code} --name "your name"</pre>
        <wa-copy-button value=${cell}></wa-copy-button>
      </div>
    </div>
  </wa-dialog>`;
}
