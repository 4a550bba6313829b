/** `lab doctor`: what is installed on this machine, and how to mend what is not. */
import { Command } from 'commander';
import { type Finding, findings } from '../doctor/findings.ts';

const MARKS = { ok: 'ok  ', absent: '-   ', wrong: 'FAIL' } as const;

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('look at what is installed here and say how to mend what is not')
    .description(
      'Looks at everything the lab uses on this machine. Exit code 0: the course can be used; 1: something that ' +
        'it needs is missing or broken. What is marked with - is not needed.',
    )
    .option('--json', 'print an array of {name, state, detail, mend?}')
    .addHelpText('after', '\nExample: npx lab doctor')
    .action(doctor);
}

async function doctor({ json = false }: { readonly json?: boolean }): Promise<void> {
  const all: Finding[] = [];
  for await (const found of findings()) {
    all.push(found);
    if (!json) print(found);
  }
  if (json) console.log(JSON.stringify(all, null, 2));
  const wrong = all.filter(({ state }) => state === 'wrong').length;
  if (!json)
    console.log(wrong === 0 ? '\nEverything that the course needs is there.' : `\n${wrong} to mend.`);
  process.exitCode = wrong === 0 ? 0 : 1;
}

function print({ name, state, detail, mend }: Finding): void {
  console.log(`${MARKS[state]} ${name.padEnd(20)} ${detail}`);
  if (mend !== undefined)
    console.log(`${' '.repeat(26)}${state === 'wrong' ? 'to mend: ' : 'to have it: '}${mend}`);
}
