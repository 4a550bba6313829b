/** Every model class that the library has, by Hugging Face's name. */
import { z } from 'zod';
import { parseWith } from '../checkpoints/json.ts';
import { InputError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import { bartArchitectures } from './bart-architectures.ts';
import { encoderArchitectures } from './encoder-architectures.ts';
import { gptArchitectures } from './gpt-architectures.ts';
import { llamaArchitectures } from './llama-architectures.ts';
import { t5Architectures } from './t5-architectures.ts';

const all: readonly Architecture[] = [
  ...encoderArchitectures,
  ...bartArchitectures,
  ...t5Architectures,
  ...gptArchitectures,
  ...llamaArchitectures,
];

export const architectures: ReadonlyMap<string, Architecture> = new Map(
  all.map((architecture) => [architecture.className, architecture]),
);

const namesSchema = z.object({
  architectures: z.array(z.string()).nullish(),
  model_type: z.string().nullish(),
});

/**
 * The class of a model: the one asked for, else the first that config.json names, else the bare model of its family.
 *
 * @throws InputError if the library does not have it.
 */
export function architectureOf(configJson: unknown, className?: string): Architecture {
  const names = parseWith(namesSchema, configJson, 'config.json');
  const name = className ?? names.architectures?.[0];
  if (name === undefined) {
    const bare = all.find(({ family }) => family === names.model_type);
    if (bare) return bare;
    throw new InputError(`config.json: names no class in "architectures" and no known "model_type"`);
  }
  const found = architectures.get(name);
  if (found === undefined) {
    throw new InputError(
      `${className === undefined ? 'config.json: ' : ''}unknown architecture ${JSON.stringify(name)}: the library has ${[...architectures.keys()].join(', ')}`,
    );
  }
  return found;
}
