import { z } from 'zod';

/** What a history request asks for. */
export const historyRequestSchema = z.looseObject({
  output: z.boolean().default(false),
  raw: z.boolean().default(true),
  hist_access_type: z.enum(['range', 'tail', 'search']).default('tail'),
  session: z.number().int().default(0),
  start: z.number().int().default(0),
  stop: z.number().int().nullish(),
  n: z.number().int().nullish(),
  pattern: z.string().default('*'),
  unique: z.boolean().default(false),
});

interface Entry {
  line: number;
  input: string;
  output?: string;
}

/** An entry as the protocol lists it: session, line number, and input or [input, output]. */
type Listed = [session: number, line: number, what: string | [string, string | null]];

/** The cells that were run in this kernel's life: its session, number 1. */
export class History {
  readonly #entries: Entry[] = [];

  add(line: number, input: string): void {
    this.#entries.push({ line, input });
  }

  setOutput(line: number, output: string): void {
    const entry = this.#entries.findLast((one) => one.line === line);
    if (entry) entry.output = output;
  }

  find(request: z.infer<typeof historyRequestSchema>): Listed[] {
    return this.#select(request).map((entry) => [
      1,
      entry.line,
      request.output ? [entry.input, entry.output ?? null] : entry.input,
    ]);
  }

  #select(request: z.infer<typeof historyRequestSchema>): Entry[] {
    const { n } = request;
    if (request.hist_access_type === 'range') {
      // session 0 is the present one, negative ones are before it: none is kept
      if (request.session < 0 || request.session > 1) return [];
      const { start, stop } = request;
      return this.#entries.filter(({ line }) => line >= start && (typeof stop !== 'number' || line < stop));
    }
    let found = this.#entries;
    if (request.hist_access_type === 'search') {
      found = found.filter(({ input }) => matches(input, request.pattern));
      if (request.unique) {
        const last = new Map(found.map((entry) => [entry.input, entry]));
        found = found.filter((entry) => last.get(entry.input) === entry);
      }
    }
    return typeof n === 'number' ? found.slice(Math.max(0, found.length - n)) : found;
  }
}

/** Glob patterns: `*` any text, `?` one character. */
function matches(input: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '[\\s\\S]*')
    .replaceAll('?', '[\\s\\S]');
  try {
    return new RegExp(`^${source}$`).test(input);
  } catch {
    return input.includes(pattern);
  }
}
