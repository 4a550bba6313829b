/**
 * Makes tests/grader/submissions from the chapter 03-bert: what learners hand in, from perfect to not a notebook at all. Run it after the
 * chapter's answer cells change: `node tests/grader/make-submissions.ts`.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { NOTEBOOKS_FOLDER } from '../../src/notebook/course.ts';
import { type Notebook, notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';

const OUT = path.join(import.meta.dirname, 'submissions');
const master = await loadMaster(path.join(NOTEBOOKS_FOLDER, 'source', '03-bert.ts'));

/** Text to replace in the answer of an exercise; the text must be there. */
type Changes = Readonly<Record<string, readonly (readonly [from: string, to: string])[]>>;

function exerciseOf(cell: Notebook['cells'][number]): string | undefined {
  const { lab } = cell.metadata;
  return typeof lab === 'object' &&
    lab !== null &&
    'kind' in lab &&
    lab.kind === 'answer' &&
    'exercise' in lab
    ? String(lab.exercise)
    : undefined;
}

function changed(notebook: Notebook, changes: Changes): Notebook {
  for (const cell of notebook.cells) {
    for (const [from, to] of changes[exerciseOf(cell) ?? ''] ?? []) {
      const text = cell.source.join('');
      if (!text.includes(from)) throw new Error(`${exerciseOf(cell)} does not contain: ${from}`);
      cell.source = [text.replace(from, to)];
    }
  }
  return notebook;
}

const solved = (changes: Changes = {}): Notebook =>
  changed(notebookOf(master, { variant: 'solved' }), changes);
const released = (): Notebook => notebookOf(master, { variant: 'released' });

/** The first answers solved, the rest as released. */
function halfDone(count: number): Notebook {
  const answers = solved()
    .cells.filter((cell) => exerciseOf(cell) !== undefined)
    .slice(0, count);
  const notebook = released();
  notebook.cells = notebook.cells.map((cell) => answers.find(({ id }) => id === cell.id) ?? cell);
  return notebook;
}

const submissions: Readonly<Record<string, string>> = {
  'perfect.ipynb': serializeNotebook(solved()),
  'empty.ipynb': serializeNotebook(released()),
  'half-done.ipynb': serializeNotebook(halfDone(5)),
  'classic-mistakes.ipynb': serializeNotebook(
    solved({
      'bert/embeddings': [
        [
          'const words = lab.embed(params.wordEmbeddings.weight, inputIds);',
          'const words = lab.layerNorm(params.layerNorm, lab.embed(params.wordEmbeddings.weight, inputIds), config.layer_norm_eps);',
        ],
        ['return lab.layerNorm(params.layerNorm, sum, config.layer_norm_eps);', 'return sum;'],
      ],
      'bert/pooler': [
        ['return tf.tanh(lab.linear(params.dense, first));', 'return lab.linear(params.dense, first);'],
      ],
      'bert/encoder-layer': [
        [
          'const attended = lab.multiHeadAttention(params.attention, hidden, { numHeads, bias });',
          'const attended = lab.multiHeadAttention(params.attention, lab.layerNorm(params.attentionNorm, hidden, eps), { numHeads, bias });',
        ],
      ],
    }),
  ),
  'more-mistakes.ipynb': serializeNotebook(
    solved({
      'bert/pooler': [['tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1])', 'tf.mean(hidden, 1)']],
      'bert/mlm-head': [['{ weight: wordEmbeddings, bias: params.bias }', '{ weight: wordEmbeddings }']],
      'bert/masking': [['specialTokensMask[i] === 1 || ', '']],
    }),
  ),
  'shape-and-errors.ipynb': serializeNotebook(
    solved({
      'bert/pooler': [
        [
          'const first = tf.squeeze(tf.slice(hidden, [0, 0, 0], [-1, 1, -1]), [1]);',
          'const first = tf.slice(hidden, [0, 0, 0], [-1, 1, -1]);',
        ],
      ],
      'bert/encoder': [['return x;', 'return y;']],
      'bert/mlm-loss': [['return tf.tidy(() => {', 'return tf.tidy(() => {{']],
    }),
  ),
  'endless-loop.ipynb': serializeNotebook(
    solved({ 'bert/encoder': [['let x = hidden;', 'let x = hidden;\n    while (x.rank > 2);']] }),
  ),
  'cells-moved.ipynb': serializeNotebook(
    ((notebook: Notebook): Notebook => ({
      ...notebook,
      cells: [...notebook.cells]
        .reverse()
        .flatMap((cell) =>
          exerciseOf(cell) === 'bert/pooler'
            ? []
            : exerciseOf(cell) === 'bert/embeddings'
              ? [cell, cell]
              : [cell],
        ),
    }))(solved()),
  ),
  'not-a-notebook.ipynb': 'This is my homework: I could not export the notebook.\n',
  'essay.txt': 'BERT is a bidirectional encoder.\n',
};

rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const [name, text] of Object.entries(submissions)) writeFileSync(path.join(OUT, name), text);
// A truncated file, as a broken upload leaves it.
writeFileSync(path.join(OUT, 'truncated.ipynb'), (submissions['perfect.ipynb'] ?? '').slice(0, 5000));
