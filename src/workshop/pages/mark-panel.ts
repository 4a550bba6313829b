/** One learner's chapter: how the mark came about, and changing it by hand. */

import '@awesome.me/webawesome/dist/components/textarea/textarea.js';
import { useEffect, useState } from 'preact/hooks';
import type { GroupView, MarkDetail } from '../book-protocol.ts';
import { ask } from './api.ts';
import { DateForm, GroupForm } from './learner-forms.ts';
import { attempt, fieldValue, html, tell, timeOf } from './view.ts';

interface Props {
  readonly learner: number;
  readonly chapter: string;
  readonly groups: readonly GroupView[];
  readonly room: number;
  readonly onChange: () => void;
}

export function MarkPanel({ learner, chapter, groups, room, onChange }: Props) {
  const [detail, setDetail] = useState<MarkDetail | undefined>(undefined);
  const path = `/api/rooms/${room}/learners/${learner}/chapters/${chapter}`;
  const load = () => attempt(async () => setDetail(await ask<MarkDetail>('GET', path)));
  useEffect(() => {
    void load();
  }, [path]);
  if (detail === undefined) return html`<aside class="panel quiet"><p>Loading …</p></aside>`;
  const mark = async (given: object): Promise<boolean> => {
    const done = await attempt(async () => setDetail(await ask<MarkDetail>('POST', `${path}/marks`, given)));
    if (done) {
      tell('Kept, beside the automatic mark.');
      onChange();
    }
    return done;
  };
  const changed = (): void => {
    void load();
    onChange();
  };
  return html`<aside class="panel" aria-label=${`${detail.learner.name}, ${detail.title}`}>
    <h3>${detail.learner.name}</h3><p>${detail.title}</p>
    <${Summary} detail=${detail} />
    <${Exercises} detail=${detail} mark=${mark} />
    <${Whole} mark=${mark} standing=${detail.whole !== null} />
    <${Attempts} detail=${detail} room=${room} />
    <${DateForm} detail=${detail} room=${room} onChange=${changed} />
    <${GroupForm} detail=${detail} groups=${groups} room=${room} onChange=${changed} />
    <${History} detail=${detail} />
  </aside>`;
}

function Summary({ detail: { mark, dueAt, extended } }: { detail: MarkDetail }) {
  const { status, points, outOf, automatic, attempt: which, daysLate, factor, manual, comments } = mark;
  const due =
    dueAt === null
      ? 'no due date'
      : `due ${timeOf(dueAt)}${extended ? ' (another date than the others)' : ''}`;
  return html`<p class="mark-line"><strong class="mark-points">${status === 'graded' ? `${points}${outOf === null ? '' : ` / ${outOf}`}` : status === 'pending' ? 'not graded yet' : 'nothing handed in'}</strong>
      ${manual && html` <span>marked by hand${automatic === null ? '' : `, the grader says ${automatic}`}</span>`}</p>
    <p class="quiet">${which === null ? '' : `attempt ${which} counts · `}${due}${daysLate > 0 ? ` · ${daysLate} ${daysLate === 1 ? 'day' : 'days'} late, leaves ${Math.round(factor * 100)} %` : ''}</p>
    ${comments.length > 0 && html`<ul class="comments">${comments.map(({ exercise, comment }, i) => html`<li key=${i}>${exercise !== null && html`<code>${exercise}</code> `}<span class="text">${comment}</span></li>`)}</ul>`}`;
}

type Mark = (given: object) => Promise<boolean>;

function Exercises({ detail, mark }: { detail: MarkDetail; mark: Mark }) {
  if (detail.exercises.length === 0) return null;
  return html`<table class="exercise-marks" aria-label="Exercises"><thead><tr><th>Exercise</th><th>Grader</th><th>By hand</th></tr></thead>
    <tbody>${detail.exercises.map((one) => html`<${ExerciseLine} key=${one.id} one=${one} mark=${mark} />`)}</tbody></table>`;
}

