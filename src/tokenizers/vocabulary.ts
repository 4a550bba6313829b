/** A vocabulary: a list of different tokens. The id of a token is its place in the list. */

import { readFile, writeFile } from 'node:fs/promises';
import { InputError, messageOf } from '../errors.ts';

/** Tokens by id and ids by token. */
export interface Vocabulary {
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
}

/** A vocabulary of the tokens, ids in their order. Throws an InputError if there is none or one comes twice. */
export function createVocabulary(tokens: readonly string[], name = 'the vocabulary'): Vocabulary {
  if (tokens.length === 0) throw new InputError(`${name} is empty: expected at least one token`);
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const first = ids.get(token);
    if (first !== undefined) {
      throw new InputError(
        `${name} has the token ${JSON.stringify(token)} twice: as id ${first} and as id ${id}`,
      );
    }
    ids.set(token, id);
  }
  return { tokens: [...tokens], ids };
}

/** The id of a token that must be there, such as `[CLS]`. Throws an InputError that names the missing one. */
export function requireToken(vocabulary: Vocabulary, token: string): number {
  const id = vocabulary.ids.get(token);
  if (id === undefined) {
    throw new InputError(
      `the vocabulary of ${vocabulary.tokens.length} tokens lacks the special token ${token}`,
    );
  }
  return id;
}

/** Reads a `vocab.txt`: UTF-8, one token a line, the first line being id 0. */
export async function loadVocabulary(path: string): Promise<Vocabulary> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    throw new InputError(`cannot read the vocabulary ${path}: ${messageOf(error)}`);
  }
  // Only the line feed ends a token: some vocabularies have U+2028 or a carriage return as a token.
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const windows = lines.length > 0 && lines.every((line) => line.endsWith('\r'));
  return createVocabulary(windows ? lines.map((line) => line.slice(0, -1)) : lines, path);
}

/** Writes a `vocab.txt` that `loadVocabulary` and Hugging Face's BertTokenizer read. */
export async function saveVocabulary(path: string, vocabulary: Vocabulary): Promise<void> {
  const broken = vocabulary.tokens.find((token) => token.includes('\n'));
  if (broken !== undefined) {
    throw new InputError(`cannot write ${path}: the token ${JSON.stringify(broken)} contains a line break`);
  }
  await writeFile(path, `${vocabulary.tokens.join('\n')}\n`);
}
