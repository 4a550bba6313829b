/**
 * A chapter as the grader sees it: the released cells, the solutions, and for each exercise the cells that must run
 * before its answer. Nothing of it comes from a submission.
 */
import { parse } from 'acorn';
import { compileCell } from '../src/kernel/engine/compile.js';
import { stripTypes } from '../src/kernel/engine/erase.js';
import { loadMasters } from '../src/notebook/course.js';
import { notebookOf } from '../src/notebook/ipynb.js';
/** All chapters of the course, by name. */
export async function loadChapters(folder) {
  const masters = await loadMasters(folder);
  return new Map(masters.map((master) => [master.name, chapterOf(master)]));
}
/** The chapter of a master. */
export function chapterOf(master) {
  const released = notebookOf(master, { variant: 'released' });
  const solved = notebookOf(master, { variant: 'solved' });
  const answers = answerCells(released, solved);
  const places = new Map();
  const cells = solved.cells.flatMap((cell, index) => {
    const exercise = answers.find(({ id }) => id === cell.id)?.exercise;
    if (cell.cell_type !== 'code') return [];
    if (exercise !== undefined) places.set(exercise, index);
    return [analyse(cell.id, cell.source.join(''))];
  });
  const stubs = new Map(answers.map(({ exercise, id, stub }) => [exercise, analyse(id, stub)]));
  return {
    name: master.name,
    answers,
    before: (exercise, answer) => {
      const id = answers.find((one) => one.exercise === exercise)?.id;
      const at = cells.findIndex(({ name }) => name === id);
      const own = cells[at];
      if (own === undefined) return [];
      const needs = new Set([...own.needs, ...(stubs.get(exercise)?.needs ?? [])]);
      const words = wordsOf(answer);
      const chosen = [];
      for (const cell of cells.slice(0, at).reverse()) {
        const wanted = [...cell.declares].some((name) => needs.has(name) || (cell.cheap && words.has(name)));
        if (!wanted) continue;
        chosen.unshift(cell);
        for (const name of cell.needs) needs.add(name);
      }
      return chosen.map(({ name, source }) => ({ name, source }));
    },
  };
}
function answerCells(released, solved) {
  const solutions = new Map(solved.cells.map((cell) => [cell.id, cell.source.join('')]));
  return released.cells.flatMap((cell) => {
    const { lab } = cell.metadata;
    if (
      typeof lab !== 'object' ||
      lab === null ||
      !('exercise' in lab) ||
      !('kind' in lab) ||
      lab.kind !== 'answer'
    )
      return [];
    const stub = cell.source.join('');
    return [{ exercise: String(lab.exercise), id: cell.id, stub, solution: solutions.get(cell.id) ?? stub }];
  });
}
function analyse(name, source) {
  const { names, unknownNames } = compileCell(source, { isSessionName: () => false });
  return { name, source, declares: new Set(names), needs: new Set(unknownNames), cheap: isCheap(source) };
}
function isCheap(source) {
  const { body } = parse(stripTypes(source).code, {
    ecmaVersion: 'latest',
    sourceType: 'module',
    allowAwaitOutsideFunction: true,
  });
  if (body.some(({ type }) => type === 'ImportDeclaration')) return true;
  return body.every(
    (statement) =>
      statement.type === 'FunctionDeclaration' ||
      statement.type === 'ClassDeclaration' ||
      statement.type === 'EmptyStatement' ||
      (statement.type === 'VariableDeclaration' &&
        statement.declarations.every(({ init }) => isPlain(init ?? undefined))),
  );
}
/** Literals, functions, and arrays and objects of them: nothing is called. */
function isPlain(node) {
  switch (node?.type) {
    case undefined:
    case 'Literal':
    case 'Identifier':
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
      return true;
    case 'UnaryExpression':
      return isPlain(node.argument);
    case 'BinaryExpression':
      return isPlain(node.left) && isPlain(node.right);
    case 'ArrayExpression':
      return node.elements.every((item) => item === null || isPlain(item));
    case 'ObjectExpression':
      return node.properties.every((property) => property.type === 'Property' && isPlain(property.value));
    default:
      return false;
  }
}
/** Every word of a stranger's source. Not parsed: that happens in the sandbox alone. */
function wordsOf(source) {
  return new Set(source.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu));
}
