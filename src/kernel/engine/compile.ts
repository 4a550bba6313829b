import { type AnyNode, type ImportDeclaration, type Program, parse } from 'acorn';
import { applyEdits, blank, type Edit, type Position } from './edits.ts';
import { type ErasedSource, samePosition, stripTypes, transpile } from './erase.ts';
import { childNodes, freeReferences, hoistedNames, lexicalNames, type Reference } from './scope.ts';

/** The name under which a compiled cell sees its session. Nothing a person writes should collide with it. */
const SESSION = '__lab$';

/** JavaScript of one cell, ready to run, and the way back from its positions to those of the cell. */
export interface CompiledCell {
  /** An expression: an async function that takes the session. */
  code: string;
  /** Names the cell declares or imports at its top level. */
  names: string[];
  /** Free names that neither the cell nor the session nor the global object knew when it was compiled. */
  unknownNames: string[];
  originalPosition(position: Position): Position;
}

interface Import {
  specifier: string;
  attributes: Record<string, string>;
  /** local name -> exported name, or `*` for the whole namespace */
  bindings: Map<string, string>;
}

/** What a compiled cell needs to know about the session it will run in. */
export interface CompileContext {
  isSessionName(name: string): boolean;
}

function parseProgram(code: string): Program {
  return parse(code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowAwaitOutsideFunction: true,
    // a name exported or declared twice is for V8 or the type checker to refuse, with their better messages
    checkPrivateFields: false,
  });
}

/**
 * A cell that is JavaScript as it stands; undefined for others. Only `<` can mean one thing in JavaScript and another
 * in TypeScript (`f<T>(x)`), so a cell with one is left to those who know types.
 */
function parseJavaScript(source: string): Program | undefined {
  if (source.includes('<')) return undefined;
  try {
    return parseProgram(source);
  } catch {
    return undefined;
  }
}

function parseCell(source: string): { erased: ErasedSource; program: Program } {
  const plain = parseJavaScript(source);
  if (plain) return { erased: { code: source, originalPosition: samePosition }, program: plain };
  try {
    const erased = stripTypes(source);
    return { erased, program: parseProgram(erased.code) };
  } catch {
    // more than types to erase, or no TypeScript at all: the transpiler knows
    const erased = transpile(source);
    return { erased, program: parseProgram(erased.code) };
  }
}

function readImport(node: ImportDeclaration): Import {
  const bindings = new Map<string, string>();
  for (const specifier of node.specifiers) {
    if (specifier.type === 'ImportDefaultSpecifier') bindings.set(specifier.local.name, 'default');
    else if (specifier.type === 'ImportNamespaceSpecifier') bindings.set(specifier.local.name, '*');
    else {
      const imported = specifier.imported;
      bindings.set(
        specifier.local.name,
        imported.type === 'Identifier' ? imported.name : String(imported.value),
      );
    }
  }
  const attributes: Record<string, string> = {};
  for (const { key, value } of node.attributes) {
    attributes[key.type === 'Identifier' ? key.name : String(key.value)] = String(value.value);
  }
  return { specifier: String(node.source.value), attributes, bindings };
}

/**
 * Offsets at which a statement of a statement list starts. There a rewritten call, which begins with a
 * parenthesis, needs a semicolon in front: the line before may have relied on the line break.
 */
function listStatementStarts(root: AnyNode, into = new Set<number>()): Set<number> {
  const lists =
    root.type === 'Program' || root.type === 'BlockStatement' || root.type === 'StaticBlock'
      ? root.body
      : root.type === 'SwitchCase'
        ? root.consequent
        : [];
  for (const statement of lists) {
    if (statement.type === 'ExpressionStatement') into.add(statement.start);
  }
  for (const child of childNodes(root)) listStatementStarts(child, into);
  return into;
}

/** `import(x)` and `import.meta` resolve from the notebook's folder, not from this file; `await` can be interrupted. */
function sessionEdits(root: AnyNode, edits: Edit[]): void {
  for (const child of childNodes(root)) {
    if (child.type === 'ImportExpression') {
      edits.push({ start: child.start, end: child.start + 'import'.length, text: `${SESSION}.import` });
    } else if (child.type === 'MetaProperty' && child.meta.name === 'import') {
      edits.push({ start: child.start, end: child.end, text: `${SESSION}.meta` });
    }
    if (child.type === 'AwaitExpression') {
      // an interrupt that comes while a cell waits takes effect when the wait ends
      edits.push({ start: child.start, end: child.start, text: `${SESSION}.resume(${SESSION}.interrupts, ` });
      edits.push({ start: child.end, end: child.end, text: ')' });
    }
    sessionEdits(child, edits);
  }
}

/** Edits for import and export declarations, which a function body may not hold; returns what is imported. */
function moduleEdits(program: Program, code: string, edits: Edit[]): Import[] {
  const imports: Import[] = [];
  const erase = (start: number, end: number) =>
    edits.push({ start, end, text: blank(code.slice(start, end)) });
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') {
      imports.push(readImport(statement));
      erase(statement.start, statement.end);
    } else if (statement.type === 'ExportAllDeclaration') {
      imports.push({ specifier: String(statement.source.value), attributes: {}, bindings: new Map() });
      erase(statement.start, statement.end);
    } else if (statement.type === 'ExportNamedDeclaration') {
      if (statement.source) {
        imports.push({ specifier: String(statement.source.value), attributes: {}, bindings: new Map() });
      }
      erase(statement.start, statement.declaration ? statement.declaration.start : statement.end);
    } else if (statement.type === 'ExportDefaultDeclaration') {
      erase(statement.start, statement.declaration.start);
    }
  }
  return imports;
}

