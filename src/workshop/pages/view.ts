/** What every page uses: markup, the theme, messages and dates. */

import '@awesome.me/webawesome/dist/components/button/button.js';
import '@awesome.me/webawesome/dist/components/callout/callout.js';
import { signal } from '@preact/signals';
import { html } from 'htm/preact';

export { html, render } from 'htm/preact';

/** A line that is shown for a while. */
export const notice = signal<{ text: string; bad: boolean; id: number } | undefined>(undefined);
let nextNotice = 1;

export function tell(text: string, bad = false): void {
  const id = nextNotice++;
  notice.value = { text, bad, id };
  setTimeout(
    () => {
      if (notice.value?.id === id) notice.value = undefined;
    },
    bad ? 12_000 : 5_000,
  );
}

/** Runs what a button does; what goes wrong is shown. */
export async function attempt(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error), true);
    return false;
  }
}

export function Notice() {
  const shown = notice.value;
  return html`<div class="notice" role="status" aria-live="polite">
    ${shown && html`<wa-callout variant=${shown.bad ? 'danger' : 'success'} size="s">${shown.text}</wa-callout>`}
  </div>`;
}

/** The value of a field that fired an event: native ones and the library's have it alike. */
export function fieldValue(event: Event): string {
  const { target } = event;
  const value: unknown = target === null ? '' : Reflect.get(target, 'value');
  return typeof value === 'string' ? value : '';
}

export function checkedOf(event: Event): boolean {
  return event.target !== null && Reflect.get(event.target, 'checked') === true;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** An instant as people here write it: the time alone if it is of today. */
export function timeOf(instant: string): string {
  const date = new Date(instant);
  return date.toDateString() === new Date().toDateString() ? clock.format(date) : day.format(date);
}

/** An instant as a field for local time wants it. */
export function localField(instant: string | null): string {
  if (instant === null) return '';
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

const THEME = 'llm-lab-theme';

/** Light or dark: what the person chose here, else what their system says. */
export function startTheme(): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const apply = (): void => {
    const chosen = localStorage.getItem(THEME);
    const dark = chosen === null ? system.matches : chosen === 'dark';
    document.documentElement.classList.toggle('wa-dark', dark);
  };
  system.addEventListener('change', apply);
  apply();
}

export function switchTheme(): void {
  const dark = document.documentElement.classList.toggle('wa-dark');
  localStorage.setItem(THEME, dark ? 'dark' : 'light');
}

const SIZE = 'llm-lab-large';

/** Large type, for a projector. */
export function startSize(): void {
  document.documentElement.classList.toggle('large', localStorage.getItem(SIZE) === 'yes');
}

export function switchSize(): void {
  const large = document.documentElement.classList.toggle('large');
  localStorage.setItem(SIZE, large ? 'yes' : 'no');
}
