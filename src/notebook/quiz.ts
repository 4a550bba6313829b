/** A closing quiz: every choice opens and says why it is right or wrong. It needs no script and sends nothing anywhere. */

import { createRng } from '../core/random.ts';
import { InputError } from '../errors.ts';
import { shuffle } from '../objectives/sampling.ts';
import { type Displayable, JUPYTER_DISPLAY } from '../plots/chart.ts';
import { escapeMarkup } from '../plots/text.ts';

export interface Choice {
  text: string;
  /** Why it is right, or what is wrong with it. */
  why: string;
  right?: boolean;
}

export interface Question {
  ask: string;
  choices: readonly Choice[];
}

/**
 * The questions with their choices folded: a click on a choice shows whether and why it is right. The choices stand in an
 * order drawn from the question, so that their places give nothing away.
 */
export function quiz(given: readonly Question[]): Displayable {
  for (const { ask, choices } of given) {
    if (choices.filter(({ right }) => right === true).length !== 1) {
      throw new InputError(`the quiz question "${ask}" needs exactly one right choice`);
    }
  }
  const questions = given.map(({ ask, choices }) => ({ ask, choices: shuffle(choices, createRng(ask)) }));
  const letter = (index: number): string => String.fromCharCode(97 + index);
  const verdict = ({ right, why }: Choice): string =>
    `${right === true ? '✓ Right.' : '✗ Not quite.'} ${why}`;
  const html = questions
    .map(
      ({ ask, choices }, index) =>
        `<p><b>${index + 1}. ${escapeMarkup(ask)}</b></p>${choices
          .map(
            (choice, at) =>
              `<details style="margin:0.2em 1.5em"><summary>${letter(at)}) ${escapeMarkup(choice.text)}</summary><p style="margin:0.3em 1.5em">${escapeMarkup(verdict(choice))}</p></details>`,
          )
          .join('')}`,
    )
    .join('');
  const text = questions
    .map(
      ({ ask, choices }, index) =>
        `${index + 1}. ${ask}\n${choices.map((choice, at) => `   ${letter(at)}) ${choice.text}`).join('\n')}`,
    )
    .join('\n\n');
  return { [JUPYTER_DISPLAY]: () => ({ 'text/html': html, 'text/plain': text }) };
}
