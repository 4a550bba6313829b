import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gradeAll } from '../../grader/batch.ts';
import type { SubmissionReport } from '../../grader/grade.ts';
import { bestConfinement, type Confinement } from '../../grader/sandbox/confine.ts';
import { serializeNotebook } from '../../src/notebook/ipynb.ts';
import { COURSE, hostileAnswers, tinyNotebook } from './notebooks.ts';

const SECRET = 'lab-secret-7f3a91';
const TIMEOUT_MS = 4000;
const hostile = hostileAnswers();

/** Processes that the hostile submissions were run in or have started, with their arguments. */
function harnesses(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      } catch {
        return '';
      }
    })
    .filter(
      (line) =>
        (line.includes('sandbox/harness.ts') && line.includes(SECRET_MEMORY)) || line.includes('lab-hostile'),
    );
}

/** An odd memory limit marks the processes of this test among those of others. */
const MEMORY_MB = 700;
const SECRET_MEMORY = `--max-old-space-size=${Math.floor(MEMORY_MB * 0.6)}`;

/** What reaches out of the process: run under the weaker confinement too, where the rest would only say the same again. */
const OUTWARD =
  /^(?:endless-loop|fork-bomb|worker-bomb|shell|tensor-bomb|full-disk|output-flood|read-|environment|network|kill-parent|exit-in-call|forged-|closed-channel|library-|hidden-thief|tell-by-|side-doors|exit-on-exit|answer-flood|many-parts)/;

const best = await bestConfinement();
const confinements: Confinement[] = best === 'bubblewrap' ? ['bubblewrap', 'permissions'] : ['permissions'];

describe.each(confinements)('hostile submissions under %s', (confinement) => {
  const chosen = confinement === best ? hostile : hostile.filter(({ name }) => OUTWARD.test(name));
  let server: Server;
  let hits = 0;
  let folder: string;
  let reports: ReadonlyMap<string, SubmissionReport>;

  beforeAll(async () => {
    server = createServer((_, response) => {
      hits++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    folder = mkdtempSync(path.join(tmpdir(), 'lab-attacks-'));
    const source = path.join(folder, 'in');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(source);
    process.env.LAB_TEST_SECRET = SECRET;
    writeFileSync(path.join(source, 'aaa-honest.ipynb'), serializeNotebook(await tinyNotebook('solved')));
    writeFileSync(path.join(source, 'zzz-honest.ipynb'), serializeNotebook(await tinyNotebook('solved')));
    for (const { name, source: text } of chosen) {
      const notebook = await tinyNotebook('solved', { 'bert/pooler': text.replaceAll('PORT', `${port}`) });
      writeFileSync(path.join(source, `${name}.ipynb`), serializeNotebook(notebook));
    }
    const graded = await gradeAll({
      source,
      out: path.join(folder, 'out'),
      masters: COURSE,
      jobs: 2,
      timeoutMs: TIMEOUT_MS,
      memoryMb: MEMORY_MB,
      resume: false,
      format: 'all',
      seed: 'hostile',
      confinement,
    });
    reports = new Map(graded.map((report) => [report.learner, report]));
  }, 900_000);

  afterAll(() => {
    server.close();
    delete process.env.LAB_TEST_SECRET;
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(chosen.map((answer) => [answer.name, answer] as const))(
    '%s earns nothing it did not earn',
    (name, answer) => {
      const report = reports.get(name);
      const pooler = report?.exercises.find(({ id }) => id === 'bert/pooler');
      expect(pooler?.verdict).toBe('fail');
      expect(pooler?.score).toBeLessThanOrEqual(answer.most);
      // The rest of the same notebook is graded all the same.
      expect(report?.exercises.find(({ id }) => id === 'bert/embeddings')?.verdict).toBe('pass');
      const said = [
        pooler?.problem,
        ...(pooler?.checks.flatMap(({ message, findings = [] }) => [message, ...findings]) ?? []),
      ].join('\n');
      if (answer.says !== undefined) expect(said).toMatch(answer.says);
    },
  );

  it('leaves honest learners their full marks, before and after', () => {
    expect(reports.get('aaa-honest')).toMatchObject({ verdict: 'pass', score: 3 });
    expect(reports.get('zzz-honest')).toMatchObject({ verdict: 'pass', score: 3 });
  });

  it('tells no secret, no other learner and no hidden input in any report', () => {
    const out = path.join(folder, 'out', 'learners');
    for (const file of readdirSync(out)) {
      const text = readFileSync(path.join(out, file), 'utf8');
      expect(text).not.toContain(SECRET);
      expect(text).not.toMatch(/root:x:0|SEEN[^"]*honest/);
      if (file.endsWith('.html')) expect(text).not.toContain('<script');
    }
    // The only shape that may be told is that of the public case.
    const stolen = JSON.stringify([...reports.values()]).match(/STOLEN-[\dx]+/g) ?? [];
    expect(new Set(stolen)).toEqual(new Set(['STOLEN-2x5x6']));
    expect(JSON.stringify(reports.get('tell-by-count'))).not.toContain('4242');
  });

  it('leaves no process and no file', async () => {
    // A killed process stays in the table until the system has let go of its memory, which a busy machine takes a moment for.
    if (process.platform === 'linux') await expect.poll(harnesses, { timeout: 20_000 }).toEqual([]);
    for (const place of ['/tmp', '/dev/shm', '/var/tmp', process.cwd(), '/']) {
      if (existsSync(place))
        expect(readdirSync(place).filter((name) => name.startsWith('lab-hostile-0'))).toEqual([]);
    }
    expect(existsSync('/autograder')).toBe(false);
  });

  it('lets nothing call home', () => {
    // Node's permission model alone does not close the network, and the reports say so.
    if (confinement === 'bubblewrap') expect(hits).toBe(0);
    else expect(reports.get('aaa-honest')?.notices.join()).toContain('not from the network');
  });
});
