/** Reading corpora: text of documents and sentences, and lines of JSON. */

import { readFile } from 'node:fs/promises';
import type * as z from 'zod';
import { InputError, messageOf } from '../errors.ts';

/** The text of a UTF-8 file. An InputError names the file and, where the bytes are not UTF-8, the first wrong one. */
export async function readUtf8(path: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw new InputError(`cannot read the corpus ${path}: ${messageOf(error)}`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(
      `the corpus ${path} is not UTF-8: the bytes at offset ${firstBadByte(bytes)} are not a character`,
    );
  }
}

/**
 * Reads documents in the layout BERT's authors chose for pre-training: one sentence a line, an empty line between
 * documents. Throws an InputError if the file is missing, not UTF-8, or has no sentence.
 */
export async function readDocuments(path: string): Promise<string[][]> {
  const documents = (await readUtf8(path))
    .split(/\r?\n(?:[ \t]*\r?\n)+/)
    .map((block) =>
      block
        .split(/\r?\n/)
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    )
    .filter((sentences) => sentences.length > 0);
  if (documents.length === 0)
    throw new InputError(`the corpus ${path} is empty: expected one sentence a line`);
  return documents;
}

/** Reads one JSON record a line. An InputError names the file, the line and what is wrong with it. */
export async function readRecords<T>(path: string, schema: z.ZodType<T>): Promise<T[]> {
  const records: T[] = [];
  for (const [index, line] of (await readUtf8(path)).split('\n').entries()) {
    if (line.trim() === '') continue;
    records.push(parseRecord(line, schema, `${path}:${index + 1}`));
  }
  if (records.length === 0)
    throw new InputError(`the data set ${path} is empty: expected one JSON record a line`);
  return records;
}

function parseRecord<T>(line: string, schema: z.ZodType<T>, where: string): T {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (error) {
    throw new InputError(`${where}: not JSON (${messageOf(error)})`);
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new InputError(
    `${where}: ${issue?.path.join('.') || 'the record'}: ${issue?.message ?? 'is not valid'}`,
  );
}

/** Where the first bytes stand that are no character: the decoder puts U+FFFD in their place. */
function firstBadByte(bytes: Uint8Array): number {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  let offset = 0;
  for (const character of text) {
    // A U+FFFD that the file itself holds is three bytes, EF BF BD.
    const written = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (character === '\uFFFD' && !written) break;
    offset += Buffer.byteLength(character);
  }
  return offset;
}
