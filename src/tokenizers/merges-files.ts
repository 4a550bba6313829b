/** Older checkpoints of BPE models: a `vocab.json` and a `merges.txt` in place of a `tokenizer.json`. */

import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { decodeUtf8, parseWith, readJsonObject } from '../checkpoints/json.ts';
import { InputError, messageOf } from '../errors.ts';
import { bertNormalizerJson } from './bert-text.ts';
import { END_OF_WORD } from './bpe.ts';
import type { TokenizerConfig } from './tokenizer-config.ts';

const VocabJson = z.record(z.string(), z.int().nonnegative());

/**
 * The `tokenizer.json` that the two files stand for. The vocabulary tells which kind it is: with `</w>` it is GPT-1's
 * characters; else it is bytes, framed as RoBERTa's and BART's if it has `<s>` and `</s>`, and bare as GPT-2's if not.
 * Special tokens that the configuration does not name are set in it, as in transformers.
 */
export async function tokenizerJsonFromMerges(
  vocabPath: string,
  mergesPath: string,
  config: TokenizerConfig,
): Promise<Record<string, unknown>> {
  const vocab = parseWith(VocabJson, await readJsonObject(vocabPath), vocabPath);
  const merges = await readMerges(mergesPath);
  const has = (token: string): boolean => Object.hasOwn(vocab, token);
  if (Object.keys(vocab).some((token) => token.endsWith(END_OF_WORD))) {
    config.unk_token ??= '<unk>';
    return {
      normalizer: bertNormalizerJson(),
      pre_tokenizer: { type: 'BertPreTokenizer' },
      decoder: { type: 'BPEDecoder', suffix: END_OF_WORD },
      model: { type: 'BPE', vocab, merges, unk_token: config.unk_token, end_of_word_suffix: END_OF_WORD },
      added_tokens: added(vocab, [config.unk_token]),
    };
  }
  const framed = has('<s>') && has('</s>');
  if (framed) {
    config.bos_token ??= '<s>';
    config.eos_token ??= '</s>';
    config.cls_token ??= '<s>';
    config.sep_token ??= '</s>';
    config.unk_token ??= '<unk>';
    config.pad_token ??= '<pad>';
    config.mask_token ??= '<mask>';
  } else {
    config.bos_token ??= '<|endoftext|>';
    config.eos_token ??= '<|endoftext|>';
    config.unk_token ??= '<|endoftext|>';
  }
  const special = [config.bos_token, config.eos_token, config.unk_token, config.pad_token, config.mask_token];
  const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
  const [cls, sep] = [config.cls_token ?? '', config.sep_token ?? ''];
  return {
    pre_tokenizer: { ...byteLevel, add_prefix_space: config.add_prefix_space ?? false },
    post_processor: framed
      ? {
          type: 'RobertaProcessing',
          cls: [cls, vocab[cls] ?? 0],
          sep: [sep, vocab[sep] ?? 0],
          trim_offsets: true,
          add_prefix_space: false,
        }
      : null,
    decoder: byteLevel,
    model: { type: 'BPE', vocab, merges },
    added_tokens: added(vocab, special, config.mask_token),
  };
}

/** The mask takes the space before it: `a <mask>` is what `a word` was. */
function added(
  vocab: Record<string, number>,
  tokens: readonly (string | null | undefined)[],
  mask?: string | null,
) {
  return [...new Set(tokens)].flatMap((content) => {
    const id = content == null ? undefined : vocab[content];
    return id === undefined
      ? []
      : [{ id, content, special: true, normalized: false, lstrip: content === mask }];
  });
}

async function readMerges(path: string): Promise<[string, string][]> {
  let text: string;
  try {
    text = decodeUtf8(await readFile(path), path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(`${path}: cannot be read (${messageOf(error)})`);
  }
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  return lines.flatMap((line, i): [string, string][] => {
    if (line === '' || (i === 0 && line.startsWith('#version'))) return [];
    const [left, right, ...more] = line.split(' ');
    if (!left || !right || more.length > 0) {
      throw new InputError(
        `${path}: line ${i + 1}: expected two symbols with a space between, got ${JSON.stringify(line)}`,
      );
    }
    return [[left, right]];
  });
}
