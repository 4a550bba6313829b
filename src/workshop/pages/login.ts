/** Logging in: with name and password, or with the link that the terminal of the server shows. */

import '@awesome.me/webawesome/dist/components/input/input.js';
import { signal } from '@preact/signals';
import { useState } from 'preact/hooks';
import { ask } from './api.ts';
import { attempt, fieldValue, html, Notice, render, startTheme } from './view.ts';

async function logIn(body: unknown, to = ''): Promise<void> {
  await ask('POST', '/api/login', body);
  location.replace(`/dashboard${to === '' ? '' : `#${to}`}`);
}

/** Who on a learning platform is let in from now on by this login. */
interface Claim {
  readonly name: string | null;
  readonly platform: string;
}
const claim = signal<Claim | undefined>(undefined);
const claimKey = /^#claim=([\w-]+)$/.exec(location.hash)?.[1];

function Login() {
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const submit = (event: Event): void => {
    event.preventDefault();
    void attempt(() => logIn({ name, password, ...(claimKey === undefined ? {} : { claim: claimKey }) }));
  };
  return html`<main class="narrow"><h1>LLM Lab workshop</h1>
    ${
      claim.value &&
      html`<wa-callout variant="warning">This login
      lets <strong>${claim.value.name ?? 'the person who opened this link'}</strong> of <strong>${claim.value.platform}</strong> in as you, from now on, without a password. Go on only if that is you.</wa-callout>`
    }
    <p>For instructors. Learners join from their notebook: <a href="/join">how to join</a>.</p>
    <form onSubmit=${submit}>
      <wa-input label="Name" autocomplete="username" value=${name} onInput=${(event: Event) => setName(fieldValue(event))}></wa-input>
      <wa-input label="Password" type="password" autocomplete="current-password" value=${password}
        onInput=${(event: Event) => setPassword(fieldValue(event))}></wa-input>
      <wa-button type="submit" variant="brand">Log in</wa-button>
    </form>
    <p class="quiet">On the machine of the server, the terminal shows a link that logs you in.</p></main><${Notice} />`;
}

startTheme();
const root = document.querySelector('#app');
if (root !== null) render(html`<${Login} />`, root as HTMLElement);
// The key stands behind the #, so that it is in no log.
const [, key, to] = /^#key=([\w-]+)(?:&to=(\/[\w/-]*))?$/.exec(location.hash) ?? [];
if (key !== undefined) {
  history.replaceState(null, '', '/login');
  await attempt(() => logIn({ key }, to));
}
if (claimKey !== undefined) {
  history.replaceState(null, '', '/login');
  await attempt(async () => {
    claim.value = await ask<Claim>('POST', '/api/login/claim', { key: claimKey });
  });
}
