/** Telling the whole room something. */

import '@awesome.me/webawesome/dist/components/input/input.js';
import { useState } from 'preact/hooks';
import { ask } from './api.ts';
import { room } from './live.ts';
import { attempt, fieldValue, html, tell } from './view.ts';

export function Announce() {
  const [text, setText] = useState('');
  const send = (event: Event): void => {
    event.preventDefault();
    void attempt(async () => {
      await ask('POST', `/api/rooms/${room.value?.id}/messages`, { kind: 'announcement', text });
      setText('');
      tell('Everybody who has joined sees it in their notebook.');
    });
  };
  return html`<form class="announce" onSubmit=${send}>
    <wa-input label="Announcement" placeholder="to every notebook in the room" value=${text}
      onInput=${(event: Event) => setText(fieldValue(event))}></wa-input>
    <wa-button type="submit" disabled=${text.trim() === ''}>Send</wa-button>
  </form>`;
}
