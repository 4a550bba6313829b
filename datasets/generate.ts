/**
 * Makes the bundled data sets and their cards: `node datasets/generate.ts [--check]`.
 * With `--check` nothing is written, and the exit code is 1 if a file on disk differs from what would be made.
 */

import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { generatePairs } from './generators/pairs.ts';
import { generateReviews } from './generators/reviews.ts';
import { generateStories } from './generators/stories.ts';

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
