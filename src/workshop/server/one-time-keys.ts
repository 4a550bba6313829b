/** Keys in links: good once, for a while, in this process alone. */

import { hashToken, newToken } from '../store/names.ts';

export class OneTimeKeys<Value> {
  readonly #keys = new Map<string, { value: Value; until: number }>();
  readonly #lifetime: number;

  /** @param lifetime in milliseconds */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  give(value: Value): string {
    const now = Date.now();
    for (const [hash, { until }] of this.#keys) if (until <= now) this.#keys.delete(hash);
    const key = newToken();
    this.#keys.set(hashToken(key), { value, until: now + this.#lifetime });
    return key;
  }

  /** What the key was given for, as long as it is good; it stays good. */
  look(key: string): Value | undefined {
    const found = this.#keys.get(hashToken(key));
    return found !== undefined && found.until > Date.now() ? found.value : undefined;
  }

  /** What the key was given for, the first time and in time; undefined otherwise. */
  take(key: string): Value | undefined {
    const hash = hashToken(key);
    const found = this.#keys.get(hash);
    this.#keys.delete(hash);
    return found !== undefined && found.until > Date.now() ? found.value : undefined;
  }
}
