/** HTML: a page a learner, and an overview for the instructor. Self-contained files that open anywhere, print well and follow the system's colours. */
import type { Exercise } from '../define.ts';
import type { ExerciseReport, SubmissionReport } from '../grade.ts';
import { AMBER, escapeHtml, GREEN, GREY, judgementHtml, RED } from './feedback.ts';
import { fileNameOf } from './names.ts';

const STYLE = `
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0 0 .2rem}h2{font-size:1.15rem;margin:1.6rem 0 .3rem}
.sub{color:${GREY};margin:0 0 1rem}
.now{border:1px solid ${AMBER};border-radius:8px;padding:.7rem 1rem;margin:1rem 0}
.done{border-color:${GREEN}}
details.right>summary{color:${GREEN};cursor:pointer}
ul.list{list-style:none;padding:0}ul.list li{margin:.15rem 0}
table.grid{border-collapse:collapse;width:100%}table.grid th,table.grid td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}
code{font-family:ui-monospace,monospace}
footer{color:${GREY};font-size:.85rem;margin-top:2rem}
`;

const ICON = {
  pass: `<span style="color:${GREEN}">✓</span>`,
  fail: `<span style="color:${RED}">✗</span>`,
  error: `<span style="color:${AMBER}">!</span>`,
} as const;
const WORD = { pass: 'all correct', fail: 'not finished yet', error: 'could not be graded' } as const;

const page = (title: string, body: string): string =>
  `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>\n${body}\n</body></html>\n`;

/** A name that someone gave: whichever way it is written, what stands around it keeps its place. */
const name = (text: string): string => `<bdi>${escapeHtml(text)}</bdi>`;

const anchor = (id: string): string => id.replace(/[^a-z0-9]+/g, '-');

const marks = (report: { score: number | null; points: number }): string =>
  report.score === null ? `– of ${report.points} points` : `${report.score} of ${report.points} points`;

/** How far it is, in a few words. */
function progress({ verdict, exercises }: SubmissionReport): string {
  const right = exercises.filter((one) => one.verdict === 'pass').length;
  return exercises.length === 0 || verdict === 'pass'
    ? WORD[verdict]
    : `${right} of ${exercises.length} exercises right${verdict === 'error' ? `, some ${WORD.error}` : ''}`;
}

/** Which exercise to go on with: the first that was begun and is wrong, else the first that is empty. */
function nextExercise(report: SubmissionReport): ExerciseReport | undefined {
  const open = report.exercises.filter(({ verdict }) => verdict === 'fail');
  return open.find(({ checks }) => checks.length > 0) ?? open[0];
}

function whatNow(report: SubmissionReport): string {
  if (report.verdict === 'error') {
    return '<div class="now"><strong>What now?</strong> Nothing: the grader failed, not you. Your instructor will grade this again.</div>';
  }
  if (report.verdict === 'pass')
    return '<div class="now done"><strong>All done.</strong> Every exercise is correct, hidden cases included.</div>';
  const next = nextExercise(report);
  if (next === undefined)
    return '<div class="now"><strong>What now?</strong> Hand in the notebook of a chapter (a file that ends in .ipynb).</div>';
  const why =
    next.mistake?.diagnosis ??
    next.problem ??
    next.checks.find(({ status }) => status !== 'passed')?.message ??
    '';
  return (
    `<div class="now"><strong>What now?</strong> Go on with <a href="#${anchor(next.id)}">${escapeHtml(next.title)}</a>. ${escapeHtml(why)} ` +
    `Change that cell in your notebook, run <code>await check('${escapeHtml(next.id)}', …)</code> below it until it is green, and hand in again.</div>`
  );
}

