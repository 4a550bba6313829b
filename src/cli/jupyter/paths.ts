/** Where things lie in a clone. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url)).replace(/[\\/]$/, '');

/** The Python environment that holds JupyterLab and nothing of the learner's. */
export const VENV = join(ROOT, '.venv');

/** The Python of that environment. */
export const VENV_PYTHON =
  process.platform === 'win32' ? join(VENV, 'Scripts', 'python.exe') : join(VENV, 'bin', 'python');

/** What JupyterLab keeps between two starts (settings, layout, signatures), apart from the person's own Jupyter. */
export const JUPYTER_STATE = join(ROOT, '.cache', 'jupyter');

/** The page that the course begins with, from the root. */
export const FIRST_NOTEBOOK = 'notebooks/00-start-here.ipynb';
