/** One judgement as text and as HTML: the same in a notebook's check and in a graded report. */
import type { Judgement } from '../judgement.ts';
export interface FeedbackOptions {
  /** In a notebook: no mark is given, hidden cases remain, hints stand above in the notebook. */
  readonly mode: 'check' | 'grade';
  /** The exercise's three hints, for a report that stands alone. */
  readonly hints?: readonly string[];
}
export declare function escapeHtml(text: string): string;
/** What to do next, in one sentence. */
export declare function nextStep(judgement: Judgement, mode: FeedbackOptions['mode']): string;
/** Feedback for terminals and for kernels without HTML. */
export declare function judgementText(judgement: Judgement, options: FeedbackOptions): string;
/** Feedback as an HTML fragment with its styles inline, on any background. */
export declare function judgementHtml(judgement: Judgement, options: FeedbackOptions): string;
