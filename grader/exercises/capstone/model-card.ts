import { type Draw, defineExercise, deterministic, EXACT, inputsUnchanged } from '../../define.ts';

interface Measurement {
  value: number;
  /** digits after the point */
  digits: number;
  /** how it was measured */
  how: string;
}

type Args = [string, Record<string, Measurement>];

const PLACE = /\{\{([\w-]+)\}\}/g;

interface Rules {
  acceptable?: (found: Measurement | undefined) => boolean;
  typed?: (word: string) => boolean;
  strict?: boolean;
  everyPlace?: boolean;
  notes?: 'used' | 'all' | 'each' | 'none';
  digits?: (found: Measurement) => number;
}

const sound = (found: Measurement | undefined): boolean =>
  found !== undefined && Number.isFinite(found.value) && found.how.trim() !== '';
const isFigure = (word: string): boolean => /\d/.test(word) && !/\p{L}/u.test(word);

/** The card by the rules given: what the mutants vary. */
function card([template, measurements]: Args, rules: Rules = {}): { text: string; refused: string[] } {
  const { acceptable = sound, typed = isFigure, strict = true, everyPlace = true, notes = 'used' } = rules;
  const { digits = (found) => found.digits } = rules;
  const own = (name: string): Measurement | undefined =>
    Object.hasOwn(measurements, name) ? measurements[name] : undefined;
  const places = [...template.matchAll(PLACE)].map(([, name = '']) => name);
  const names = [...new Set(places)];
  const words = template.replaceAll(PLACE, ' ').split(/\s+/).filter(typed);
  const refused = [...names.filter((name) => !acceptable(own(name))), ...new Set(words)];
  if (refused.length > 0 && strict) return { text: '', refused };
  const done = new Set<string>();
  const body = template.replace(PLACE, (place, name: string) => {
    const found = own(name);
    if (found === undefined || (done.has(name) && !everyPlace)) return place;
    done.add(name);
    return `${found.value.toFixed(digits(found))}[^${name}]`;
  });
  const noted = { used: names, all: Object.keys(measurements), each: places, none: [] }[notes];
  const foot = noted.flatMap((name) => {
    const found = own(name);
    return found === undefined ? [] : [`[^${name}]: ${found.how}`];
  });
  return { text: [body, '', ...foot].join('\n'), refused };
}

/** A card about drawn figures; `wrong` says what to put in that must be refused. */
function inputs(draw: Draw, wrong: readonly ('unmeasured' | 'nan' | 'unexplained' | 'typed')[]): Args {
  const names = ['loss', 'perplexity', 'tokens-per-second', 'bytes', 'spare'];
  const measurements: Record<string, Measurement> = {};
  for (const name of names) {
    measurements[name] = {
      value: 100 * draw.rng.next(),
      digits: 1 + draw.rng.integer(3),
      how: `${draw.pick(['held-out text', 'ten runs', 'the file'])}, ${draw.rng.integer(1000)} tokens`,
    };
  }
  if (wrong.includes('nan')) measurements.broken = { value: Number.NaN, digits: 2, how: 'a run that failed' };
  if (wrong.includes('unexplained')) measurements.mystery = { value: draw.rng.next(), digits: 2, how: ' ' };
  const lines = [
    '# A GPT-2 of F16 numbers',
    'Perplexity {{perplexity}}, that is a loss of {{loss}}.',
    'It writes {{tokens-per-second}} tokens a second; its perplexity of {{perplexity}} was had with {{bytes}} bytes.',
    ...(wrong.includes('unmeasured') ? ['Accuracy: {{accuracy}}, as {{accuracy}} says.'] : []),
    ...(wrong.includes('nan') ? ['Latency: {{broken}} ms.'] : []),
    ...(wrong.includes('unexplained') ? ['Calibration error: {{mystery}}.'] : []),
    ...(wrong.includes('typed') ? [`It is right in (${10 + draw.rng.integer(80)}.5%) of all cases.`] : []),
  ];
  return [lines.join('\n'), measurements];
}

