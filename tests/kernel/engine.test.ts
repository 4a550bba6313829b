import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createEngine, type Engine } from '../../src/kernel/engine/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'lab-engine-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function writeModule(name: string, text: string): void {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, text);
}

async function evaluate(engine: Engine, ...cells: string[]): Promise<unknown> {
  let value: unknown;
  for (const cell of cells) {
    const result = await engine.run(cell);
    if (!result.ok) throw new Error(result.error.stack);
    value = result.value;
  }
  return value;
}

async function errorOf(engine: Engine, cell: string, name?: string) {
  const result = await engine.run(cell, name === undefined ? {} : { name });
  if (result.ok) throw new Error(`the cell gave ${String(result.value)}`);
  return result.error;
}

describe('cells without type checks', () => {
  let engine: Engine;
  beforeEach(() => {
    engine = createEngine({ cwd: folder, typeCheck: false });
  });

  test('the value of the last expression is the result', async () => {
    expect(await evaluate(engine, 'const a = 2; a * 21')).toBe(42);
    expect(await evaluate(engine, 'const b = 1')).toBeUndefined();
    expect(await evaluate(engine, '"a text alone"')).toBe('a text alone');
    expect(await evaluate(engine, '({ a: 1 }) // an object')).toEqual({ a: 1 });
  });

  test('a closure sees what a later cell assigns', async () => {
    expect(await evaluate(engine, 'let x = 1; const f = () => x', 'x = 2; f()')).toBe(2);
    expect(await evaluate(engine, 'x += 5; x++; f()')).toBe(8);
    expect(await evaluate(engine, '[x] = [70]; ({ x } = { x: x + 1 }); f()')).toBe(71);
    expect(engine.get('x')).toBe(71);
  });

  test('what a function assigns a later cell sees', async () => {
    expect(await evaluate(engine, 'let n = 0; function count() { n += 1; }', 'count(); count()', 'n')).toBe(
      2,
    );
  });

  test('a redefined helper is used by its callers in other cells', async () => {
    const cells = [
      'const helper = () => "old"',
      'const caller = () => helper()',
      'const helper = () => "new"',
    ];
    expect(await evaluate(engine, ...cells, 'caller()')).toBe('new');
  });

  test.each(['let', 'const', 'var', 'class', 'function'])(
    'a name can be declared again as %s',
    async (kind) => {
      const declaration =
        kind === 'class' ? 'class v {}' : kind === 'function' ? 'function v() {}' : `${kind} v = 1`;
      for (const first of [
        'let v = 5',
        'const v = 5',
        'class v {}',
        'function v() {}',
        'import v from "node:fs"',
      ]) {
        await evaluate(engine, first, declaration);
        expect(typeof engine.get('v')).toBe(/class|function/.test(kind) ? 'function' : 'number');
      }
    },
  );

  test('await, for await and using work at the top level', async () => {
    expect(await evaluate(engine, 'const a = await Promise.resolve(3); a')).toBe(3);
    const loop =
      'async function* items() { yield 1; yield 2 }; let sum = 0; for await (const i of items()) sum += i; sum';
    expect(await evaluate(engine, loop)).toBe(3);
    const resource =
      'const log: string[] = []; { using r = { [Symbol.dispose]() { log.push("gone") } }; log.push("here") } log';
    expect(await evaluate(engine, resource)).toEqual(['here', 'gone']);
  });

  test('a promise as the last expression stays a promise', async () => {
    const result = await engine.run('Promise.resolve(1)');
    expect(result.ok && result.value instanceof Promise).toBe(true);
  });

  test('local names of functions and blocks stay their own', async () => {
    await evaluate(engine, 'const x = "outer", y = "outer"');
    const shadowing = `
      function f(x, { y: [z = x] = [] } = {}) { var y = x; return [x, y, z, (() => arguments.length)()] }
      const results = [f(1), ((x) => { { let y = 2; x += y } return x })(3), (function x() { return typeof x })()]
      try { throw 7 } catch (x) { results.push(x) }
      for (const x of [8]) results.push(x)
      switch (1) { case 1: let y = 9; results.push(y) }
      class C { x = 10; static y = 11; get z() { return this.x } ['x' + y]() { return x } }
      results.push(new C().x, C.y, new C().z, new C().xouter(), { x, y })
      results`;
    expect(await evaluate(engine, shadowing)).toEqual([
      [1, 1, 1, 1],
      5,
      'function',
      7,
      8,
      9,
      10,
      11,
      10,
      'outer',
      { x: 'outer', y: 'outer' },
    ]);
  });

  test('a call at the start of a line does not join the line before', async () => {
    expect(await evaluate(engine, 'const f = () => 4', 'const g = f\nf()\n;[1].map(f)')).toEqual([4]);
    expect(await evaluate(engine, 'let r = 0', 'if (r === 0)\n  f()\nelse\n  f()\nr')).toBe(0);
  });

  test('functions of other cells are called without a receiver', async () => {
    const defined = 'function me() { return this }; const tag = function () { return this }';
    expect(await evaluate(engine, defined, '[me(), tag`x`, me?.()]')).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('a call with type arguments is no comparison', async () => {
    expect(await evaluate(engine, 'function same<T>(x: T) { return x }', 'same<number>(4)')).toBe(4);
    expect(await evaluate(engine, 'const a = 1, b = 2, c = 3', '(a < b) > (c)')).toBe(false);
  });

  test('enums, namespaces, decorators and parameter properties run too', async () => {
    expect(await evaluate(engine, 'enum Kind { A = 3, B }; Kind.B', 'Kind[3]')).toBe('A');
    expect(await evaluate(engine, 'namespace N { export const a = 5 }', 'N.a')).toBe(5);
    expect(await evaluate(engine, 'class P { constructor(readonly q: number) {} }; new P(6).q')).toBe(6);
    const decorated =
      'const twice = (f: () => number, _: unknown) => () => 2 * f(); class D { @twice m() { return 4 } }; new D().m()';
    expect(await evaluate(engine, decorated)).toBe(8);
  });

  test('a cell that fails keeps what it got to, and older values of what it did not', async () => {
    await evaluate(engine, 'const kept = "old"; const replaced = "old"');
    const error = await errorOf(
      engine,
      'const replaced = "new"; throw new Error("boom"); const kept = "new"',
      'In[2]',
    );
    expect(error).toMatchObject({ name: 'Error', message: 'boom' });
    expect(engine.get('replaced')).toBe('new');
    expect(await evaluate(engine, 'kept')).toBe('old');
  });

  test('an error tells cells, lines and columns, and no frames of ours', async () => {
    await evaluate(engine, 'const unrelated = 1');
    const run = await engine.run(
      '\nfunction inner(x: number) {\n  unrelated; throw new RangeError("no " + x)\n}',
      { name: 'In[2]' },
    );
    expect(run.ok).toBe(true);
    const error = await errorOf(engine, 'const a = 1;\n  inner(a)', 'In[3]');
    expect(error.stack).toBe('RangeError: no 1\n    at inner (In[2]:3:20)\n    at In[3]:2:3');
  });

  test('errors keep their cause, and anything can be thrown', async () => {
    expect((await errorOf(engine, 'throw new Error("a", { cause: new TypeError("b") })')).stack).toMatch(
      /Error: a[\s\S]*caused by TypeError: b/,
    );
    expect(await errorOf(engine, 'throw { code: 5 }')).toMatchObject({
      name: 'Uncaught',
      message: '{ code: 5 }',
    });
    expect(await errorOf(engine, 'throw undefined')).toMatchObject({ message: 'undefined' });
    expect(await errorOf(engine, 'throw new Proxy({}, { get() { throw 1 } })')).toMatchObject({
      name: 'Uncaught',
    });
  });

  test('a syntax error has its place', async () => {
    const error = await errorOf(engine, 'const fine = 1;\nconst = 2', 'In[9]');
    expect(error.name).toBe('SyntaxError');
    expect(error.stack).toContain('In[9]:2:7');
  });

  test('constants cannot be assigned, from any cell', async () => {
    await evaluate(engine, 'const c = 1; import { sep } from "node:path"');
    expect(await errorOf(engine, 'c = 2')).toMatchObject({ message: 'Assignment to constant variable.' });
    expect(await errorOf(engine, 'sep = 2')).toMatchObject({ message: 'Assignment to constant variable.' });
  });

  test('a name nobody defined fails when it is used, and works once it is defined', async () => {
    await evaluate(engine, 'const later = () => missing + 1');
    expect(await errorOf(engine, 'later()')).toMatchObject({
      name: 'ReferenceError',
      message: 'missing is not defined',
    });
    expect(await evaluate(engine, 'const missing = 4', 'later()')).toBe(5);
    expect(await evaluate(engine, 'typeof neverDefined')).toBe('undefined');
  });

  test('cells cannot see or change what is not theirs', async () => {
    await evaluate(engine, 'const console = 5; const process = 6; function fetch() { return 7 }');
    expect(typeof globalThis.console).toBe('object');
    expect(await evaluate(engine, '[console, process, fetch()]')).toEqual([5, 6, 7]);
    const other = createEngine({ cwd: folder, typeCheck: false });
    expect(await evaluate(other, 'typeof process')).toBe('object');
  });

  test('cells run one at a time, in order', async () => {
    const first = engine.run('await new Promise((r) => setTimeout(r, 30)); let order = ["a"]');
    const second = engine.run('order.push("b"); order');
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toMatchObject({ ok: true, value: ['a', 'b'] });
  });

  test('an interrupt ends a cell that waits, and its loop', async () => {
    await evaluate(engine, 'let ticks = 0');
    const running = engine.run('for (;;) { await new Promise((r) => setTimeout(r, 5)); ticks += 1 }');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(engine.interrupt()).toBe(true);
    expect(await running).toMatchObject({ ok: false, error: { name: 'Interrupted' } });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const ticks = engine.get('ticks');
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(engine.get('ticks')).toBe(ticks);
    expect(engine.interrupt()).toBe(false);
  });
});

describe('imports', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = createEngine({ cwd: folder, typeCheck: false });
    writeModule(
      'node_modules/only-exports/package.json',
      '{"name":"only-exports","exports":{"./part":"./p.mjs"}}',
    );
    writeModule('node_modules/only-exports/p.mjs', 'export const part = await Promise.resolve("awaited");');
    writeModule('node_modules/common/package.json', '{"name":"common","main":"index.js"}');
    writeModule(
      'node_modules/common/index.js',
      'const hidden = { ["na" + "me"]: "cjs" }; module.exports = hidden;',
    );
  });

  test('packages resolve from the notebook, exports-only and with top-level await', async () => {
    expect(await evaluate(engine, 'import { part } from "only-exports/part"; part')).toBe('awaited');
    expect(await evaluate(engine, 'const m = await import("only-exports/part"); m.part')).toBe('awaited');
  });

  test('members of a CommonJS module can be imported by name', async () => {
    expect(await evaluate(engine, 'import { name } from "common"; name')).toBe('cjs');
    expect(await evaluate(engine, 'import whole, { type T } from "common"; whole.name')).toBe('cjs');
  });

  test('the library is there from any folder', async () => {
    const cell = 'import { createRng } from "llm-lab/core"; createRng(1).next()';
    expect(await evaluate(engine, cell, 'createRng(1).next()')).toBeCloseTo(0.3078219503375379, 12);
  });

  test('an edited file is loaded anew, also when another file imports it; an unchanged one is not', async () => {
    writeModule('inner.ts', 'export const value: number = 1; export let loads = 0;');
    writeModule('outer.ts', 'import { value } from "./inner.ts"; export const tenfold = value * 10;');
    const cell = 'import { tenfold } from "./outer.ts"; tenfold';
    expect(await evaluate(engine, cell)).toBe(10);
    const same = 'const a = await import("./outer.ts"), b = await import("./outer"); a === b';
    expect(await evaluate(engine, same)).toBe(true);
    writeModule('inner.ts', 'export const value: number = 22; // edited');
    expect(await evaluate(engine, cell)).toBe(220);
  });

  test('local files with more than types to erase are translated, and errors keep their places', async () => {
    writeModule(
      'colours.ts',
      'export enum Colour { Red, Green }\n\nexport function fail(): never { throw new Error(Colour[1]) }',
    );
    expect(await evaluate(engine, 'import { Colour } from "./colours.ts"; Colour.Green')).toBe(1);
    const error = await errorOf(engine, 'import { fail } from "./colours"; fail()', 'In[5]');
    expect(error.stack).toBe(
      `Error: Green\n    at fail (${join(folder, 'colours.ts')}:3:39)\n    at In[5]:1:35`,
    );
  });

  test('a local file that is no TypeScript is named, with the place', async () => {
    writeModule('broken.ts', 'export const fine = 1;\nexport const x: number = ;');
    expect((await errorOf(engine, 'import { x } from "./broken.ts"')).message).toBe(
      'broken.ts:2:26: Expression expected.',
    );
  });

  test('JSON files are imported with and without an attribute, as they are now', async () => {
    writeModule('data.json', '{ "n": 1 }');
    expect(await evaluate(engine, 'import a from "./data.json"; a.n')).toBe(1);
    expect(await evaluate(engine, 'import b from "./data.json" with { type: "json" }; b.n')).toBe(1);
    writeModule('data.json', '{ "n": 22 }');
    expect(await evaluate(engine, 'import c from "./data.json"; c.n')).toBe(22);
  });

  test('an import that fails says what is missing, and leaves the notebook as it was', async () => {
    expect((await errorOf(engine, 'import { nothing } from "node:path"; nothing')).message).toBe(
      "the module 'node:path' does not provide an export named 'nothing'",
    );
    expect((await errorOf(engine, 'import "./not-there.ts"')).message).toMatch(/not-there/);
    expect((await errorOf(engine, 'import x from "no-such-package"')).message).toMatch(/no-such-package/);
  });

  test('import.meta, require and __dirname are those of the notebook', async () => {
    expect(await evaluate(engine, 'import.meta.dirname === __dirname')).toBe(true);
    expect(engine.get('__dirname')).toBe(folder);
    expect(await evaluate(engine, 'require("common").name')).toBe('cjs');
  });
});
