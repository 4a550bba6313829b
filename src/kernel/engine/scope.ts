import type { AnyNode, Pattern } from 'acorn';

/** How a free name is used, which decides how it may be replaced. */
export type ReferenceKind = 'plain' | 'callee' | 'shorthand' | 'typeof';

/** One use of a name that is not bound inside the function or block that uses it. */
export interface Reference {
  name: string;
  start: number;
  end: number;
  kind: ReferenceKind;
}

/** A syntax node, as far as a walk over the tree needs to know it. */
export function isNode(value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

/** The nodes directly below a node, in source order. */
export function* childNodes(node: AnyNode): Generator<AnyNode> {
  for (const value of Object.values(node)) {
    if (isNode(value)) yield value;
    else if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) yield item;
    }
  }
}

/** The names a binding pattern declares: `{a, b: [c, ...d]}` declares a, c and d. */
export function boundNames(pattern: Pattern): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [pattern.name];
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        property.type === 'RestElement' ? boundNames(property.argument) : boundNames(property.value),
      );
    case 'ArrayPattern':
      return pattern.elements.flatMap((element) => (element === null ? [] : boundNames(element)));
    case 'RestElement':
      return boundNames(pattern.argument);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'MemberExpression':
      return [];
  }
}

function isFunction(node: AnyNode): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

/** The `var` names of a function body or program, wherever they stand in its blocks. */
export function hoistedNames(node: AnyNode, into = new Set<string>()): Set<string> {
  for (const child of childNodes(node)) {
    if (isFunction(child) || child.type === 'StaticBlock' || child.type === 'PropertyDefinition') continue;
    if (child.type === 'VariableDeclaration' && child.kind === 'var') {
      for (const { id } of child.declarations) for (const name of boundNames(id)) into.add(name);
    }
    hoistedNames(child, into);
  }
  return into;
}

/** The names a list of statements declares in its own block: let, const, using, function and class. */
export function lexicalNames(statements: readonly AnyNode[]): Set<string> {
  const names = new Set<string>();
  for (const statement of statements) {
    if (statement.type === 'VariableDeclaration' && statement.kind !== 'var') {
      for (const { id } of statement.declarations) for (const name of boundNames(id)) names.add(name);
    } else if (
      (statement.type === 'FunctionDeclaration' || statement.type === 'ClassDeclaration') &&
      statement.id
    ) {
      names.add(statement.id.name);
    }
  }
  return names;
}

type Scope = readonly Set<string>[];

/**
 * Every use, below `root`, of a name that nothing below `root` binds. Declarations directly in `root`
 * (a program) do not count as bindings: the caller decides about those.
 */
export function freeReferences(root: AnyNode): Reference[] {
  const references: Reference[] = [];

  const use = (node: { name: string; start: number; end: number }, scope: Scope, kind: ReferenceKind) => {
    if (scope.some((names) => names.has(node.name))) return;
    references.push({ name: node.name, start: node.start, end: node.end, kind });
  };

  const visitAll = (nodes: Iterable<AnyNode | null | undefined>, scope: Scope) => {
    for (const node of nodes) if (node) visit(node, scope);
  };

  const visitFunction = (node: AnyNode, scope: Scope) => {
    if (
      node.type !== 'FunctionDeclaration' &&
      node.type !== 'FunctionExpression' &&
      node.type !== 'ArrowFunctionExpression'
    ) {
      return;
    }
    const own = new Set(node.params.flatMap(boundNames));
    if (node.type !== 'ArrowFunctionExpression') own.add('arguments');
    if (node.type === 'FunctionExpression' && node.id) own.add(node.id.name);
    const inner = [...scope, own];
    visitAll(node.params, inner);
    if (node.body.type === 'BlockStatement') {
      const body = new Set([...hoistedNames(node.body), ...lexicalNames(node.body.body)]);
      visitAll(node.body.body, [...inner, body]);
    } else {
      visit(node.body, inner);
    }
  };

  const visit = (node: AnyNode, scope: Scope): void => {
    switch (node.type) {
      case 'Identifier':
        use(node, scope, 'plain');
        return;
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        visitFunction(node, scope);
        return;
      case 'ClassDeclaration':
      case 'ClassExpression': {
        const inner = node.id ? [...scope, new Set([node.id.name])] : scope;
        if (node.superClass) visit(node.superClass, inner);
        visit(node.body, inner);
        return;
      }
      case 'StaticBlock':
        visitAll(node.body, [...scope, new Set([...hoistedNames(node), ...lexicalNames(node.body)])]);
        return;
      case 'BlockStatement':
        visitAll(node.body, [...scope, lexicalNames(node.body)]);
        return;
      case 'SwitchStatement': {
        visit(node.discriminant, scope);
        const inner = [...scope, lexicalNames(node.cases.flatMap((one) => one.consequent))];
        for (const one of node.cases) visitAll([one.test, ...one.consequent], inner);
        return;
      }
      case 'ForStatement':
        visitAll(
          [node.init, node.test, node.update, node.body],
          [...scope, lexicalNames(node.init ? [node.init] : [])],
        );
        return;
      case 'ForInStatement':
      case 'ForOfStatement':
        visitAll([node.left, node.right, node.body], [...scope, lexicalNames([node.left])]);
        return;
      case 'CatchClause': {
        const inner = [...scope, new Set(node.param ? boundNames(node.param) : [])];
        visitAll([node.param, node.body], inner);
        return;
      }
      case 'MemberExpression':
        visit(node.object, scope);
        if (node.computed) visit(node.property, scope);
        return;
      case 'PropertyDefinition':
      case 'MethodDefinition':
        if (node.computed) visit(node.key, scope);
        if (node.value) visit(node.value, scope);
        return;
      case 'Property':
        if (node.shorthand) {
          // `{a}` and, in a pattern, `{a = 1}`: the key is the name itself
          const value: AnyNode = node.value;
          if (value.type === 'Identifier') use(value, scope, 'shorthand');
          else if (value.type === 'AssignmentPattern') {
            if (value.left.type === 'Identifier') use(value.left, scope, 'shorthand');
            visit(value.right, scope);
          }
          return;
        }
        if (node.computed) visit(node.key, scope);
        visit(node.value, scope);
        return;
      case 'CallExpression':
        if (node.callee.type === 'Identifier') use(node.callee, scope, 'callee');
        else visit(node.callee, scope);
        visitAll(node.arguments, scope);
        return;
      case 'TaggedTemplateExpression':
        if (node.tag.type === 'Identifier') use(node.tag, scope, 'callee');
        else visit(node.tag, scope);
        visit(node.quasi, scope);
        return;
      case 'UnaryExpression':
        if (node.operator === 'typeof' && node.argument.type === 'Identifier') {
          use(node.argument, scope, 'typeof');
        } else visit(node.argument, scope);
        return;
      case 'LabeledStatement':
        visit(node.body, scope);
        return;
      case 'BreakStatement':
      case 'ContinueStatement':
      case 'MetaProperty':
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
        return;
      case 'ExportNamedDeclaration':
        if (node.declaration) visit(node.declaration, scope);
        return;
      default:
        visitAll(childNodes(node), scope);
    }
  };

  visitAll(childNodes(root), []);
  return references;
}
