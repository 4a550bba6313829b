/**
 * `node install-jupyter.ts`: what `npm start` sets up, in an image: JupyterLab in `.venv`, the kernel, its snapshot. Beside
 * them the hub's half that runs in a learner's server, at the version of the hub.
 */

import { join } from 'node:path';
import { ensureJupyter } from '../../cli/jupyter/environment.ts';
import { VENV, VENV_PYTHON } from '../../cli/jupyter/paths.ts';
import { run } from '../../cli/jupyter/run.ts';
import { SetupError } from '../../cli/jupyter/setup-error.ts';
import { installKernel } from '../../kernel/install.ts';
import { makeSnapshot } from '../../kernel/snapshot/index.ts';

await ensureJupyter();
const requirements = join(import.meta.dirname, 'requirements.txt');
const options = ['--retries', '0', '--no-input', '--no-cache-dir', '--disable-pip-version-check', '--quiet'];
const pip = [VENV_PYTHON, '-m', 'pip', 'install', ...options, '--constraint', requirements, 'jupyterhub'];
const { code, output } = await run(pip);
if (code !== 0) throw new SetupError(`pip could not install jupyterhub: ${output.slice(-2).join(' ')}`);
installKernel({ prefix: VENV });
await makeSnapshot();
