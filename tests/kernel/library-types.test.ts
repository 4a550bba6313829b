/** The types of the library that are made ahead: see src/kernel/engine/library-types.ts. */
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type ts from 'typescript6';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../src/kernel/engine/index.ts';
import { isUnchanged, type LibraryTypes, stampOf } from '../../src/kernel/engine/library-types.ts';
import { TypeFiles } from '../../src/kernel/engine/type-files.ts';
import { loadTypeScript } from '../../src/kernel/engine/typescript.ts';
import { libraryTypes } from '../../src/kernel/snapshot/library.ts';

const SNAPSHOT = Symbol.for('llm-lab.typescript');
const SRC = join(import.meta.dirname, '..', '..', 'src');
const folder = mkdtempSync(join(tmpdir(), 'lab-library-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { typescript } = loadTypeScript();
let library: LibraryTypes;
beforeAll(() => {
  library = libraryTypes(typescript, join(folder, 'cell.ts'));
}, 300_000);

/** An engine in a process that began with these types. */
async function withLibrary<T>(types: LibraryTypes, action: (engine: Engine) => Promise<T>): Promise<T> {
  Reflect.set(globalThis, SNAPSHOT, { typescript, files: new Map(), library: types });
  try {
    return await action(createEngine({ cwd: folder }));
  } finally {
    Reflect.deleteProperty(globalThis, SNAPSHOT);
  }
}

/** The types of all that modules export, as words: in which order a union lists its parts is left to chance. */
function exportedTypes(types: LibraryTypes | undefined): Map<string, string> {
  const files = new TypeFiles(
    { typescript, files: new Map(), ...(types === undefined ? {} : { library: types }) },
    folder,
  );
  files.useNodeTypes();
  const cell = join(folder, 'cell.ts');
  files.setCell(cell, "import * as lab from 'llm-lab'; import * as tf from '@tensorflow/tfjs-core';");
  const program = typescript.createProgram({
    rootNames: files.rootsFor(cell),
    options: files.options,
    host: {
      ...files.host(),
      getSourceFile: (name, options) => files.sourceFile(name, options),
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
      writeFile: () => {},
    },
  });
  const checker = program.getTypeChecker();
  const { NoTruncation, InTypeAlias } = typescript.TypeFormatFlags;
  const told = (type: ts.Type) => checker.typeToString(type, undefined, NoTruncation | InTypeAlias);
  const words = (text: string) =>
    text
      .replace(/__@(\w+?)@\d+/g, '$1')
      .split(/\W+/)
      .filter((word) => word !== 'undefined') // of a parameter with a default it may be said or not
      .sort()
      .join(' ');
  const found = new Map<string, string>();
  const source = program.getSourceFile(cell);
  for (const statement of source?.statements ?? []) {
    if (!typescript.isImportDeclaration(statement)) continue;
    const module = checker.getSymbolAtLocation(statement.moduleSpecifier);
    for (const one of module ? checker.getExportsOfModule(module) : []) {
      const symbol = one.flags & typescript.SymbolFlags.Alias ? checker.getAliasedSymbol(one) : one;
      const parts = [told(checker.getTypeOfSymbol(symbol))];
      const type = checker.getDeclaredTypeOfSymbol(symbol);
      for (const property of checker.getPropertiesOfType(type)) {
        // what is private to a class has a name and no type in declarations
        if (property.name.includes('#')) continue;
        parts.push(`${property.name}: ${told(checker.getTypeOfSymbol(property))}`);
      }
      found.set(`${module?.name} ${one.name}`, words(parts.join('; ')));
    }
  }
  return found;
}

test('are those of the sources, for everything that the library and TensorFlow.js export', {
  timeout: 300_000,
}, () => {
  const sources = exportedTypes(undefined);
  expect(sources.size).toBeGreaterThan(1000);
  expect(exportedTypes(library)).toEqual(sources);
});

test('are a fraction of what the sources are', () => {
  const size = library.texts.reduce((sum, [, text]) => sum + text.length, 0);
  expect(size).toBeLessThan(1_000_000);
  expect(library.texts.some(([, text]) => text.includes('/**'))).toBe(false);
});

describe('an engine that has them', () => {
  test('refuses wrong cells, knows tensors by their methods, and one type by whatever way a cell comes to it', async () => {
    await withLibrary(library, async (engine) => {
      const codes = async (cell: string) => {
        const result = await engine.run(cell);
        return result.ok ? [] : (result.error.diagnostics ?? [result.error]);
      };
      expect(
        await codes(
          "import * as lab from 'llm-lab'; import { KeyValueCache } from 'llm-lab/core'; import * as tf from '@tensorflow/tfjs-core'; import * as all from '@tensorflow/tfjs';",
        ),
      ).toEqual([]);
      expect(await codes("lab.createRng('a', 2)")).toMatchObject([{ code: 2554 }]);
      expect(await codes('const of = (x: tf.Tensor2D): all.Tensor2D => x.square().add(1)')).toEqual([]);
      expect(await codes('const same = (x: KeyValueCache): lab.KeyValueCache => x')).toEqual([]);
      expect(
        await codes(`import { KeyValueCache as Written } from '${join(SRC, 'core', 'cache.ts')}';`),
      ).toEqual([]);
      expect(await codes('const too = (x: Written): lab.KeyValueCache => x')).toEqual([]);
      expect(await codes('const wrong = (x: KeyValueCache): tf.Tensor => x')).toMatchObject([{ code: 2740 }]);
    });
  });

  test('shows documentation all the same: of functions, members, and what TensorFlow.js declares apart', async () => {
    await withLibrary(library, async (engine) => {
      await engine.run("import * as lab from 'llm-lab'; import * as tf from '@tensorflow/tfjs-core';");
      const about = async (code: string) => (await engine.inspect(code, code.length - 1))?.documentation;
      expect(await about('lab.createRng')).toMatch(/^A generator for the seed/);
      expect(await about('lab.startBackend')).toMatch(/@param name one of[\s\S]*@throws InputError/);
      expect(await about('new lab.KeyValueCache(1).crop')).toMatch(/^Forgets all but/);
      expect(await about('tf.abs')).toMatch(/^Computes absolute value/);
      expect((await engine.inspect('lab.createRng(', 14))?.documentation).toMatch(
        /^A generator for the seed/,
      );
      const names = (await engine.complete('lab.startB', 10)).matches;
      expect(names).toEqual([{ text: 'startBackend', kind: 'function' }]);
    });
  });

  test('reads the sources as soon as one of them is another', async () => {
    const cell = "import { notThere } from 'llm-lab/core'";
    const core = join(SRC, 'core', 'index.ts');
    const told: LibraryTypes = {
      sources: library.sources,
      texts: [[core, 'export declare const notThere: 1;']],
      imports: [],
    };
    const codeWith = (types: LibraryTypes) =>
      withLibrary(types, async (engine) => {
        const result = await engine.run(cell);
        return result.ok ? undefined : result.error.diagnostics?.[0]?.code;
      });
    expect(await codeWith(told)).toBeUndefined(); // the check believes what it is told; Node does not
    const [first, ...rest] = library.sources;
    if (!first) throw new Error('there are no sources');
    const edited = { ...first, modified: 0, hash: '' };
    expect(await codeWith({ ...told, sources: [...rest, edited] })).toBe(2305);
  });
});

test('a file that was written again with the same content is unchanged', () => {
  const path = join(folder, 'source.ts');
  writeFileSync(path, 'export const a = 1;');
  const stamp = stampOf(path);
  expect(isUnchanged(stamp)).toBe(true);
  utimesSync(path, 1, 1);
  expect(isUnchanged(stamp)).toBe(true);
  writeFileSync(path, 'export const a = 2;');
  utimesSync(path, 1, 1);
  expect(isUnchanged(stamp)).toBe(false);
  rmSync(path);
  expect(isUnchanged(stamp)).toBe(false);
});