function exerciseHtml(report: ExerciseReport, exercise: Exercise | undefined): string {
  const title = `<h2 id="${anchor(report.id)}">${ICON[report.verdict]} ${escapeHtml(report.title)}</h2>`;
  if (report.problem !== undefined) {
    const colour = report.verdict === 'error' ? AMBER : RED;
    return `${title}<div style="border-left:4px solid ${colour};padding:.4em .9em"><strong>${report.verdict === 'error' ? '–' : report.score} of ${report.points} points.</strong> ${escapeHtml(report.problem)}</div>`;
  }
  const judgement = { ...report, verdict: report.verdict === 'pass' ? ('pass' as const) : ('fail' as const) };
  const html = judgementHtml(judgement, {
    mode: 'grade',
    ...(exercise === undefined ? {} : { hints: exercise.hints }),
  });
  // What is right is folded, so that what is left to do stands out.
  return report.verdict === 'pass'
    ? `${title}<details class="right"><summary>all checks passed</summary>${html}</details>`
    : title + html;
}

/** The page of one learner. Without the seed: who has it can draw the hidden inputs. */
export function learnerPage(report: SubmissionReport, exercises: ReadonlyMap<string, Exercise>): string {
  const notices =
    report.notices.length === 0
      ? ''
      : `<ul>${report.notices.map((text) => `<li>${escapeHtml(text)}</li>`).join('')}</ul>`;
  const list = report.exercises
    .map(
      (one) =>
        `<li>${ICON[one.verdict]} <a href="#${anchor(one.id)}">${escapeHtml(one.title)}</a> <span class="sub">${one.verdict === 'error' ? '–' : one.score} of ${one.points}</span></li>`,
    )
    .join('');
  const details = report.exercises.map((one) => exerciseHtml(one, exercises.get(one.id))).join('\n');
  const chapter = report.chapter === null ? '' : `, chapter ${escapeHtml(report.chapter)}`;
  return page(
    `${report.learner}: ${marks(report)}`,
    `<h1>${name(report.learner)}: ${marks(report)}</h1><p class="sub">${name(report.file)}${chapter} · ${progress(report)}</p>` +
      `${whatNow(report)}${notices}<ul class="list">${list}</ul>${details}` +
      '<footer>“Hidden” cases use other sizes and values; their numbers are not shown.</footer>',
  );
}

/** The overview of a run: everyone, and which mistakes were made how often. */
export function overviewPage(reports: readonly SubmissionReport[], folder: string): string {
  const rows = reports
    .map((report) => {
      const link = `${folder}/${fileNameOf(report.learner)}.html`;
      const cells = report.exercises
        .map((one) => `<span title="${escapeHtml(one.id)}">${ICON[one.verdict]}</span>`)
        .join(' ');
      return `<tr><td><a href="${encodeURI(link)}">${name(report.learner)}</a></td><td>${ICON[report.verdict]} ${WORD[report.verdict]}</td><td>${marks(report)}</td><td>${cells}</td><td>${escapeHtml(report.notices.join(' '))}</td></tr>`;
    })
    .join('\n');
  const counts = new Map<string, { text: string; count: number }>();
  for (const { id, mistake } of reports.flatMap((report) => report.exercises)) {
    if (mistake === undefined) continue;
    const key = `${id}: ${mistake.id}`;
    counts.set(key, { text: mistake.diagnosis, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const mistakes = [...counts]
    .sort(([a, x], [b, y]) => y.count - x.count || (a < b ? -1 : 1))
    .map(
      ([key, { text, count }]) =>
        `<tr><td>${count}</td><td>${escapeHtml(key)}</td><td>${escapeHtml(text)}</td></tr>`,
    )
    .join('');
  const table =
    mistakes === ''
      ? ''
      : `<h2>Named mistakes</h2><table class="grid"><tr><th>How often</th><th>Which</th><th>What</th></tr>${mistakes}</table>`;
  return page(
    'Grades',
    `<h1>Grades</h1><p class="sub">${reports.length} submissions</p><table class="grid"><tr><th>Learner</th><th>Verdict</th><th>Marks</th><th>Exercises</th><th>Notices</th></tr>\n${rows}</table>${table}`,
  );
}
