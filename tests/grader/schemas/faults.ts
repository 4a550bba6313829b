/** Whether what a grading run wrote is what the readers of its reports were promised: every file is held against its schema. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { validateXML } from 'xmllint-wasm';
import { z } from 'zod';
import { parseCsv } from './csv.ts';
import { gradescopeResultsSchema } from './gradescope.ts';

const XSD = readFileSync(path.join(import.meta.dirname, 'junit.xsd'), 'utf8');

const problems = (name: string, schema: z.ZodType, text: string): string[] => {
  const result = schema.safeParse(JSON.parse(text));
  return result.success ? [] : [`${name}: ${z.prettifyError(result.error)}`];
};

/** What the schema of JUnit reports has against the text. */
export async function junitFaults(text: string): Promise<string[]> {
  const { valid, errors } = await validateXML({
    xml: { fileName: 'junit.xml', contents: text },
    schema: XSD,
    // A report on 1,000 learners has some 30 MB.
    maxMemoryPages: 65_536,
  });
  const counted = [...text.matchAll(/<testsuite [^>]*>(.*?)<\/testsuite>/gs)].flatMap(([suite, inner = '']) =>
    (
      [
        ['tests', /<testcase /g],
        ['failures', /<failure /g],
        ['errors', /<error /g],
        ['skipped', /<skipped /g],
      ] as const
    ).flatMap(([attribute, tag]) => {
      const said = new RegExp(`^<testsuite [^>]*\\b${attribute}="(\\d+)"`).exec(suite)?.[1];
      const found = inner.match(tag)?.length ?? 0;
      return Number(said) === found ? [] : [`a suite says ${attribute}="${said}" and has ${found}`];
    }),
  );
  return [...(valid ? [] : errors.map(({ rawMessage }) => rawMessage)), ...counted];
}

const gradesSchema = z.array(
  z.strictObject({
    learner: z.string(),
    file: z.string(),
    chapter: z.string().nullable(),
    verdict: z.enum(['pass', 'fail', 'error']),
    score: z.number().nonnegative().nullable(),
    points: z.number().nonnegative(),
    seed: z.string().min(1),
  }),
);

/** What a spreadsheet would take for a formula stands behind an apostrophe in the table. */
const isFormula = (text: string): boolean => /^[=+\-@\t\r\n＝＋－＠]/.test(text);

/** The table and the list of grades say the same of everyone. */
function csvFaults(csv: string, json: string): string[] {
  const grades = gradesSchema.parse(JSON.parse(json));
  const [header = [], ...rows] = parseCsv(csv);
  const faults = rows.flatMap((row, i) =>
    row.length === header.length ? [] : [`grades.csv, row ${i}: ${row.length} cells, not ${header.length}`],
  );
  if (rows.length !== grades.length) faults.push(`grades.csv has ${rows.length} rows, not ${grades.length}`);
  for (const [i, grade] of grades.entries()) {
    for (const [name, value] of Object.entries(grade)) {
      const column = header.indexOf(name);
      if (column < 0) continue;
      // UTF-8 cannot hold half a character.
      const expected = `${value ?? ''}`.toWellFormed();
      const cell = rows[i]?.[column] ?? '';
      if (isFormula(cell)) faults.push(`grades.csv, row ${i}: ${name} is a formula`);
      if (cell !== (isFormula(expected) ? `'${expected}` : expected))
        faults.push(
          `grades.csv, row ${i}: ${name} is ${JSON.stringify(cell)}, not ${JSON.stringify(expected)}`,
        );
    }
  }
  return faults;
}

/** Everything that is wrong with the reports in a folder that `lab grade` wrote, a sentence each. */
export async function reportFaults(out: string): Promise<string[]> {
  const text = (...names: string[]): string => readFileSync(path.join(out, ...names), 'utf8');
  const faults = [
    ...(await junitFaults(text('junit.xml'))),
    ...problems('grades.json', gradesSchema, text('grades.json')),
    ...csvFaults(text('grades.csv'), text('grades.json')),
  ];
  const names = [
    ...readdirSync(out).map((name) => [name]),
    ...readdirSync(path.join(out, 'learners')).map((name) => ['learners', name]),
  ];
  for (const name of names) {
    if (name.at(-1)?.endsWith('results.json'))
      faults.push(...problems(name.join('/'), gradescopeResultsSchema, text(...name)));
  }
  return faults;
}
