/** `lab backend`: what can compute here, and installing TensorFlow's library. */

import { Argument, Command } from 'commander';
import type { InstallOptions } from '../../backends/native/step.ts';

const NAMES = ['tensorflow', 'cuda'] as const;

type NativeName = (typeof NAMES)[number];

export function backendCommand(): Command {
  return new Command('backend')
    .description(
      'see what can compute here, and install TensorFlow’s library for the processor or an NVIDIA GPU',
    )
    .addHelpText('after', '\nExample: npx lab backend install tensorflow')
    .addCommand(installCommand())
    .addCommand(removeCommand())
    .addCommand(statusCommand());
}

function nameArgument(): Argument {
  return new Argument('<name>', 'the backend').choices(NAMES);
}

function installCommand(): Command {
  return new Command('install')
    .description('fetch TensorFlow with pip, build the addon against it and verify it; replaces an older one')
    .addArgument(nameArgument())
    .option('--python <program>', 'the Python whose pip is used')
    .option('--wheel <file>', 'a TensorFlow wheel that is already here, instead of fetching one')
    .addHelpText('after', '\nExample: npx lab backend install cuda')
    .action(async (name: NativeName, options: Pick<InstallOptions, 'python' | 'wheel'>) => {
      const { installNative } = await import('../../backends/native/install.ts');
      const abort = new AbortController();
      const stop = (): void => abort.abort(new Error('stopped; nothing was changed'));
      process.once('SIGINT', stop).once('SIGTERM', stop);
      const report = (line: string): void => console.error(line);
      const device = await installNative(name, { ...options, report, signal: abort.signal });
      console.log(`${name} is installed and computes on ${device}. The lab uses it from now on.`);
    });
}

function removeCommand(): Command {
  return new Command('remove')
    .description('take an installed backend away; the lab goes back to wasm')
    .addArgument(nameArgument())
    .addHelpText('after', '\nExample: npx lab backend remove tensorflow')
    .action(async (name: NativeName) => {
      const { removeNative } = await import('../../backends/native/install.ts');
      console.log((await removeNative(name)) ? `${name} is removed.` : `${name} was not installed.`);
    });
}

function statusCommand(): Command {
  return new Command('status')
    .description('list the backends and whether each can be used here')
    .option('--json', 'print an array of {name, available, detail, mend?}')
    .addHelpText('after', '\nExample: npx lab backend status')
    .action(async ({ json = false }: { json?: boolean }) => {
      const { probeBackends } = await import('../../backends/index.ts');
      const probes = await probeBackends();
      if (json) {
        console.log(JSON.stringify(probes, null, 2));
        return;
      }
      for (const { name, available, detail, mend } of probes) {
        console.log(`${available ? 'yes' : 'no '} ${name.padEnd(11)} ${detail}`);
        if (mend !== undefined) console.log(`${' '.repeat(16)}to have it: ${mend}`);
      }
    });
}
