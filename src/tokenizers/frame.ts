/** The frame of special tokens that a `tokenizer.json` asks for, read from its `post_processor`. */

import { z } from 'zod';
import { InputError } from '../errors.ts';
import type { Template, TemplateItem } from './tokenizer.ts';

const SpecialToken = z.object({ SpecialToken: z.object({ id: z.string(), type_id: z.int().nonnegative() }) });
const Sequence = z.object({ Sequence: z.object({ id: z.enum(['A', 'B']), type_id: z.int().nonnegative() }) });
const Items = z.array(z.union([SpecialToken, Sequence]));
const TokenAndId = z.tuple([z.string(), z.int()]);

const Simple = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ByteLevel') }),
  z.object({ type: z.literal('BertProcessing'), sep: TokenAndId, cls: TokenAndId }),
  z.object({ type: z.literal('RobertaProcessing'), sep: TokenAndId, cls: TokenAndId }),
  z.object({
    type: z.literal('TemplateProcessing'),
    single: Items,
    pair: Items,
    special_tokens: z.record(z.string(), z.object({ tokens: z.array(z.string()) })).default({}),
  }),
]);
type Simple = z.infer<typeof Simple>;

/** What `post_processor` may be. */
export const PostProcessor = z
  .union([Simple, z.object({ type: z.literal('Sequence'), processors: z.array(Simple) })])
  .nullish();

/** No special tokens; the second text is segment 1. */
export const BARE_FRAME: Template = {
  single: [{ text: 'A', segment: 0 }],
  pair: [
    { text: 'A', segment: 0 },
    { text: 'B', segment: 1 },
  ],
};

/** The frame of a post-processor. Throws an InputError if it has several that each add tokens. */
export function frameOf(processor: z.infer<typeof PostProcessor>, source: string): Template {
  if (processor === null || processor === undefined) return BARE_FRAME;
  const all = processor.type === 'Sequence' ? processor.processors : [processor];
  // ByteLevel only moves offsets.
  const [framing, ...more] = all.filter(({ type }) => type !== 'ByteLevel');
  if (framing === undefined) return BARE_FRAME;
  if (more.length > 0) {
    throw new InputError(
      `${source}: post_processor: expected one that adds special tokens, got ${more.length + 1}`,
    );
  }
  return frameOfOne(framing);
}

function frameOfOne(processor: Simple): Template {
  switch (processor.type) {
    case 'ByteLevel':
      return BARE_FRAME;
    case 'BertProcessing':
      return bertFrame(processor.cls[0], processor.sep[0]);
    case 'RobertaProcessing':
      return robertaFrame(processor.cls[0], processor.sep[0]);
    case 'TemplateProcessing': {
      const items = (list: z.infer<typeof Items>): TemplateItem[] =>
        list.flatMap((item): TemplateItem[] => {
          if ('Sequence' in item) return [{ text: item.Sequence.id, segment: item.Sequence.type_id }];
          const { id, type_id } = item.SpecialToken;
          const tokens = processor.special_tokens[id]?.tokens ?? [id];
          return tokens.map((special) => ({ special, segment: type_id }));
        });
      return { single: items(processor.single), pair: items(processor.pair) };
    }
  }
}

function framed(
  { cls, sep }: { cls: string; sep: string },
  pair: { between: TemplateItem[]; second: number },
): Template {
  const single: TemplateItem[] = [
    { special: cls, segment: 0 },
    { text: 'A', segment: 0 },
    { special: sep, segment: 0 },
  ];
  return {
    single,
    pair: [
      ...single,
      ...pair.between,
      { text: 'B', segment: pair.second },
      { special: sep, segment: pair.second },
    ],
  };
}

/** BERT's frame: `[CLS] A [SEP]`, or `[CLS] A [SEP] B [SEP]` with B and the [SEP] after it as segment 1. */
export function bertFrame(cls: string, sep: string): Template {
  return framed({ cls, sep }, { between: [], second: 1 });
}

/** RoBERTa's and BART's frame: `<s> A </s>`, or `<s> A </s></s> B </s>`, all of it segment 0. */
export function robertaFrame(cls: string, sep: string): Template {
  return framed({ cls, sep }, { between: [{ special: sep, segment: 0 }], second: 0 });
}

/** The frame that `add_bos_token` and `add_eos_token` of a `tokenizer_config.json` put in place of any other. */
export function boundaryFrame(bos: string | undefined, eos: string | undefined): Template {
  const around = (text: 'A' | 'B', segment: number): TemplateItem[] => [
    ...(bos === undefined ? [] : [{ special: bos, segment }]),
    { text, segment },
    ...(eos === undefined ? [] : [{ special: eos, segment }]),
  ];
  return { single: around('A', 0), pair: [...around('A', 0), ...around('B', 1)] };
}