/** The names the program declares at its top level, by plain declarations, exported or not. */
function declaredNames(program: Program): Set<string> {
  const statements = program.body.map((statement): AnyNode => {
    if (statement.type === 'ExportNamedDeclaration' && statement.declaration) return statement.declaration;
    if (statement.type === 'ExportDefaultDeclaration') return statement.declaration;
    return statement;
  });
  return new Set([...hoistedNames(program), ...lexicalNames(statements)]);
}

type WayBack = CompiledCell['originalPosition'];

/** A function of its own, so that it keeps nothing alive but the two. */
function inTurn(first: WayBack, second: WayBack): WayBack {
  return (position) => second(first(position));
}

/** Makes the value of the last expression the result of the cell. */
function resultEdits(program: Program, code: string, edits: Edit[]): void {
  const last = program.body.at(-1);
  if (last?.type === 'ExpressionStatement' && last.directive === undefined) {
    const end = code[last.end - 1] === ';' ? last.end - 1 : last.end;
    edits.push({ start: last.start, end: last.start, text: `${SESSION}.result = (` });
    edits.push({ start: end, end, text: ')' });
  } else if (last?.type === 'ExpressionStatement') {
    // a lone string is a directive to the parser and a result to a person
    edits.push({ start: last.start, end: last.start, text: `${SESSION}.result = ` });
  } else if (last?.type === 'ExportDefaultDeclaration') {
    edits.push({ start: last.declaration.start, end: last.declaration.start, text: `${SESSION}.result = ` });
  }
}

function referenceEdit(
  reference: Reference,
  replacement: string,
  startsStatement: ReadonlySet<number>,
  resultStart: number | undefined,
): Edit {
  const { start, end, name } = reference;
  if (reference.kind === 'shorthand') return { start, end, text: `${name}: ${replacement}` };
  if (reference.kind === 'callee') {
    // called through a comma, so that `this` is undefined, as for any plain function
    const guard = startsStatement.has(start) && start !== resultStart ? ';' : '';
    return { start, end, text: `${guard}(0, ${replacement})` };
  }
  return { start, end, text: replacement };
}

/**
 * Turns the source of a cell into an async function over its session.
 *
 * Variables of the cell stay plain local variables. The function hands the session a getter and a setter for
 * each, so other cells see the variable itself and not a copy; what the cell uses of other cells goes through
 * those. A name is looked up when it is used: after a helper is defined again, its callers in other cells call
 * the new one.
 *
 * @throws {SyntaxError} if the source is not TypeScript
 */
export function compileCell(source: string, context: CompileContext): CompiledCell {
  const { erased, program } = parseCell(source);
  const { code } = erased;
  const edits: Edit[] = [];
  const imports = moduleEdits(program, code, edits);
  sessionEdits(program, edits);

  const declared = declaredNames(program);
  const imported = new Map<string, string>();
  imports.forEach((one, index) => {
    for (const [local, name] of one.bindings) {
      const module = `${SESSION}m${index}`;
      imported.set(local, name === '*' ? module : `${module}[${JSON.stringify(name)}]`);
    }
  });

  const last = program.body.at(-1);
  const resultStart = last?.type === 'ExpressionStatement' ? last.start : undefined;
  resultEdits(program, code, edits);
  const startsStatement = listStatementStarts(program);
  const unknownNames = new Set<string>();
  const usedImports = new Set<string>();
  for (const reference of freeReferences(program)) {
    const { name } = reference;
    if (declared.has(name)) continue;
    const fromImport = imported.get(name);
    if (fromImport !== undefined) usedImports.add(name);
    const isSession = context.isSessionName(name);
    if (fromImport === undefined && !isSession) {
      if (name in globalThis || name === 'undefined' || reference.kind === 'typeof') continue;
      unknownNames.add(name);
    }
    const replacement = fromImport ?? `${SESSION}.scope.${name}`;
    edits.push(referenceEdit(reference, replacement, startsStatement, resultStart));
  }

  const names = [...declared, ...imported.keys()];
  const prologue = [
    ...imports.map((one, index) => {
      // only what this cell uses as a value must exist: the rest may be types
      const needed = [...one.bindings].filter(([local]) => usedImports.has(local)).map(([, name]) => name);
      const args = [one.specifier, one.attributes, [...one.bindings.values()], needed]
        .map((value) => JSON.stringify(value))
        .join(', ');
      return `const ${SESSION}m${index} = await ${SESSION}.importModule(${args});`;
    }),
    `${SESSION}.define({${[
      ...[...declared].map((name) => `${name}: [() => ${name}, (value) => { ${name} = value; }]`),
      ...[...imported].map(([local, expression]) => `${local}: [() => ${expression}]`),
    ].join(', ')}});`,
  ].join(' ');
  const edited = applyEdits(code, edits);
  return {
    code: `(async (${SESSION}) => { 'use strict'; ${prologue}\n${edited.text}\n})`,
    names,
    unknownNames: [...unknownNames],
    originalPosition: inTurn(edited.originalPosition, erased.originalPosition),
  };
}
