/** `lab release`: what an instructor hands out or uploads. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { allExercises } from '../../../grader/discover.ts';
import { gradescopeZip, withNbgrader } from '../../../grader/release.ts';
import { githubTemplate, pinnedLab } from '../../../grader/release-github.ts';
import { InputError } from '../../errors.ts';
import { loadMasters } from '../../notebook/course.ts';
import { notebookOf, serializeNotebook } from '../../notebook/ipynb.ts';
import type { Master } from '../../notebook/master.ts';

interface Options {
  out?: string;
  gradescope?: string;
  github?: string;
  lab?: string;
  force?: boolean;
}

export function releaseCommand(): Command {
  return new Command('release')
    .summary('notebooks for nbgrader, an autograder for Gradescope, a template for GitHub')
    .description(
      'With --out, writes released notebooks with nbgrader’s metadata (version 3). With --gradescope, writes the zip to upload as ' +
        'autograder of one chapter. With --github, writes the template of a classroom’s repositories: the released notebooks and the ' +
        'workflow that checks them on every push, with the lab of --lab.',
    )
    .argument('[chapters...]', 'chapters, for example 03-bert; all unless given')
    .option('--out <folder>', 'where the notebooks go')
    .option('--gradescope <zip>', 'where the autograder of the one chapter named goes')
    .option('--github <folder>', 'where the template of GitHub repositories goes')
    .option(
      '--lab <repository@commit>',
      'with --github: the lab that checks; this clone’s origin and commit unless given',
    )
    .option('--force', 'overwrite what is there')
    .addHelpText(
      'after',
      '\nExample:\n  npx lab release 03-bert --out release/\n  npx lab release 03-bert --gradescope bert.zip\n' +
        '  npx lab release 03-bert --github bert-template/',
    )
    .action(release);
}

async function release(names: string[], options: Options): Promise<void> {
  const { out, gradescope, github } = options;
  if (out === undefined && gradescope === undefined && github === undefined)
    throw new InputError('give --out, --gradescope or --github: nothing to write otherwise');
  if (options.lab !== undefined && github === undefined) throw new InputError('--lab goes with --github');
  const masters = choose(await loadMasters(), names);
  if (out !== undefined) await writeNotebooks(masters, out, options.force === true);
  if (github !== undefined) writeTemplate(masters, github, options);
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

function writeTemplate(masters: readonly Master[], folder: string, options: Options): void {
  const files = [...githubTemplate(masters, pinnedLab(options.lab))];
  for (const [name] of files) refuseOverwriting(path.join(folder, name), options.force === true);
  for (const [name, text] of files) {
    const file = path.join(folder, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    console.log(file);
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
