/** One judgement as text and as HTML: the same in a notebook's check and in a graded report. */
import type { CheckReport, Judgement } from '../judgement.ts';
import type { Picture } from '../picture.ts';

export interface FeedbackOptions {
  /** In a notebook: no mark is given, hidden cases remain, hints stand above in the notebook. */
  readonly mode: 'check' | 'grade';
  /** The exercise's three hints, for a report that stands alone. */
  readonly hints?: readonly string[];
}

/** Control characters, those that turn the direction of what follows, and halves of characters: they could make a page read otherwise. */
const UNSEEN = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|\p{Cs}/gu;

export function escapeHtml(text: string): string {
  return text
    .replace(UNSEEN, (c) => (/[\t\n\r]/.test(c) ? c : '\ufffd'))
    .replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const MARKS: Readonly<Record<CheckReport['status'], string>> = {
  passed: '✓',
  wrong: '✗',
  threw: '✗',
  timeout: '✗',
  died: '✗',
  skipped: '–',
};

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A name for what a check is: hidden cases are said to be hidden. */
const label = (check: CheckReport): string =>
  check.visibility === 'hidden' ? `hidden: ${check.name}` : check.name;

/** The first failed check tells most; the rest follow from it more often than not. */
const firstFailure = (judgement: Judgement): CheckReport | undefined =>
  judgement.checks.find((check) => check.status !== 'passed' && check.status !== 'skipped');

function headline(judgement: Judgement, mode: FeedbackOptions['mode']): string {
  const { id, title, checks, points, score } = judgement;
  const passed = checks.filter((check) => check.status === 'passed').length;
  const tally = `${passed} of ${plural(checks.length, 'check')} passed`;
  const mark = mode === 'grade' ? `, ${score} of ${plural(points, 'point')}` : '';
  return `${judgement.verdict === 'pass' ? '✓' : '✗'} ${title} (${id}): ${tally}${mark}`;
}

/** What to do next, in one sentence. */
export function nextStep(judgement: Judgement, mode: FeedbackOptions['mode']): string {
  if (judgement.verdict === 'pass') {
    return judgement.hiddenRemaining > 0
      ? `Public checks are done. ${plural(judgement.hiddenRemaining, 'hidden case')} with other sizes and values ${judgement.hiddenRemaining === 1 ? 'remains' : 'remain'} and ${judgement.hiddenRemaining === 1 ? 'is' : 'are'} run when you hand in.`
      : 'Nothing left to do here.';
  }
  const where = mode === 'check' ? 'folded above the answer cell' : 'folded below and in the notebook';
  if (judgement.mistake !== undefined)
    return `Mend that first, then run the check again. Hints are ${where}.`;
  const failure = firstFailure(judgement);
  if (failure?.status === 'threw')
    return `Read the error first: it stops everything else. Hints are ${where}.`;
  if (failure?.status === 'timeout')
    return 'Look for a loop that never ends, or work that can be done once for all rows.';
  if (failure?.details !== undefined && failure.details.expected === failure.details.got) {
    return `The shapes are right, so an operation is missing, one too many, or in the wrong order: compare yours with the formula in the third hint. Hints are ${where}.`;
  }
  return `Print the shapes along the way and compare them with the second hint. Hints are ${where}.`;
}

/** Feedback for terminals and for kernels without HTML. */
export function judgementText(judgement: Judgement, options: FeedbackOptions): string {
  const lines = [headline(judgement, options.mode)];
  for (const check of judgement.checks) {
    lines.push(`  ${MARKS[check.status]} ${label(check)}`);
    if (check.status === 'passed') continue;
    if (check.message !== undefined) lines.push(`      ${check.message}`);
    for (const finding of check.findings ?? []) lines.push(`      ${finding}`);
    const { details } = check;
    if (details !== undefined) {
      lines.push(`      expected ${details.expected}`, `      got      ${details.got}`);
      if (details.first !== undefined) lines.push(`      first wrong: ${details.first}`);
      if (details.worst !== undefined) lines.push(`      most wrong:  ${details.worst}`);
    }
    if (check.mistake !== undefined) lines.push(`      Known mistake: ${check.mistake.diagnosis}`);
  }
  lines.push(`  ${nextStep(judgement, options.mode)}`);
  return lines.join('\n');
}

/** On light and on dark, each at least 4.5 times as bright as the background or the reverse; a browser without `light-dark` uses its text colour. */
export const GREEN = 'light-dark(#1a7f37,#4ac26b)';
export const RED = 'light-dark(#cf222e,#ff7b72)';
export const GREY = 'light-dark(#6a737d,#9198a1)';
export const AMBER = 'light-dark(#9a6700,#d29922)';

/** Feedback as an HTML fragment with its styles inline, on any background. */
export function judgementHtml(judgement: Judgement, options: FeedbackOptions): string {
  const colour = judgement.verdict === 'pass' ? GREEN : RED;
  const failure = firstFailure(judgement);
  const mistake =
    judgement.mistake === undefined
      ? ''
      : box(AMBER, `<strong>What went wrong</strong><br>${escapeHtml(judgement.mistake.diagnosis)}`);
  const checks = judgement.checks.map((check) => checkHtml(check, check === failure)).join('');
  const finished = judgement.verdict === 'pass' && judgement.hiddenRemaining === 0;
  const next = finished
    ? ''
    : `<div><strong>Next:</strong> ${escapeHtml(nextStep(judgement, options.mode))}</div>`;
  const hints =
    judgement.verdict === 'fail' && options.hints !== undefined && options.mode === 'grade'
      ? options.hints
          .map(
            (hint, i) =>
              `<details style="margin:.2em 0"><summary>Hint ${i + 1}: ${['a nudge', 'the shapes', 'the formula'][i] ?? ''}</summary><p style="margin:.3em 1.2em">${escapeHtml(hint)}</p></details>`,
          )
          .join('')
      : '';
  return (
    `<div style="border-left:4px solid ${colour};padding:.4em .9em;margin:.4em 0;font-family:system-ui,sans-serif;line-height:1.45">` +
    `<div style="font-weight:600;color:${colour}">${escapeHtml(headline(judgement, options.mode))}</div>` +
    `${mistake}<ul style="list-style:none;padding:0;margin:.4em 0">${checks}</ul>` +
    `${next}${hints}</div>`
  );
}

const box = (colour: string, inner: string): string =>
  `<div style="border:1px solid ${colour};border-radius:6px;padding:.4em .8em;margin:.5em 0">${inner}</div>`;

function checkHtml(check: CheckReport, open: boolean): string {
  const colour = check.status === 'passed' ? GREEN : check.status === 'skipped' ? GREY : RED;
  const title = `<span style="color:${colour};font-weight:600">${MARKS[check.status]}</span> ${escapeHtml(label(check))}`;
  if (check.status === 'passed' || (check.message === undefined && check.details === undefined)) {
    return `<li style="margin:.15em 0">${title}</li>`;
  }
  const said = [check.message, ...(check.findings ?? [])]
    .filter((text) => text !== undefined)
    .map((text) => `<p style="margin:.25em 0">${escapeHtml(text)}</p>`)
    .join('');
  const inner = `<div style="margin:.2em 0 .5em 1.4em">${said}${detailsHtml(check)}</div>`;
  if (check.status === 'skipped') {
    return `<li style="margin:.15em 0;color:${GREY}">${title}: ${escapeHtml(check.message ?? 'not run')}</li>`;
  }
  return `<li style="margin:.15em 0"><details${open ? ' open' : ''}><summary>${title}</summary>${inner}</details></li>`;
}

function detailsHtml({ details }: CheckReport): string {
  if (details === undefined) return '';
  const rows: [string, string][] = [
    ['Inputs', details.inputs.join('; ')],
    ['Expected', details.expected],
    ['Got', details.got],
    ...(details.first === undefined ? [] : [['First wrong element', details.first] as [string, string]]),
    ...(details.worst === undefined ? [] : [['Most wrong element', details.worst] as [string, string]]),
    ['Tolerance', details.tolerance],
  ];
  const cells = rows
    .map(
      ([name, value]) =>
        `<tr><td style="padding:.1em 1em .1em 0;text-align:left;color:${GREY};white-space:nowrap">${name}</td>` +
        `<td style="padding:.1em 0;text-align:left;font-family:ui-monospace,monospace">${escapeHtml(value)}</td></tr>`,
    )
    .join('');
  const picture = details.picture === undefined ? '' : pictureSvg(details.picture);
  return `<table style="border-collapse:collapse;margin:.2em 0;background:none">${cells}</table>${picture}`;
}

const SHADES = ['#d8f0dc', '#fbd5b5', '#f4a582', '#dd6a4e', '#b2182b', '#222222'];

/** Green is right, red the more wrong the darker, black not a number. */
function pictureSvg(picture: Picture): string {
  const columns = Math.max(0, ...picture.rows.map((row) => row.length));
  const side = columns <= 16 ? 16 : 9;
  const width = columns * side;
  const height = picture.rows.length * side;
  if (width === 0) return '';
  const cells = picture.rows.flatMap((row, y) =>
    [...row].map(
      (shade, x) =>
        `<rect x="${x * side}" y="${y * side}" width="${side - 1}" height="${side - 1}" fill="${SHADES[Number(shade)] ?? SHADES[5]}"/>`,
    ),
  );
  const axes =
    picture.shape.length > 1
      ? 'one row for every position before the last axis, which runs across'
      : 'one cell an element';
  return (
    `<figure style="margin:.4em 0"><svg role="img" aria-label="Where ${escapeHtml(picture.path)} is wrong" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${cells.join('')}</svg>` +
    `<figcaption style="color:${GREY};font-size:.9em">Where ${escapeHtml(picture.path)} is wrong: ${axes}. Green is right, red is wrong, darker is worse${picture.cropped ? '; only the first part is drawn' : ''}.</figcaption></figure>`
  );
}
