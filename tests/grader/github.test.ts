/** The workflow for classroom repositories: its steps, run here in their order as GitHub runs them. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { SubmissionReport } from '../../grader/grade.ts';
import { githubAnnotations, githubSummary } from '../../grader/report/github.ts';
import { ROOT } from '../../src/cli/jupyter/paths.ts';
import { type RunResult, run } from '../../src/cli/jupyter/run.ts';
import { type Notebook, notebookOf, serializeNotebook } from '../../src/notebook/ipynb.ts';
import { loadMaster } from '../../src/notebook/master.ts';
import { parseYaml, yamlObstacle } from '../workshop/yaml.ts';
import { junitFaults } from './schemas/faults.ts';

const CHAPTER = '00-start-here';
const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const missing = process.platform === 'win32' ? 'the steps are for bash' : yamlObstacle();

const step = z.object({
  name: z.string(),
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  run: z.string().optional(),
});
const workflow = z.strictObject({
  name: z.string(),
  on: z.object({ push: z.null(), workflow_dispatch: z.null() }),
  permissions: z.strictObject({ contents: z.literal('read') }),
  concurrency: z.object({ group: z.string(), 'cancel-in-progress': z.boolean() }),
  jobs: z.record(
    z.string(),
    z.strictObject({ 'runs-on': z.string(), 'timeout-minutes': z.number(), steps: z.array(step) }),
  ),
});

const folder = mkdtempSync(join(tmpdir(), 'lab-classroom-'));
const template = join(folder, 'template');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function release(...args: string[]): Promise<RunResult> {
  return run([process.execPath, 'src/cli/main.ts', 'release', ...args], { cwd: ROOT });
}

describe('the template of a classroom', () => {
  let steps: z.infer<typeof step>[] = [];

  beforeAll(async () => {
    const { code, output } = await release(
      CHAPTER,
      '--github',
      template,
      '--lab',
      `school/llm-lab@${COMMIT}`,
    );
    expect(output.join('\n')).toContain('llm-lab.yml');
    expect(code).toBe(0);
    if (missing !== undefined) return;
    const [parsed] = parseYaml(readFileSync(join(template, '.github/workflows/llm-lab.yml'), 'utf8'));
    const jobs = Object.values(workflow.parse(parsed).jobs);
    expect(jobs).toHaveLength(1);
    steps = jobs.flatMap((job) => job.steps);
  });

  it('holds the released notebook, with nothing solved', () => {
    expect(readFileSync(join(template, `notebooks/${CHAPTER}.ipynb`), 'utf8')).toBe(
      readFileSync(join(ROOT, `notebooks/${CHAPTER}.ipynb`), 'utf8'),
    );
  });

  it('takes the lab at one commit, leaves no credentials behind and keeps the reports', ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const checkouts = steps.filter(({ uses }) => uses?.startsWith('actions/checkout@'));
    expect(checkouts.map((one) => one.with)).toEqual([
      { 'persist-credentials': false },
      { repository: 'school/llm-lab', ref: COMMIT, path: '.llm-lab', 'persist-credentials': false },
    ]);
    expect(steps.at(-1)).toMatchObject({ if: `\${{ !cancelled() }}`, with: { path: 'reports/' } });
  });

  /** Runs the steps that are commands on a repository with this notebook; stands in for the actions between them. */
  async function push(notebook: string) {
    const repository = mkdtempSync(join(folder, 'repository-'));
    cpSync(template, repository, { recursive: true });
    writeFileSync(join(repository, `notebooks/${CHAPTER}.ipynb`), notebook);
    symlinkSync(ROOT, join(repository, '.llm-lab'), 'junction');
    const env = {
      PATH: [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
      GITHUB_STEP_SUMMARY: join(repository, 'summary.md'),
      GITHUB_OUTPUT: join(repository, 'output'),
    };
    const codes: number[] = [];
    const said: string[] = [];
    for (const { run: script } of steps) {
      if (script === undefined) continue;
      // GitHub's own way of running a step.
      const { code } = await run(['bash', '--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
        cwd: repository,
        env,
        onLine: (line) => said.push(line),
      });
      codes.push(code);
    }
    const text = (name: string): string => {
      const path = join(repository, name);
      return existsSync(path) ? readFileSync(path, 'utf8') : '';
    };
    return {
      codes,
      said,
      summary: text('summary.md'),
      output: text('output'),
      junit: text(`reports/${CHAPTER}.xml`),
    };
  }

  async function notebook(
    variant: 'solved' | 'released',
    answers: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const made: Notebook = notebookOf(await loadMaster(join(ROOT, `notebooks/source/${CHAPTER}.ts`)), {
      variant,
    });
    for (const cell of made.cells) {
      const answer = answers[cell.id];
      if (answer !== undefined) cell.source = [answer];
    }
    return serializeNotebook(made);
  }

  it('passes a repository in which everything is solved', { timeout: 300_000 }, async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const { codes, said, summary, output, junit } = await push(await notebook('solved'));
    expect(codes).toEqual([0, 0]);
    const [, points, most] = /^points=(\d+)\nmax-points=(\d+)\n$/.exec(output) ?? [];
    expect(points).toBe(most);
    expect(said).toContain(`::notice title=Autograding complete::Points ${points}/${points}`);
    expect(said.some((line) => line.startsWith('::error'))).toBe(false);
    expect(summary).toContain(`${points} of ${points} points on public cases`);
    expect(summary.match(/✅/g)).toHaveLength(4);
    expect(await junitFaults(junit)).toEqual([]);
    expect(junit).not.toContain('<failure');
  });

  it('fails one with a mistake, names it, and says nothing of hidden cases but their number', {
    timeout: 300_000,
  }, async ({ skip }) => {
    if (missing !== undefined) skip(missing);
    const wrong = `function standardize(x: tf.Tensor2D): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x));
  return tf.div(centred, tf.sqrt(tf.mean(tf.square(centred))));
}`;
    const forging = `function squaredDistances(): tf.Tensor {
  throw new Error('no\\n::add-mask::points');
}`;
    const answers = { 'answer-start-standardize': wrong, 'answer-start-distances': forging };
    const { codes, said, summary, junit } = await push(await notebook('released', answers));
    expect(codes).toEqual([0, 1]);
    const errors = said.filter((line) => line.startsWith('::error'));
    expect(errors).toHaveLength(4);
    expect(errors[0]).toMatch(
      /^::error file=notebooks\/00-start-here\.ipynb,title=[^:]+ \(start\/standardize\)::.*whole table/,
    );
    expect(summary.match(/❌/g)).toHaveLength(4);
    expect(summary).toMatch(
      /\d+ hidden cases, with other sizes and values, are run when the instructor grades/,
    );
    expect(await junitFaults(junit)).toEqual([]);
    expect(junit).toContain('<failure');
    for (const text of [said.join('\n'), summary, junit]) expect(text).not.toMatch(/hidden:/);
    // Between these two GitHub takes no line for a command.
    const stopped = said.findIndex((line) => line.startsWith('::stop-commands::'));
    const token = said[stopped]?.replace('::stop-commands::', '');
    const mask = said.findIndex((line) => line.includes('::add-mask::'));
    expect(mask).toBeGreaterThan(stopped);
    expect(mask).toBeLessThan(said.indexOf(`::${token}::`));
  });
});

