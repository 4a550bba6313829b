/** `lab release`: what an instructor hands out or uploads. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { allExercises } from '../../../grader/discover.ts';
import { gradescopeZip, withNbgrader } from '../../../grader/release.ts';
import { InputError } from '../../errors.ts';
import { loadMasters } from '../../notebook/course.ts';
import { notebookOf, serializeNotebook } from '../../notebook/ipynb.ts';
import type { Master } from '../../notebook/master.ts';

interface Options {
  out?: string;
  gradescope?: string;
  force?: boolean;
}

export function releaseCommand(): Command {
  return new Command('release')
    .summary('notebooks for nbgrader, an autograder for Gradescope')
    .description(
      'With --out, writes released notebooks with nbgrader’s metadata (version 3). With --gradescope, writes the zip to upload as ' +
        'autograder of one chapter.',
    )
    .argument('[chapters...]', 'chapters, for example 03-bert; all unless given')
    .option('--out <folder>', 'where the notebooks go')
    .option('--gradescope <zip>', 'where the autograder of the one chapter named goes')
    .option('--force', 'overwrite what is there')
    .addHelpText(
      'after',
      '\nExample:\n  npx lab release 03-bert --out release/\n  npx lab release 03-bert --gradescope bert.zip',
    )
    .action(release);
}

async function release(names: string[], options: Options): Promise<void> {
  const { out, gradescope } = options;
  if (out === undefined && gradescope === undefined)
    throw new InputError('give --out or --gradescope: nothing to write otherwise');
  const masters = choose(await loadMasters(), names);
  if (out !== undefined) await writeNotebooks(masters, out, options.force === true);
  if (gradescope !== undefined) {
    const [only] = masters;
    if (only === undefined || names.length !== 1)
      throw new InputError('--gradescope needs exactly one chapter, for example 03-bert');
    refuseOverwriting(gradescope, options.force === true);
    const zip = await gradescopeZip(only.name);
    writeFileSync(gradescope, zip);
    console.log(
      `${gradescope} (${Math.round(zip.length / 1024)} KiB): upload it as the autograder of the assignment`,
    );
  }
}

async function writeNotebooks(masters: readonly Master[], out: string, force: boolean): Promise<void> {
  const exercises = new Map((await allExercises()).map((exercise) => [exercise.id, exercise]));
  const files = masters.map((master) => ({ master, file: path.join(out, `${master.name}.ipynb`) }));
  for (const { file } of files) refuseOverwriting(file, force);
  mkdirSync(out, { recursive: true });
  for (const { master, file } of files) {
    writeFileSync(
      file,
      serializeNotebook(withNbgrader(notebookOf(master, { variant: 'released' }), exercises)),
    );
    console.log(file);
  }
}

function choose(masters: readonly Master[], names: readonly string[]): readonly Master[] {
  if (names.length === 0) return masters;
  return names.map((name) => {
    const found = masters.find((master) => master.name === name);
    if (found === undefined) {
      throw new InputError(
        `there is no chapter '${name}'; expected one of ${masters.map((master) => master.name).join(', ')}`,
      );
    }
    return found;
  });
}

function refuseOverwriting(file: string, force: boolean): void {
  if (!force && existsSync(file))
    throw new InputError(`${file} exists; give another place, or --force to overwrite it`);
}
