import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type ts from 'typescript6';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../src/kernel/engine/index.ts';
import { loadTypeScript } from '../../src/kernel/engine/typescript.ts';

const folder = mkdtempSync(join(tmpdir(), 'lab-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let engine: Engine;
beforeAll(() => {
  engine = createEngine({ cwd: folder });
});

async function run(...cells: string[]): Promise<unknown> {
  let value: unknown;
  for (const cell of cells) {
    const result = await engine.run(cell);
    if (!result.ok) throw new Error(result.error.stack);
    value = result.value;
  }
  return value;
}

/** The codes of TypeScript's complaints about a cell. */
async function codesOf(cell: string): Promise<number[]> {
  const result = await engine.run(cell);
  return result.ok ? [] : (result.error.diagnostics ?? []).map(({ code }) => code);
}

describe('type errors', () => {
  test('refuse a cell before anything of it runs, with code and place', async () => {
    await run('let ran = false');
    const result = await engine.run('ran = true;\nconst n: number = "text"', { name: 'In[7]' });
    expect(result).toMatchObject({
      ok: false,
      error: {
        name: 'TypeCheckError',
        diagnostics: [{ code: 2322, line: 2, column: 7, endLine: 2, endColumn: 8 }],
      },
    });
    expect(!result.ok && result.error.stack).toContain('In[7]:2:7 - error TS2322');
    expect(engine.get('ran')).toBe(false);
  });

  test('are those of strict TypeScript', async () => {
    expect(await codesOf('const s: string = null')).toEqual([2322]);
    expect(await codesOf('function f(x) { return x }')).toEqual([7006]);
    expect(await codesOf('[1].find((x) => x > 1).toFixed()')).toEqual([2532]);
  });

  test('of markup in code say that it is none of TypeScript', async () => {
    const result = await engine.run('const page = <div>text</div>;');
    expect(result).toMatchObject({ ok: false, error: { name: 'SyntaxError' } });
    expect(!result.ok && result.error.message).toMatch(/JSX.*display\.html/);
  });

  test('cross cells: a name keeps the type it was declared with', async () => {
    await run('let count = 1; const double = (x: number) => 2 * x; interface Point { x: number }');
    expect(await codesOf('count = "one"')).toEqual([2322]);
    expect(await codesOf('double("2")')).toEqual([2345]);
    expect(await codesOf('const p: Point = { y: 1 }')).toEqual([2353]);
    expect(await codesOf('double = 1')).toEqual([2632]);
    expect(await run('count = double(count); count')).toBe(2);
  });

  test('a redeclared name has its new type from then on', async () => {
    await run('const v = 1', 'const v = "text"');
    expect(await run('v.length')).toBe(4);
    expect(await codesOf('v.toFixed()')).toEqual([2551]);
  });

  test('names of a cell that failed count as far as it got', async () => {
    await engine.run('const early = 1; throw new Error("stop"); const late = 2');
    expect(await run('early')).toBe(1);
    expect(await codesOf('late')).toEqual([2304]);
  });

  test('classes, enums, generics and namespaces keep type and value', async () => {
    await run(
      'class Box<T> { constructor(readonly content: T) {} }; enum Side { Left, Right }; type Pair<A> = [A, A]',
      'const box: Box<Side> = new Box(Side.Right); const pair: Pair<number> = [1, 2]',
    );
    expect(await run('box.content === Side.Right && pair.length === 2')).toBe(true);
    expect(await codesOf('const wrong: Box<string> = box')).toEqual([2322]);
  });

  test('a variable without a type takes what it is given', async () => {
    expect(await run('let later', 'later = { a: 1 }; later.a')).toBe(1);
  });
});

describe('what cells import', () => {
  test('is typed: Node, the library from any folder, and tslab', async () => {
    expect(await codesOf('import { join } from "node:path"; join(1)')).toEqual([2345]);
    expect(await codesOf('import { createRng } from "llm-lab/core"; createRng(1).nope')).toEqual([2339]);
    expect(await codesOf('import { display } from "tslab"; display.html(2)')).toEqual([2345]);
    expect(await codesOf('import nothing from "no-such-package"')).toEqual([2307]);
    expect(await codesOf('Buffer.from("a").length + process.pid')).toEqual([]);
  });

  test('is untyped where a package brings no declarations', async () => {
    mkdirSync(join(folder, 'node_modules', 'untyped'), { recursive: true });
    writeFileSync(join(folder, 'node_modules', 'untyped', 'index.js'), 'exports.seven = 7');
    expect(await run('import { seven } from "untyped"; seven')).toBe(7);
  });

  test('is typed for local files too, as they are now', async () => {
    writeFileSync(join(folder, 'local.ts'), 'export const size: number = 3;');
    const cell = 'import { size } from "./local.ts"; size.toFixed(1)';
    expect(await run(cell)).toBe('3.0');
    writeFileSync(join(folder, 'local.ts'), 'export const size: string = "three";');
    expect(await codesOf(cell)).toEqual([2551]);
    expect(await run('import { size } from "./local.ts"; size.length')).toBe(5);
  });
});

describe('questions about text', () => {
  test('completion offers members and names of cells', async () => {
    await run('const modelWidth = 12; const config = { numHeads: 3, numLayers: 2 }');
    expect(await engine.complete('config.num', 10)).toEqual({
      start: 7,
      end: 10,
      matches: [
        { text: 'numHeads', kind: 'property' },
        { text: 'numLayers', kind: 'property' },
      ],
    });
    expect((await engine.complete('modelW', 6)).matches[0]?.text).toBe('modelWidth');
    expect((await engine.complete('const inside = 1; insi', 22)).matches[0]?.text).toBe('inside');
  });

  test('inspection shows signature and documentation', async () => {
    await run('/** Adds one. */\nfunction addOne(x: number): number { return x + 1 }');
    expect(await engine.inspect('addOne(1)', 3)).toEqual({
      signature: 'addOne(x: number): number',
      documentation: 'Adds one.',
    });
    expect(await engine.inspect('   ', 1)).toBeUndefined();
  });

  test.each([
    ['1 + 1', 'complete', undefined],
    ['const f = () => {\n  return 1\n}', 'complete', undefined],
    ['for (const a of [1]) {', 'incomplete', '  '],
    ['if (true) {\n  call(', 'incomplete', '    '],
    ['const t = `line', 'incomplete', ''],
    ['/* open', 'incomplete', ''],
    ['x +', 'incomplete', ''],
    ['const = 1', 'invalid', undefined],
    ['} else', 'invalid', undefined],
    ['"open', 'invalid', undefined],
  ])('%j is %s', async (source, status, indent) => {
    expect(await engine.isComplete(source)).toEqual(indent === undefined ? { status } : { status, indent });
  });
});

describe('a notebook of many cells', () => {
  /** Runs cells in an engine whose TypeScript is changed. */
  const runWith = async (changed: Partial<typeof ts>, action: (engine: Engine) => Promise<void>) => {
    const { typescript } = loadTypeScript();
    const loaded = { typescript: { ...typescript, ...changed }, files: new Map() };
    Reflect.set(globalThis, Symbol.for('llm-lab.typescript'), loaded);
    const long = createEngine({ cwd: folder });
    try {
      await action(long);
    } finally {
      Reflect.deleteProperty(globalThis, Symbol.for('llm-lab.typescript'));
    }
  };

  test('gets no fatter: what later cells have replaced is let go of, and what they need is not', async () => {
    const { typescript } = loadTypeScript();
    const texts: WeakRef<ts.IScriptSnapshot>[] = [];
    const fromString = (text: string) => {
      const snapshot = typescript.ScriptSnapshot.fromString(text);
      if (text.startsWith('/* cell')) texts.push(new WeakRef(snapshot));
      return snapshot;
    };
    await runWith({ ScriptSnapshot: { fromString } }, async (long) => {
      await long.run('const first: 1 = 1; const needed: typeof first = first');
      await long.run('const first = "another"');
      for (let i = 0; i < 100; i++)
        await long.run(`/* cell ${i} */ const last = ${i}; const next = last + 1;`);
      setFlagsFromString('--expose-gc');
      await delay(0); // a reference that was looked at holds until the end of a turn
      runInNewContext('gc')();
      expect(texts.length).toBeGreaterThanOrEqual(200);
      expect(texts.filter((one) => one.deref() !== undefined).length).toBeLessThan(6);
      expect(await long.run('[needed, last]')).toEqual({ ok: true, value: [1, 99] });
      const { error } = { error: undefined, ...(await long.run('const wrong: 2 = needed')) };
      expect(error?.message).toContain("Type '1' is not assignable to type '2'");
    });
  });

  test('gets no slower: a cell is read once, and however many came before', async () => {
    const { typescript } = loadTypeScript();
    let parsed = 0;
    const createLanguageServiceSourceFile: typeof typescript.createLanguageServiceSourceFile = (...args) => {
      parsed += 1;
      return typescript.createLanguageServiceSourceFile(...args);
    };
    await runWith({ createLanguageServiceSourceFile }, async (long) => {
      const costs: number[] = [];
      for (let i = 0; i < 60; i++) {
        parsed = 0;
        await long.run(`const v${i} = ${i === 0 ? 0 : `v${i - 1} + 1`};`);
        await long.run(`const alone${i} = ${i}`);
        costs.push(parsed);
      }
      expect(costs[50]).toBe(costs[5]);
      expect(await long.run('v59')).toEqual({ ok: true, value: 59 });
    });
  });
});

describe('tensors', () => {
  test('have their methods, typed, where the library is imported', async () => {
    const cells = [
      "import { createRng } from 'llm-lab'; import * as tf from '@tensorflow/tfjs-core'; createRng(1);",
      'const sum = (x: tf.Tensor2D): tf.Tensor => x.add(1).square().sum()',
    ];
    expect(await run(...cells, 'typeof sum')).toBe('function');
    expect(await codesOf('const wrong = (x: tf.Tensor2D): string => x.square()')).toEqual([2322]);
  });
});
