/** What an instructor puts into the template of a classroom's repositories: notebooks, and the workflow that checks them. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InputError } from '../src/errors.ts';
import { notebookOf, serializeNotebook } from '../src/notebook/ipynb.ts';
import type { Master } from '../src/notebook/master.ts';

/** Which lab checks: one version of it for a whole class, whatever happens to the lab meanwhile. */
export interface PinnedLab {
  /** `owner/name` on GitHub. */
  readonly repository: string;
  /** 40 hexadecimal digits. */
  readonly commit: string;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PINNED = /^([\w.-]+\/[\w.-]+)@([0-9a-f]{40})$/;

/** @param text `owner/name@commit`; without it, this clone's own repository and commit. @throws InputError */
export function pinnedLab(text: string | undefined): PinnedLab {
  const [, repository, commit] = PINNED.exec(text ?? ofThisClone()) ?? [];
  if (repository === undefined || commit === undefined) {
    throw new InputError(
      text === undefined
        ? 'this clone does not say which repository on GitHub it is of; give --lab OWNER/NAME@COMMIT'
        : `--lab must be like owner/llm-lab@COMMIT with the commit's 40 hexadecimal digits, got '${text}'`,
    );
  }
  return { repository, commit };
}

function ofThisClone(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const repository = /github\.com[:/]([^/]+\/[^/]+?)(?:\.git)?$/.exec(
      git('remote', 'get-url', 'origin'),
    )?.[1];
    return `${repository ?? ''}@${git('rev-parse', 'HEAD')}`;
  } catch {
    return '';
  }
}

/** The files of the template, by their paths in the repository. */
export function githubTemplate(masters: readonly Master[], lab: PinnedLab): ReadonlyMap<string, string> {
  const files = new Map([
    [
      '.github/workflows/llm-lab.yml',
      workflow(
        masters.map(({ name }) => name),
        lab,
      ),
    ],
  ]);
  for (const master of masters) {
    const notebook = notebookOf(master, { variant: 'released' });
    files.set(`notebooks/${master.name}.ipynb`, serializeNotebook(notebook));
  }
  return files;
}

/** A chapter that fails does not keep the next one from being checked. */
const checkStep = (chapter: string): string => `
      - name: Check ${chapter}
        if: \${{ !cancelled() && steps.install.outcome == 'success' }}
        run: node .llm-lab/src/cli/bootstrap.mjs check notebooks/${chapter}.ipynb --github reports
`;

/** Names of workflow and job are those that GitHub Classroom asks for; its tools and others read the points from there. */
const workflow = (chapters: readonly string[], { repository, commit }: PinnedLab): string => `\
# Runs the public cases of the exercises on every push, and shows what is wrong. It helps learners; it gives no marks: who
# owns the repository can change this file. Marks come from the instructor's own machine (npx lab grade).
name: Autograding Tests
on:
  push:
  workflow_dispatch:
permissions:
  contents: read
concurrency:
  group: autograding-\${{ github.ref }}
  cancel-in-progress: true
jobs:
  run-autograding-tests:
    runs-on: ubuntu-24.04
    timeout-minutes: 30
    steps:
      - name: Get the answers
        uses: actions/checkout@v6
        with:
          persist-credentials: false

      - name: Get the lab
        uses: actions/checkout@v6
        with:
          repository: ${repository}
          ref: ${commit}
          path: .llm-lab
          persist-credentials: false

      - name: Set up Node
        uses: actions/setup-node@v6
        with:
          node-version: 24

      - name: Keep the packages of the lab
        uses: actions/cache@v5
        with:
          path: .llm-lab/node_modules
          key: llm-lab-\${{ runner.os }}-${commit}

      - name: Install the lab
        id: install
        run: node .llm-lab/src/cli/bootstrap.mjs --version
${chapters.map(checkStep).join('')}
      - name: Keep the reports
        if: \${{ !cancelled() }}
        uses: actions/upload-artifact@v6
        with:
          name: llm-lab-reports
          path: reports/
          if-no-files-found: ignore
`;
