/** JSON from files of unknown origin: read as UTF-8, repeated keys refused, checked against a schema. */
import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import { InputError, messageOf } from '../errors.ts';

/**
 * Parses JSON that must be an object. `JSON.parse` lets the last of two equal keys win silently; in a header that
 * describes bytes this hides one of two claims, so here it is an error.
 *
 * @param source what to call the text in messages, usually the path of its file
 * @throws InputError
 */
export function parseJsonObject(text: string, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InputError(`${source}: not valid JSON (${messageOf(error)})`);
  }
  if (!isRecord(value)) throw new InputError(`${source}: expected a JSON object`);
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw new InputError(`${source}: the key ${repeated} appears twice`);
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first key that one object of valid JSON has twice, as it is written there. */
function repeatedKey(text: string): string | undefined {
  const open: Array<Set<string> | undefined> = []; // the keys seen in each object around here; undefined for arrays
  const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]/gs;
  for (const match of text.matchAll(tokens)) {
    const [token] = match;
    if (token === '{') open.push(new Set());
    else if (token === '[') open.push(undefined);
    else if (token === '}' || token === ']') open.pop();
    else {
      const keys = open.at(-1);
      if (
        keys === undefined ||
        !/^\s*:/.test(text.slice(match.index + token.length, match.index + token.length + 64))
      )
        continue;
      const key = String(JSON.parse(token)); // "a" and "\u0061" are the same key
      if (keys.has(key)) return token;
      keys.add(key);
    }
  }
  return undefined;
}

/** Bytes as UTF-8 text. @throws InputError if they are not. */
export function decodeUtf8(bytes: Uint8Array, source: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${source}: not UTF-8 text`);
  }
}

/** Reads a JSON object from a file. @throws InputError if it is missing, not UTF-8, or not a JSON object. */
export async function readJsonObject(path: string): Promise<Record<string, unknown>> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new InputError(`${path}: cannot be read (${messageOf(error)})`);
  }
  return parseJsonObject(decodeUtf8(bytes, path), path);
}

/** Checks a value against a schema, and says in one sentence what is wrong with the first field that fails. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown, source: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  const reason = issue?.message ?? 'not as expected';
  throw new InputError(field === '' ? `${source}: ${reason}` : `${source}: ${field}: ${reason}`);
}
