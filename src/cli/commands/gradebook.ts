/** `lab gradebook`: the gradebook of a workshop from the command line. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { InputError } from '../../errors.ts';
import { assignmentOf, groupOf, instant, learnerOf, number } from '../../workshop/gradebook/arguments.ts';
import { EXPORT_FORMATS, type ExportFormat, exportBook } from '../../workshop/gradebook/exports.ts';
import { collect, takeReports } from '../../workshop/gradebook/grading-files.ts';
import { latePolicy } from '../../workshop/gradebook/policy.ts';
import { parseRoster } from '../../workshop/gradebook/roster.ts';
import { auditLog, record } from '../../workshop/store/audit.ts';
import { backup, restore } from '../../workshop/store/backup.ts';
import { extend } from '../../workshop/store/extensions.ts';
import { addMark, markBook } from '../../workshop/store/gradebook.ts';
import { type Assignment, setAssignment } from '../../workshop/store/rooms.ts';
import { importRoster } from '../../workshop/store/roster.ts';
import { type Common, subcommand, withRoom, withStore } from './gradebook-common.ts';
import { addLtiCommands } from './gradebook-lti.ts';

export function gradebookCommand(): Command {
  const book = new Command('gradebook')
    .summary('rosters, marks, extensions, exports and backups of a workshop')
    .description(
      'Works on the gradebook of a workshop: on the folder of lab workshop while that is not running, or at any time on the PostgreSQL server of DATABASE_URL.',
    )
    .addHelpText(
      'after',
      '\nExample:\n  npx lab gradebook import-roster class.csv --room 7K3M-9QXA\n  npx lab gradebook collect 03-bert --out handed-in/\n' +
        '  npx lab grade handed-in/ --out reports/\n  npx lab gradebook grade reports/\n  npx lab gradebook export --format canvas --out grades.csv',
    );
  const sub = (name: string, description: string, example: string): Command =>
    subcommand(book, name, description, example);
  sub(
    'import-roster',
    'put the learners of a CSV file into a room; all of them or, if a line is wrong, none',
    'import-roster class.csv',
  )
    .argument('<file>', 'CSV with columns name (or first name, last name), and as you like email, id, group')
    .action(importFile);
  sub('export', 'write the marks as CSV', 'export --format moodle --out grades.csv')
    .addOption(new Option('--format <name>', 'whose layout').choices(EXPORT_FORMATS).default('csv'))
    .option('--out <file>', 'where to; the terminal otherwise')
    .action(exportFile);
  sub(
    'rules',
    'set when a chapter is due and what being late costs',
    'rules 03-bert --due 2026-05-04T22:00:00Z --grace 15 --penalty 0.1',
  )
    .argument('<chapter>', 'for example 03-bert')
    .option('--due <time>', 'ISO 8601 with zone, for example 2026-05-04T23:59:00+02:00', instant)
    .option('--grace <minutes>', 'late by no more than this is not late', number)
    .option('--penalty <part>', 'part of the points, 0 to 1, for each day that has begun', number)
    .option('--cut-off <time>', 'nothing is accepted after it', instant)
    .option('--attempts <number>', 'how often it can be handed in', number)
    .addOption(new Option('--counts <which>', 'which attempt counts').choices(['best', 'latest']))
    .action(rules);
  sub('collect', 'write what was handed in into a folder, for lab grade', 'collect 03-bert --out handed-in/')
    .argument('<chapter>', 'for example 03-bert')
    .requiredOption('--out <folder>', 'an empty folder')
    .option('--all', 'also what was graded before')
    .action(collectFiles);
  sub('grade', 'take the reports of lab grade into the gradebook', 'grade reports/')
    .argument('<reports>', 'the folder that lab grade wrote')
    .option(
      '--handed-in <time>',
      'when it was, where it was not handed in here; the due date otherwise',
      instant,
    )
    .action(grade);
  sub(
    'mark',
    'set a mark by hand, beside the automatic one, or comment on it',
    'mark 03-bert "Ada Byron" --exercise bert/pooler --points 4 --comment "nearly"',
  )
    .argument('<chapter>', 'for example 03-bert')
    .argument('<learner>', 'name, e-mail or id')
    .option('--exercise <id>', 'the exercise; the whole chapter otherwise')
    .option('--points <number>', 'the points, or none to take a mark back', (text) =>
      text === 'none' ? null : number(text),
    )
    .option('--comment <text>', 'what the learner reads with it')
    .action(mark);
  sub(
    'extend',
    'give a learner or a group another due date',
    'extend 03-bert --learner "Ada Byron" --until 2026-05-11T22:00:00Z',
  )
    .argument('<chapter>', 'for example 03-bert')
    .option('--learner <name>', 'name, e-mail or id')
    .option('--group <name>', 'a group of the roster')
    .requiredOption('--until <time>', 'ISO 8601 with zone', instant)
    .action(extendDue);
  sub('publish', 'show learners their marks of a chapter on their own pages', 'publish 03-bert')
    .argument('<chapter>', 'for example 03-bert')
    .option('--take-back', 'hide them again')
    .action(publish);
  addLtiCommands(book);
  sub('audit', 'show who did what, newest first', 'audit --limit 20')
    .option('--limit <number>', 'how many entries', number, 100)
    .option('--json', 'print it as JSON')
    .action(showAudit);
  sub('backup', 'write everything into one file', 'backup workshop.backup')
    .argument('<file>')
    .action(makeBackup);
  sub('restore', 'fill a new, empty store from a backup', 'restore workshop.backup --folder restored/')
    .argument('<file>')
    .action(restoreBackup);
  return book;
}

async function importFile(file: string, options: Common): Promise<void> {
  const bytes = readFileSync(file);
  const { added, changed, unchanged } = await withRoom(options, async (store, room) => {
    try {
      return await importRoster(store, room.id, parseRoster(bytes), options.by);
    } catch (error) {
      if (error instanceof InputError)
        throw new InputError(`${file}: ${error.message}. Nothing was imported`);
      throw error;
    }
  });
  console.log(`${added} added, ${changed} changed, ${unchanged} as they were`);
}

async function exportFile(options: Common & { format: ExportFormat; out?: string }): Promise<void> {
  const text = await withRoom(options, async (store, room) =>
    exportBook(await markBook(store, room.id), options.format),
  );
  if (options.out === undefined) process.stdout.write(text);
  else writeFileSync(options.out, text);
}

interface Rules extends Common {
  due?: Date;
  grace?: number;
  penalty?: number;
  cutOff?: Date;
  attempts?: number;
  counts?: 'best' | 'latest';
}

async function rules(chapter: string, options: Rules): Promise<void> {
  const { due, grace, penalty, cutOff, attempts, counts, by } = options;
  const policy = latePolicy.safeParse({
    ...(grace === undefined ? {} : { graceMinutes: grace }),
    ...(penalty === undefined ? {} : { penaltyPerDay: penalty }),
    ...(cutOff === undefined ? {} : { cutOffAt: cutOff.toISOString() }),
    ...(attempts === undefined ? {} : { maxAttempts: attempts }),
    ...(counts === undefined ? {} : { counts }),
  });
  if (!policy.success) throw new InputError(`these rules are not possible: ${z.prettifyError(policy.error)}`);
  await withRoom(options, async (store, room) => {
    const { policy: before } = await assignmentOf(store, room, chapter);
    await setAssignment(store, {
      roomId: room.id,
      chapter,
      by,
      policy: { ...before, ...latePolicyOf(policy.data) },
      ...(due === undefined ? {} : { dueAt: due }),
    });
  });
}

/** Without the rules that are not given. */
const latePolicyOf = (given: z.infer<typeof latePolicy>): Assignment['policy'] =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));

