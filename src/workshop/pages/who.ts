/** Whose login this page has. */

import { signal } from '@preact/signals';

export interface Me {
  readonly name: string;
  readonly role: 'owner' | 'instructor' | 'assistant';
  readonly csrf: string;
}

export const me = signal<Me | undefined>(undefined);

/** Whether there is any use in showing a button; the server decides by itself. */
export function may(deed: 'manage' | 'staff'): boolean {
  const role = me.value?.role;
  return deed === 'staff' ? role === 'owner' : role !== undefined && role !== 'assistant';
}
