import type ts from 'typescript6';

/** A name a cell declares. A variable can be assigned by later cells; a type has no value. */
export interface DeclaredName {
  name: string;
  kind: 'variable' | 'value' | 'type';
  isExported: boolean;
}

/** The names a cell declares at its top level, and all names it mentions. */
export interface CellNames {
  declared: DeclaredName[];
  used: Set<string>;
}

/** Reads the names of a cell from its syntax alone. */
export function namesOf(typescript: typeof ts, source: string): CellNames {
  const file = typescript.createSourceFile('cell.ts', source, typescript.ScriptTarget.ESNext, false);
  const declared = new Map<string, DeclaredName>();
  const used = new Set<string>();

  const declare = (name: string, kind: DeclaredName['kind'], isExported: boolean) => {
    const known = declared.get(name);
    // a name may be a type and a value at once; then it is imported, not declared
    declared.set(
      name,
      known
        ? { name, kind: 'value', isExported: known.isExported || isExported }
        : { name, kind, isExported },
    );
  };
  const declarePattern = (binding: ts.BindingName, kind: DeclaredName['kind'], isExported: boolean) => {
    if (typescript.isIdentifier(binding)) declare(binding.text, kind, isExported);
    else {
      for (const element of binding.elements) {
        if (!typescript.isOmittedExpression(element)) declarePattern(element.name, kind, isExported);
      }
    }
  };
  const declareVariables = (list: ts.VariableDeclarationList, isExported: boolean) => {
    const isConstant =
      (list.flags & typescript.NodeFlags.BlockScoped) !== typescript.NodeFlags.Let &&
      (list.flags & typescript.NodeFlags.BlockScoped) !== 0;
    for (const one of list.declarations)
      declarePattern(one.name, isConstant ? 'value' : 'variable', isExported);
  };

  for (const statement of file.statements) {
    const isExported =
      typescript.canHaveModifiers(statement) &&
      (typescript.getModifiers(statement) ?? []).some(
        (one) => one.kind === typescript.SyntaxKind.ExportKeyword,
      );
    if (typescript.isVariableStatement(statement)) declareVariables(statement.declarationList, isExported);
    else if (typescript.isInterfaceDeclaration(statement) || typescript.isTypeAliasDeclaration(statement)) {
      declare(statement.name.text, 'type', isExported);
    } else if (
      typescript.isFunctionDeclaration(statement) ||
      typescript.isClassDeclaration(statement) ||
      typescript.isEnumDeclaration(statement)
    ) {
      if (statement.name) declare(statement.name.text, 'value', isExported);
    } else if (typescript.isModuleDeclaration(statement) && typescript.isIdentifier(statement.name)) {
      if (statement.name.text !== 'global') declare(statement.name.text, 'value', isExported);
    } else if (typescript.isImportEqualsDeclaration(statement)) {
      declare(statement.name.text, 'value', isExported);
    } else if (typescript.isImportDeclaration(statement) && statement.importClause) {
      const { name, namedBindings } = statement.importClause;
      if (name) declare(name.text, 'value', false);
      if (namedBindings && typescript.isNamespaceImport(namedBindings)) {
        declare(namedBindings.name.text, 'value', false);
      } else if (namedBindings) {
        for (const element of namedBindings.elements) declare(element.name.text, 'value', false);
      }
    } else if (
      typescript.isExportDeclaration(statement) &&
      statement.exportClause &&
      typescript.isNamedExports(statement.exportClause)
    ) {
      for (const element of statement.exportClause.elements) {
        const known = declared.get(element.name.text);
        if (known) declared.set(known.name, { ...known, isExported: true });
      }
    }
  }
  // `var` below the top level belongs to the cell too
  const visit = (node: ts.Node, isTop: boolean) => {
    if (typescript.isIdentifier(node)) used.add(node.text);
    const isNested =
      isTop &&
      !typescript.isFunctionLike(node) &&
      !typescript.isModuleBlock(node) &&
      !typescript.isClassLike(node);
    if (
      isNested &&
      typescript.isVariableDeclarationList(node) &&
      (node.flags & typescript.NodeFlags.BlockScoped) === 0
    ) {
      for (const one of node.declarations) {
        if (typescript.isIdentifier(one.name) && !declared.has(one.name.text))
          declare(one.name.text, 'variable', false);
      }
    }
    typescript.forEachChild(node, (child) => visit(child, isNested));
  };
  visit(file, true);
  return { declared: [...declared.values()], used };
}