describe('annotations and summary', () => {
  const exercise = {
    id: 'a/b',
    title: 'A: title, with signs',
    points: 2,
    score: 0,
    verdict: 'fail',
    seed: 's',
    checks: [],
    hiddenRemaining: 1,
    problem: 'first\nsecond\r\n\n::error::forged <b> | & 100%',
  } as const;
  const report: SubmissionReport = {
    learner: 'x',
    file: 'x',
    chapter: 'c',
    seed: 's',
    verdict: 'fail',
    score: 0,
    points: 2,
    notices: [],
    exercises: [exercise],
  };

  it('keep what a learner wrote in its place', () => {
    const [line = ''] = githubAnnotations(report, 'a,b:c.ipynb');
    expect(line).toBe(
      '::error file=a%2Cb%3Ac.ipynb,title=A%3A title%2C with signs (a/b)::first%0Asecond%0D%0A%0A::error::forged <b> | & 100%25',
    );
    const summary = githubSummary(report);
    expect(summary).not.toContain('<b>');
    expect(summary).not.toMatch(/^::/m);
    expect(summary).toContain('second<br><br>::error::forged &#60;b&#62; | &#38; 100%');
  });

  it('give no mark where the machine broke', () => {
    const broken: SubmissionReport = {
      ...report,
      verdict: 'error',
      score: null,
      exercises: [{ ...exercise, verdict: 'error' }],
    };
    expect(githubAnnotations(broken, 'n.ipynb').some((line) => line.includes('Points'))).toBe(false);
    expect(githubSummary(broken)).toContain('no mark on public cases');
    expect(githubSummary(broken)).toContain('not your fault');
  });
});

describe('lab release --github refuses', () => {
  it.each([
    [
      ['--github', join(folder, 'x'), '--lab', 'school/llm-lab@main'],
      /--lab must be like owner\/llm-lab@COMMIT.*got 'school\/llm-lab@main'/,
    ],
    [['--github', join(folder, 'x'), '--lab', `a/b@${COMMIT}\n  evil: 1`], /--lab must be like/],
    [['04-none', '--github', join(folder, 'x'), '--lab', `a/b@${COMMIT}`], /there is no chapter '04-none'/],
    [['--out', join(folder, 'y'), '--lab', `a/b@${COMMIT}`], /--lab goes with --github/],
    [['--github', template, '--lab', `a/b@${COMMIT}`], /exists; give another place, or --force/],
  ])('%j with one sentence and exit code 2', async (args, sentence) => {
    const { code, output } = await release(...args);
    expect(output.join('\n')).toMatch(sentence);
    expect(code).toBe(2);
  });
});

it('a clone without a repository on GitHub is told to name one', async () => {
  const origin = (() => {
    try {
      return execFileSync('git', ['remote', 'get-url', 'origin'], {
        cwd: ROOT,
        encoding: 'utf8',
        stdio: 'pipe',
      });
    } catch {
      return '';
    }
  })();
  const { code, output } = await release(CHAPTER, '--github', join(folder, 'own'));
  if (origin.includes('github.com')) expect(code).toBe(0);
  else {
    expect(code).toBe(2);
    expect(output.join('\n')).toContain('give --lab OWNER/NAME@COMMIT');
  }
});
