import { readFileSync } from 'node:fs';
import type ts from 'typescript6';

/** A declaration, as a file that was read without comments knows it. */
interface Declared {
  fileName: string;
  name: string;
  /** the class, interface or namespace that it is in; empty at the top of a file */
  containerName: string;
}

/**
 * The comment on a declaration, read from its file as it is written: the types of the library are read without
 * comments, which are most of their text.
 */
export function writtenDocumentation(
  typescript: typeof ts,
  { fileName, name, containerName }: Declared,
): string {
  let text: string;
  try {
    text = readFileSync(fileName, 'utf8');
  } catch {
    return '';
  }
  const file = typescript.createSourceFile(fileName, text, typescript.ScriptTarget.ESNext, true);
  // TypeScript calls a module, as a container, by its quoted path, and others as the asking file would
  const container = containerName.startsWith('"') ? '' : (containerName.split('.').at(-1) ?? '');
  return documentationIn(typescript, file, name, container);
}

function documentationIn(
  typescript: typeof ts,
  file: ts.SourceFile,
  name: string,
  container: string,
): string {
  const declarations = declarationsOf(typescript, file, name, container);
  for (const node of declarations) {
    const comments = typescript.getJSDocCommentsAndTags(node).filter((one) => typescript.isJSDoc(one));
    const documentation = comments.flatMap((one) => textOf(typescript, one));
    if (documentation.length > 0) return documentation.join('\n');
  }
  // `const abs: typeof abs_`: the comment is on the other one
  for (const node of declarations) {
    const other = typescript.isVariableDeclaration(node) ? node.type : undefined;
    if (other && typescript.isTypeQueryNode(other) && typescript.isIdentifier(other.exprName)) {
      const { text } = other.exprName;
      if (text !== name) return documentationIn(typescript, file, text, container);
    }
  }
  return '';
}

/** The declarations of a name in a class, an interface or a namespace (or in none); of overloads all. */
function declarationsOf(typescript: typeof ts, root: ts.Node, name: string, container: string): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node, parent: string) => {
    const own = nameOf(node);
    if (own === name && parent === container) found.push(node);
    const isContainer =
      typescript.isClassLike(node) ||
      typescript.isInterfaceDeclaration(node) ||
      typescript.isModuleDeclaration(node);
    // what stands in a function is none of its module's names
    if (typescript.isFunctionLike(node)) return;
    typescript.forEachChild(node, (child) => visit(child, isContainer && own !== undefined ? own : parent));
  };
  visit(root, '');
  return found;
}

function nameOf(node: ts.Node): string | undefined {
  if (!('name' in node) || typeof node.name !== 'object' || node.name === null) return undefined;
  const { name } = node;
  return 'text' in name && typeof name.text === 'string' ? name.text : undefined;
}

/** A comment as TypeScript tells it: its text, then a line for each tag. */
function textOf(typescript: typeof ts, comment: ts.JSDoc): string[] {
  const text = typescript.getTextOfJSDocComment(comment.comment) ?? '';
  const tags = (comment.tags ?? []).map((tag) => {
    const about = typescript.isJSDocParameterTag(tag) ? `${tag.name.getText()} ` : '';
    const told = typescript.getTextOfJSDocComment(tag.comment) ?? '';
    return `@${tag.tagName.text} ${about}${told}`.trimEnd();
  });
  return [text, ...tags].filter((one) => one !== '');
}
