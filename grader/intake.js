/** What there is to grade: a folder, an archive or one notebook becomes a list of submissions, one learner each. */
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { InputError } from '../src/errors.js';
import { MAX_NOTEBOOK_BYTES, UnreadableSubmission } from './submission.js';
import { readZip } from './zip.js';

/** Folders deeper than this hold nothing a learner handed in. */
const MAX_DEPTH = 6;
const SKIPPED = /^(?:\.|__MACOSX$|node_modules$)/;
const NOTEBOOK = /\.ipynb$/i;
/**
 * The submissions at a path. In a folder (or a zip of one), a notebook is the submission of the learner it is named after, a folder or
 * zip that of the learner whose name it has; any other file is a submission that is no notebook.
 * @throws InputError if there is nothing, or nothing readable
 */
export async function findSubmissions(source) {
  const found = await lstat(source).catch(() => undefined);
  if (found === undefined) throw new InputError(`${source}: there is no such folder or file`);
  let submissions;
  if (found.isDirectory()) submissions = await inFolder(source);
  else if (NOTEBOOK.test(source))
    submissions = [one(nameOf(path.basename(source)), path.basename(source), () => readOwn(source))];
  else if (/\.zip$/i.test(source))
    submissions = inArchive(
      source,
      await readZip(await readOwn(source, Number.POSITIVE_INFINITY)).catch(refuse(source)),
    );
  else
    throw new InputError(
      `${source}: expected a folder of submissions, a .zip of one, or a notebook (.ipynb)`,
    );
  if (submissions.length === 0) throw new InputError(`${source}: holds no submission`);
  return disambiguate(submissions.sort((a, b) => (a.learner < b.learner ? -1 : 1)));
}
const refuse = (source) => (error) => {
  throw new InputError(`${source}: ${error instanceof Error ? error.message : 'cannot be read'}`);
};
const nameOf = (file) => file.replace(/\.(?:ipynb|zip)$/i, '');
const one = (learner, file, read) => ({
  learner,
  file,
  read,
});
/** Reads a regular file that is no link, and no more than a notebook may have. */
async function readOwn(file, limit = MAX_NOTEBOOK_BYTES + 1) {
  let handle;
  try {
    // A link could lead to another learner's work or to a device that never ends.
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    throw new UnreadableSubmission('it is a link or cannot be opened; hand in the file itself');
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UnreadableSubmission('it is no regular file');
    if (stat.size <= limit) return await handle.readFile();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(limit), 0, limit, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
async function inFolder(folder) {
  const submissions = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (SKIPPED.test(entry.name)) continue;
    if (entry.isDirectory()) submissions.push(...ofLearner(entry.name, await notebooksIn(at, '', 0)));
    else if (/\.zip$/i.test(entry.name)) submissions.push(...(await ofArchive(at, entry.name)));
    else submissions.push(one(nameOf(entry.name), entry.name, () => readOwn(at)));
  }
  return submissions;
}
/** A learner's own archive: what is wrong with it is told in that learner's report. */
async function ofArchive(file, name) {
  try {
    const entries = await readZip(await readOwn(file, 4 * MAX_NOTEBOOK_BYTES));
    return ofLearner(nameOf(name), entries.filter(isNotebook));
  } catch (error) {
    const why = error instanceof Error ? error.message : 'it cannot be read';
    return [one(nameOf(name), name, () => Promise.reject(new UnreadableSubmission(why)))];
  }
}
const isNotebook = ({ name }) => NOTEBOOK.test(name) && !name.split('/').some((part) => SKIPPED.test(part));
async function notebooksIn(folder, prefix, depth) {
  if (depth > MAX_DEPTH) return [];
  const found = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (SKIPPED.test(entry.name)) continue;
    const at = path.join(folder, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) found.push(...(await notebooksIn(at, `${name}/`, depth + 1)));
    else if (NOTEBOOK.test(entry.name)) found.push({ name, read: () => readOwn(at) });
  }
  return found;
}
/** One notebook is the learner's submission; of several, each is one. */
function ofLearner(learner, notebooks) {
  if (notebooks.length === 0) {
    return [
      one(learner, `${learner}/`, () =>
        Promise.reject(new UnreadableSubmission('it holds no notebook (.ipynb)')),
      ),
    ];
  }
  return notebooks.map(({ name, read }) =>
    one(notebooks.length === 1 ? learner : `${learner}/${nameOf(name)}`, `${learner}/${name}`, read),
  );
}
/** The entries of an archive of many learners, by the first part of their path. A single folder around all is looked through. */
function inArchive(source, entries) {
  const kept = entries.filter(({ name }) => !name.split('/').some((part) => SKIPPED.test(part)));
  const tops = new Set(kept.map(({ name }) => name.split('/')[0] ?? name));
  const [top] = tops;
  const wrapped =
    tops.size === 1 && top !== undefined && kept.every(({ name }) => name.startsWith(`${top}/`));
  const inner = wrapped ? kept.map((entry) => ({ ...entry, name: entry.name.slice(top.length + 1) })) : kept;
  if (inner.length === 0) throw new InputError(`${source}: holds no submission`);
  const loose = inner.filter(({ name }) => !name.includes('/'));
  const folders = Map.groupBy(
    inner.filter(({ name }) => name.includes('/')),
    ({ name }) => name.split('/')[0] ?? '',
  );
  return [
    ...loose.map(({ name, read }) => one(nameOf(name), name, read)),
    ...[...folders].flatMap(([learner, files]) =>
      ofLearner(
        learner,
        files.filter(isNotebook).map(({ name, read }) => ({ name: name.slice(learner.length + 1), read })),
      ),
    ),
  ];
}
/** `alice.ipynb` and `alice/` are two submissions; their reports must not overwrite each other. */
function disambiguate(submissions) {
  const seen = new Map();
  return submissions.map((submission) => {
    const key = submission.learner.toLowerCase();
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? submission : { ...submission, learner: `${submission.learner} (${count})` };
  });
}
