/** YAML for tests, read by the YAML package that JupyterLab brings: an independent reader, and no dependency of ours. */
import { execFileSync } from 'node:child_process';
import { hasJupyter } from '../../src/cli/jupyter/environment.ts';
import { VENV_PYTHON } from '../../src/cli/jupyter/paths.ts';

/** Why there is no reader here, or undefined. */
export function yamlObstacle(): string | undefined {
  return hasJupyter() ? undefined : 'JupyterLab is not installed in .venv (npm start does it)';
}

const READ = `
import json, sys, yaml
class Strict(yaml.SafeLoader):
    """A key that stands twice is a mistake; YAML's own \`on\` is GitHub's key."""
def mapping(loader, node, deep=False):
    keys = [key.value for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice: raise ValueError(f"twice: {twice}")
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}
Strict.add_constructor("tag:yaml.org,2002:map", mapping)
json.dump([one for one in yaml.load_all(sys.stdin, Strict) if one is not None], sys.stdout)
`;

/** The documents of a text. Keys stay texts. @throws if it is not YAML, or says a key twice. */
export function parseYaml(text: string): unknown[] {
  const read: unknown = JSON.parse(
    execFileSync(VENV_PYTHON, ['-c', READ], {
      input: text,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    }),
  );
  if (!Array.isArray(read)) throw new Error('not a list of documents');
  return read;
}
