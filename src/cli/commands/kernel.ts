/** `lab kernel install`: lets Jupyter find the TypeScript kernel. */
import { Command } from 'commander';
import { DISPLAY_NAME, KERNEL_NAME } from '../../kernel/info.ts';
import { installKernel } from '../../kernel/install.ts';
import { makeSnapshot } from '../../kernel/snapshot/index.ts';

interface Options {
  prefix?: string;
  user?: boolean;
  dir?: string;
  json?: boolean;
}

export function kernelCommand(): Command {
  const install = new Command('install')
    .description(`let Jupyter find the kernel "${DISPLAY_NAME}"`)
    .option('--user', 'for the present user (the default)')
    .option('--prefix <folder>', 'under a prefix such as a virtual environment')
    .option('--dir <folder>', 'into this Jupyter data folder')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample:\n  npx lab kernel install --prefix .venv')
    .action(async (options: Options) => {
      const folder = installKernel({
        ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
        ...(options.dir === undefined ? {} : { dir: options.dir }),
      });
      await makeSnapshot();
      if (options.json === true) console.log(JSON.stringify({ name: KERNEL_NAME, folder }));
      else console.log(`kernel ${KERNEL_NAME} ("${DISPLAY_NAME}") is installed in ${folder}`);
    });
  return new Command('kernel')
    .description('the Jupyter kernel for TypeScript')
    .addHelpText('after', '\nExample:\n  npx lab kernel install')
    .addCommand(install);
}