async function collectFiles(
  chapter: string,
  options: Common & { out: string; all?: boolean },
): Promise<void> {
  const files = await withRoom(options, async (store, room) =>
    collect(store, await assignmentOf(store, room, chapter), options.out, options.all === true),
  );
  console.log(
    files.length === 0
      ? 'Nothing to grade.'
      : `${files.length} notebooks; grade them: npx lab grade ${options.out} --out REPORTS`,
  );
}

async function grade(folder: string, options: Common & { handedIn?: Date }): Promise<void> {
  const { handedIn, by } = options;
  const manifest = new URL('../../../package.json', import.meta.url);
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(manifest, 'utf8')));
  const { graded, regraded, known, strangers } = await withRoom(options, (store, room) =>
    takeReports(store, {
      roomId: room.id,
      folder,
      graderVersion: version,
      by,
      ...(handedIn === undefined ? {} : { handedInAt: handedIn }),
    }),
  );
  console.log(`${graded} graded, ${regraded} graded again, ${known} known already`);
  if (strangers.length === 0) return;
  console.error(`lab: not taken, for nobody in the room is called so: ${strangers.join(', ')}`);
  process.exitCode = 1;
}

async function mark(
  chapter: string,
  name: string,
  options: Common & { exercise?: string; points?: number | null; comment?: string },
): Promise<void> {
  const { exercise, points, comment, by } = options;
  await withRoom(options, async (store, room) => {
    const [assignment, learner] = [
      await assignmentOf(store, room, chapter),
      await learnerOf(store, room, name),
    ];
    const mark = { exercise, points, comment, by };
    await addMark(store, { ...mark, assignmentId: assignment.id, learnerId: learner.id });
  });
}

async function extendDue(
  chapter: string,
  options: Common & { learner?: string; group?: string; until: Date },
): Promise<void> {
  const { learner, group, until, by } = options;
  if ((learner === undefined) === (group === undefined))
    throw new InputError('give --learner or --group, one of them');
  await withRoom(options, async (store, room) => {
    const { id } = await assignmentOf(store, room, chapter);
    const whose =
      learner === undefined
        ? { groupId: await groupOf(store, room, group ?? '') }
        : { learnerId: (await learnerOf(store, room, learner)).id };
    await extend(store, { assignmentId: id, whose, dueAt: until, by });
  });
}

async function publish(chapter: string, options: Common & { takeBack?: boolean }): Promise<void> {
  await withRoom(options, async (store, room) => {
    await assignmentOf(store, room, chapter);
    const released = options.takeBack !== true;
    await setAssignment(store, { roomId: room.id, chapter, released, by: options.by });
  });
}

async function showAudit(options: Common & { limit: number; json?: boolean }): Promise<void> {
  const entries = await withStore(options, ({ db }) => auditLog(db, options.limit));
  if (options.json === true) return console.log(JSON.stringify(entries, null, 2));
  for (const { at, actor, action, subject } of entries) {
    console.log(`${at.toISOString()}  ${actor}  ${action}  ${JSON.stringify(subject)}`);
  }
}

async function makeBackup(file: string, options: Common): Promise<void> {
  const rows = await withStore(options, (store) => backup(store, file));
  console.log(`${file}: ${rows} rows. Keep it secret: it holds what learners handed in`);
}

async function restoreBackup(file: string, options: Common): Promise<void> {
  const rows = await withStore(
    options,
    async (store) => {
      const restored = await restore(store, file);
      await record(store.db, options.by, 'store.restore', { rows: restored });
      return restored;
    },
    true,
  );
  console.log(`${rows} rows restored`);
}
