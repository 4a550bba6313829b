/**
 * Makes the bundled data sets and their cards: `node datasets/generate.ts [--check]`.
 * With `--check` nothing is written, and the exit code is 1 if a file on disk differs from what would be made.
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generateArithmetic } from './generators/arithmetic.ts';
import { generatePairs } from './generators/pairs.ts';
import { generateReviews } from './generators/reviews.ts';
import { generateStories } from './generators/stories.ts';
import { generateTextToText } from './generators/text-to-text.ts';

interface DataSet {
  name: string;
  title: string;
  what: string;
  how: string;
  intended: string;
  files: Record<string, string>;
}

const lines = (records: readonly object[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

const reviews = generateReviews(1500, 'reviews-1');
const pairs = generatePairs(1500, 'pairs-1');
const arithmetic = generateArithmetic('arithmetic-1');
const textToText = generateTextToText({ train: 1200, test: 150 }, 'text-to-text-1');

const DATA_SETS: readonly DataSet[] = [
  {
    name: 'stories',
    title: 'Stories',
    what: 'Short tales of children, animals, food, weather, travel and work, in simple English. One sentence a line, an empty line between stories.',
    how: '`datasets/generators/stories.ts`: seven plots over a small fixed world, seed `stories-1`. Nobody wrote the stories and no model did.',
    intended:
      'Pre-training of very small models. The world is fixed (a cow eats grass, a lemon is yellow), so a masked word has a right answer; a story keeps to its people and things, so a sentence tells which one can follow it. It is no sample of real English.',
    files: {
      'stories.txt': `${generateStories(2400, 'stories-1')
        .map((story) => story.join('\n'))
        .join('\n\n')}\n`,
    },
  },
  {
    name: 'reviews',
    title: 'Reviews',
    what: 'Short opinions on films, food, hotels and toys, as JSON lines `{"text", "label"}`: 1 positive, 0 negative, half of each.',
    how: '`datasets/generators/reviews.ts`, seed `reviews-1`; 1,500 different texts, the last 300 for the test.',
    intended:
      'Fine-tuning a sentence classifier. Denials ("not good") and turns ("…, but …") make counting words insufficient. It says nothing about how people write reviews.',
    files: { 'train.jsonl': lines(reviews.slice(0, 1200)), 'test.jsonl': lines(reviews.slice(1200)) },
  },
  {
    name: 'pairs',
    title: 'Sentence pairs',
    what: 'Pairs of sentences as JSON lines `{"first", "second", "label"}`: 1 if both say the same in other words, 0 if one fact differs; half of each.',
    how: '`datasets/generators/pairs.ts`, seed `pairs-1`; 1,500 different pairs, the last 300 for the test.',
    intended: 'Fine-tuning on two segments. Both sentences share most of their words whatever the label.',
    files: { 'train.jsonl': lines(pairs.slice(0, 1200)), 'test.jsonl': lines(pairs.slice(1200)) },
  },
  {
    name: 'arithmetic',
    title: 'Arithmetic',
    what: 'Sums and differences of numbers up to 99 and products of numbers up to 12, as formulas ("12 + 7") and as word problems, as JSON lines `{"operation", "form", "question", "answer"}`.',
    how: '`datasets/generators/arithmetic.ts`, seed `arithmetic-1`: at most 2,000 facts of each operation, of which a sixth is the test part. A fact of the test part is in no training text, nor is it there with its numbers turned round or as a word problem.',
    intended:
      'Testing whether a small model finds a rule or learns results by heart. Most results can be learned by heart only in part: look at what it gives for the test part.',
    files: { 'train.jsonl': lines(arithmetic.train), 'test.jsonl': lines(arithmetic.test) },
  },
  {
    name: 'text-to-text',
    title: 'Text to text',
    what: 'Six tasks as text in, text out, as JSON lines `{"task", "input", "target"}`: `reverse` the order of words, the `plural` of a noun in its phrase, the `past` tense of a sentence, `add` two numbers, give a story its `title`, say the `sentiment` of a review (positive or negative). The same number of examples of each.',
    how: '`datasets/generators/text-to-text.ts`, seed `text-to-text-1`; 1,350 different examples of each task, 150 of them for the test. No input of the test part is in the training part, nor is a sum with its numbers turned round.',
    intended:
      'One model for several tasks, told apart by a prefix (the name of the task). Nouns and verbs of the test part all occur in the training part too, in other company: it tests rules and reading, not the knowledge of new words.',
    files: { 'train.jsonl': lines(textToText.train), 'test.jsonl': lines(textToText.test) },
  },
];

function card(set: DataSet): string {
  const files = Object.entries(set.files).map(([name, text]) => {
    const bytes = Buffer.from(text);
    const lineCount = text.trimEnd().split('\n').length;
    const sum = createHash('sha256').update(bytes).digest('hex');
    return [`\`${name}\``, String(bytes.length), String(lineCount), `\`${sum}\``];
  });
  return `# ${set.title}

**What.** ${set.what}

**How it was made.** ${set.how} \`node datasets/generate.ts\` makes the same bytes again.

**What it is for.** ${set.intended}

**Licence.** CC0 1.0: use it as you like.

${table([['file', 'bytes', 'lines', 'sha256'], ...files])}
`;
}

/** A Markdown table, its columns aligned as the formatter does. The first row is the head. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

const check = process.argv.includes('--check');
for (const set of DATA_SETS) {
  for (const [name, text] of Object.entries({ ...set.files, 'CARD.md': card(set) })) {
    const path = join(import.meta.dirname, set.name, name);
    const current = (await readFile(path, 'utf8').catch(() => undefined)) === text;
    if (current) continue;
    if (check) {
      console.error(`${path} differs from what its generator makes`);
      process.exitCode = 1;
    } else {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
      console.log(`wrote ${path}`);
    }
  }
}
