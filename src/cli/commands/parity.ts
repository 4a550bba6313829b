/** `lab parity`: compares models with the reference implementation's recorded outputs. */
import { Command } from 'commander';
import { startBackend } from '../../backends/index.ts';
import { InputError, messageOf } from '../../errors.ts';
import { type Comparison, type ParityResult, runParity } from '../../parity/index.ts';

const HELP = `
Each folder holds config.json, model.safetensors and parity.safetensors. A number may be off by
1e-4 + 1e-4·|expected|; ids must be equal. Exit code 0: all agree, 1: some do not, 2: a folder cannot be run.

Example:
  npx lab parity tests/parity/fixtures/bert-*`;

export function parityCommand(): Command {
  return new Command('parity')
    .description('compare models with what the reference implementation gave for the same inputs')
    .argument('<folders...>', 'folders in the parity format')
    .option('--json', 'print one JSON document instead of text')
    .addHelpText('after', HELP)
    .action(async (folders: string[], options: { json?: boolean }) => {
      const { name: backend } = await startBackend();
      const results: Array<ParityResult | { folder: string; ok: false; error: string }> = [];
      for (const folder of folders) {
        try {
          const result = await runParity(folder);
          results.push(result);
          if (!options.json) console.log(textOf(result));
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          results.push({ folder, ok: false, error: messageOf(error) });
          if (!options.json) console.error(`lab: ${messageOf(error)}`);
        }
      }
      const ok = results.every((result) => result.ok);
      // JSON has no NaN: an error that is not a number becomes null, and `ok` is false.
      if (options.json) console.log(JSON.stringify({ backend, ok, results }, null, 2));
      else console.log(summary(results));
      if (!ok) process.exitCode = results.some((result) => 'error' in result) ? 2 : 1;
    });
}

function textOf({ folder, className, parameters, comparisons }: ParityResult): string {
  const width = Math.max(...comparisons.map(({ name }) => name.length));
  return [
    `${folder}: ${className}, ${parameters} parameters`,
    ...comparisons.map((c) => lineOf(c, width)),
  ].join('\n');
}

function lineOf({ name, ok, shape, maxError, reason }: Comparison, width: number): string {
  const error = maxError === null ? '' : `  max |Δ| ${maxError.toExponential(2)}`;
  return `  ${ok ? 'ok  ' : 'FAIL'}  ${name.padEnd(width)}  [${shape}]${error}${reason ? `  ${reason}` : ''}`;
}

function summary(results: ReadonlyArray<{ ok: boolean }>): string {
  const failed = results.filter((result) => !result.ok).length;
  return failed === 0 ? `all ${results.length} agree` : `${failed} of ${results.length} do not agree`;
}
