import type ts from 'typescript6';
import type { TypeFiles } from './type-files.ts';

/**
 * TypeScript's language service over the same parsed files as the checks: it answers what may stand at a place and
 * what is known of it.
 *
 * @param cell the module that questions are about
 */
export function createService(
  typescript: typeof ts,
  files: TypeFiles,
  cell: () => string,
): ts.LanguageService {
  const shared = files.host();
  const host: ts.LanguageServiceHost = {
    ...shared,
    getCompilationSettings: () => files.options,
    getScriptFileNames: () => files.rootsFor(cell()),
    getScriptVersion: (name) => files.file(name)?.version ?? 'missing',
    getScriptSnapshot: (name) => files.file(name)?.snapshot,
    getProjectVersion: () => String(files.edition),
  };
  return typescript.createLanguageService(host, createRegistry(typescript, files));
}

/** Hands out the files that are parsed already. TypeScript's own registry would parse them a second time. */
function createRegistry(typescript: typeof ts, files: TypeFiles): ts.DocumentRegistry {
  const acquire = (
    name: string,
    options: ts.CreateSourceFileOptions | ts.ScriptTarget | undefined,
    kind: ts.ScriptKind | undefined,
  ): ts.SourceFile => {
    const source = files.sourceFile(name, options ?? typescript.ScriptTarget.ES2024, kind);
    if (!source) throw new Error(`${name} is gone`);
    return source;
  };
  const key = typescript.createDocumentRegistry().getKeyForCompilationSettings({});
  return {
    acquireDocument: (name, _settings, _snapshot, _version, kind, options) => acquire(name, options, kind),
    acquireDocumentWithKey: (name, _path, _settings, _key, _snapshot, _version, kind, options) =>
      acquire(name, options, kind),
    updateDocument: (name, _settings, _snapshot, _version, kind, options) => acquire(name, options, kind),
    updateDocumentWithKey: (name, _path, _settings, _key, _snapshot, _version, kind, options) =>
      acquire(name, options, kind),
    getKeyForCompilationSettings: () => key,
    releaseDocument() {},
    releaseDocumentWithKey() {},
    reportStats: () => '',
  };
}
