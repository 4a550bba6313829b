/**
 * The library holds a version of what learners write. In the sandbox it is imported without the one function that is asked for, so
 * that `const bertPooler = lab.bertPooler` is no answer.
 */
import { registerHooks } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const SCHEME = 'lab-withheld:';
const LIBRARY = fileURLToPath(new URL('../../src', import.meta.url));
const OWN = fileURLToPath(new URL('../..', import.meta.url));

let withheld = '';
let installed = false;

/** From now on, cells that import the library find this name refusing to be called. */
export function withhold(name: string): void {
  withheld = /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : '';
  if (installed) return;
  installed = true;
  registerHooks({
    resolve: (specifier, context, next) => {
      const resolved = next(specifier, context);
      const asked = withheld !== '' && isLibrary(resolved.url) && !isOurs(context.parentURL);
      return asked
        ? { url: `${SCHEME}${withheld}:${resolved.url}`, format: 'module', shortCircuit: true }
        : resolved;
    },
    load: (url, context, next) => {
      const [, name, real] = /^lab-withheld:([^:]+):(.+)$/u.exec(url) ?? [];
      if (name === undefined || real === undefined) return next(url, context);
      const message = `the library’s own ${name} cannot be used here: to write it is the exercise`;
      const source = `export * from ${JSON.stringify(real)};\nexport function ${name}() { throw new Error(${JSON.stringify(message)}); }\n`;
      return { format: 'module', source, shortCircuit: true };
    },
  });
}

function isLibrary(url: string): boolean {
  return url.startsWith('file:') && fileURLToPath(url).startsWith(LIBRARY + path.sep);
}

/** Whether the importer is the library, the grader, a package, or this module's own stand-in. Cells are none of them. */
function isOurs(url: string | undefined): boolean {
  if (url === undefined || url.startsWith(SCHEME)) return true;
  if (!url.startsWith('file:')) return false;
  const file = fileURLToPath(url);
  return [LIBRARY, path.join(OWN, 'grader'), path.join(OWN, 'node_modules')].some((folder) =>
    file.startsWith(folder + path.sep),
  );
}