export default defineExercise<Args>({
  id: 'capstone/model-card',
  title: 'A card without invented figures',
  points: 3,
  entry: 'modelCard',
  difficulty: 3,
  minutes: 35,
  signature:
    'modelCard(template: string, measurements: Record<string, {value: number; digits: number; how: string}>): {text: string; refused: string[]}',
  parameters: ['template', 'measurements'],
  tolerance: EXACT,
  reference: (...args) => card(args),
  variants: [
    {
      name: 'cut at the braces',
      implementation: (template, measurements) => {
        const parts = template.split(/\{\{|\}\}/);
        const names = [...new Set(parts.filter((_, i) => i % 2 === 1))];
        const prose = parts.filter((_, i) => i % 2 === 0).join(' ');
        const good = (name: string): boolean => {
          const found = new Map(Object.entries(measurements)).get(name);
          return found !== undefined && !Number.isNaN(found.value - found.value) && /\S/.test(found.how);
        };
        const typed = prose
          .split(/\s+/)
          .filter((word) => /[0-9]/.test(word) && word.toLowerCase() === word.toUpperCase());
        const refused = [...names.filter((name) => !good(name)), ...new Set(typed)];
        if (refused.length > 0) return { text: '', refused };
        const body = parts
          .map((part, i) =>
            i % 2 === 0 ? part : `${measurements[part]?.value.toFixed(measurements[part]?.digits)}[^${part}]`,
          )
          .join('');
        return {
          text: `${body}\n\n${names.map((name) => `[^${name}]: ${measurements[name]?.how}`).join('\n')}`,
          refused,
        };
      },
    },
  ],
  mutants: [
    {
      id: 'unmeasured-let-through',
      diagnosis:
        'A place without a measurement is not refused. A card may leave a figure out, but not promise one that nobody measured.',
      implementation: (...args) => card(args, { acceptable: (found) => found === undefined || sound(found) }),
    },
    {
      id: 'nan-accepted',
      diagnosis:
        'A value that is not a number (NaN) is accepted: that measurement failed. Number.isFinite tells.',
      implementation: (...args) =>
        card(args, { acceptable: (found) => found !== undefined && found.how.trim() !== '' }),
    },
    {
      id: 'unexplained-accepted',
      diagnosis:
        'A measurement that does not say how it was made is accepted. Refuse it where `how` is empty or blank.',
      implementation: (...args) =>
        card(args, { acceptable: (found) => found !== undefined && Number.isFinite(found.value) }),
    },
    {
      id: 'typed-figures-accepted',
      diagnosis:
        'Figures typed into the text are let through. A word with a digit and without a letter is a figure, and figures come from measurements.',
      implementation: (...args) => card(args, { typed: () => false }),
    },
    {
      id: 'names-refused',
      diagnosis: 'Names such as GPT-2 and F16 are refused as figures. A word with a letter in it is none.',
      implementation: (...args) => card(args, { typed: (word) => /\d/.test(word) }),
    },
    {
      id: 'card-despite-refusals',
      diagnosis:
        'There is a text although something was refused. Then the text must be empty: no card at all.',
      implementation: (...args) => card(args, { strict: false }),
    },
    {
      id: 'first-place-only',
      diagnosis:
        'Only the first place of each name is filled in. replace with a text as pattern stops after one; use replaceAll or a pattern with g.',
      implementation: (...args) => card(args, { everyPlace: false }),
    },
    {
      id: 'notes-for-all',
      diagnosis:
        'There is a footnote for every measurement. Only those that the card uses have one, in the order of their first use.',
      implementation: (...args) => card(args, { notes: 'all' }),
    },
    {
      id: 'notes-repeated',
      diagnosis: 'A measurement that is used twice has two footnotes. One is enough.',
      implementation: (...args) => card(args, { notes: 'each' }),
    },
    {
      id: 'two-digits-always',
      diagnosis:
        'Every figure has two digits after the point. Each measurement says how many it has: digits.',
      implementation: (...args) => card(args, { digits: () => 2 }),
    },
  ],
  cases: [
    { name: 'a sound card', visibility: 'public', inputs: (draw) => inputs(draw, []) },
    {
      name: 'a card with all faults',
      visibility: 'public',
      inputs: (draw) => inputs(draw, ['unmeasured', 'nan', 'unexplained', 'typed']),
    },
    { name: 'another sound card', visibility: 'hidden', inputs: (draw) => inputs(draw, []) },
    { name: 'a failed measurement', visibility: 'hidden', inputs: (draw) => inputs(draw, ['nan']) },
    { name: 'an unmeasured figure', visibility: 'hidden', inputs: (draw) => inputs(draw, ['unmeasured']) },
    {
      name: 'a typed figure',
      visibility: 'hidden',
      inputs: (draw) => inputs(draw, ['typed', 'unexplained']),
    },
  ],
  properties: [deterministic(), inputsUnchanged()],
  hints: [
    'Look for reasons to refuse first. Only when there is none, write the card.',
    'names = the different {{name}} in order; refused = names without a finite value and a non-blank how, then the different words (cut at blanks, places taken out) with a digit and no letter. None: each {{name}} → value.toFixed(digits) + [^name]; then an empty line and, for each name, [^name]: how. The lines are joined with \\n.',
    'Useful: template.matchAll(/\\{\\{([\\w-]+)\\}\\}/g), /\\p{L}/u for a letter. Mitchell et al., 2019, "Model cards for model reporting", section 4: metrics, evaluation data and how they were had belong together.',
  ],
});