function ExerciseLine({ one, mark }: { one: MarkDetail['exercises'][number]; mark: Mark }) {
  const kept = one.manual === null ? '' : String(one.manual);
  const [text, setText] = useState(kept);
  useEffect(() => setText(kept), [kept]);
  const points = text.trim() === '' ? null : Number(text);
  const bad = points !== null && !(points >= 0);
  const save = (event: Event): void => {
    event.preventDefault();
    if (!bad && text !== kept) void mark({ exercise: one.id, points });
  };
  const grader =
    one.automatic === null
      ? one.verdict === 'error'
        ? 'could not judge'
        : '–'
      : `${one.automatic} / ${one.outOf}`;
  return html`<tr><td title=${one.id}>${one.title}</td>
    <td class=${one.verdict ?? ''}>${grader}</td>
    <td><form class="inline" onSubmit=${save}><input type="number" min="0" step="any" value=${text} aria-label=${`${one.title}: points by hand`}
      onInput=${(event: Event) => setText(fieldValue(event))} />
      ${text !== kept && html`<wa-button type="submit" size="s" disabled=${bad}>Save</wa-button>`}</form></td></tr>`;
}

/** A mark for the whole chapter, which is final, and a comment on the whole or on an exercise. */
function Whole({ mark, standing }: { mark: Mark; standing: boolean }) {
  const [text, setText] = useState('');
  const [comment, setComment] = useState('');
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    const points = text.trim() === '' ? {} : { points: Number(text) };
    const said = comment.trim() === '' ? {} : { comment };
    if (await mark({ ...points, ...said })) {
      setText('');
      setComment('');
    }
  };
  const empty = text.trim() === '' && comment.trim() === '';
  return html`<form class="fields" onSubmit=${save}><h4>The whole chapter</h4>
    <label>Points, final <input type="number" min="0" step="any" value=${text} onInput=${(event: Event) => setText(fieldValue(event))} /></label>
    <wa-textarea label="Comment" rows="2" value=${comment} onInput=${(event: Event) => setComment(fieldValue(event))}></wa-textarea>
    <wa-button type="submit" size="s" variant="brand" disabled=${empty}>Keep</wa-button>
    ${standing && html` <wa-button size="s" appearance="outlined" onClick=${() => void mark({ points: null })}>Take the whole mark back</wa-button>`}</form>`;
}

function Attempts({ detail, room }: { detail: MarkDetail; room: number }) {
  if (detail.attempts.length === 0) return null;
  return html`<h4>Attempts</h4><ol class="history">${detail.attempts.map(
    (
      one,
    ) => html`<li key=${one.submissionId}><strong>${one.attempt}</strong> · ${timeOf(one.at)}${one.daysLate > 0 ? ` · ${one.daysLate} d late` : ''}${one.accepted ? '' : ' · after the cut-off'}
      ${one.notebook && html` · <a href=${`/api/rooms/${room}/hand-ins/${one.submissionId}/notebook`}>notebook<span class="hidden"> of attempt ${one.attempt}</span></a>`}
      ${one.gradings.map((graded) => html`<p key=${graded.at}>${graded.points === null ? 'could not be judged' : `${graded.points} of ${graded.outOf}`} <span class="quiet">${graded.cause === 'first' ? 'graded' : 'graded again'} ${timeOf(graded.at)}</span></p>`)}
      ${one.gradings.length === 0 && html`<p class="quiet">not graded yet</p>`}</li>`,
  )}</ol>`;
}

function History({ detail }: { detail: MarkDetail }) {
  if (detail.history.length === 0) return null;
  return html`<details><summary>What people decided (${detail.history.length})</summary><ol class="history">${detail.history.map(
    ({ at, by, what, until }, i) =>
      html`<li key=${i}><span class="quiet">${timeOf(at)}, ${by}</span><p class="text">${what}${until === undefined ? '' : `: ${timeOf(until)}`}</p></li>`,
  )}</ol></details>`;
}
