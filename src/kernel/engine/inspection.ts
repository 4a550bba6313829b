import type ts from 'typescript6';
import { writtenDocumentation } from './documentation.ts';
import type { Inspection } from './index.ts';

/** The signature and documentation of the name at an offset or, after an opening parenthesis, of what is called. */
export function inspectionAt(
  typescript: typeof ts,
  service: ts.LanguageService,
  file: string,
  source: string,
  offset: number,
): Inspection | undefined {
  const text = (parts: ts.SymbolDisplayPart[] | undefined) => typescript.displayPartsToString(parts);
  for (const place of [offset, offset - 1]) {
    if (place < 0 || place > source.length) continue;
    const info = service.getQuickInfoAtPosition(file, place);
    if (!info?.displayParts?.length) continue;
    const tags = (info.tags ?? []).map((tag) => `@${tag.name} ${text(tag.text)}`.trimEnd());
    const documentation = [text(info.documentation), ...tags].filter((one) => one !== '').join('\n');
    return {
      signature: withoutCellFiles(text(info.displayParts)),
      documentation: documentation || documentationAt(typescript, service, file, place),
    };
  }
  const help = service.getSignatureHelpItems(file, offset, undefined);
  const item = help?.items[help.selectedItemIndex];
  if (!item) return undefined;
  const parameters = item.parameters
    .map((one) => text(one.displayParts))
    .join(text(item.separatorDisplayParts));
  return {
    signature: text(item.prefixDisplayParts) + parameters + text(item.suffixDisplayParts),
    documentation:
      text(item.documentation) ||
      documentationAt(typescript, service, file, source.lastIndexOf('(', help.applicableSpan.start - 1) - 1),
  };
}

/** The documentation of what is declared in a file of its own, where the types tell none. */
function documentationAt(
  typescript: typeof ts,
  service: ts.LanguageService,
  file: string,
  place: number,
): string {
  const [definition] = service.getDefinitionAtPosition(file, place) ?? [];
  return definition === undefined || definition.fileName === file
    ? ''
    : writtenDocumentation(typescript, definition);
}

function withoutCellFiles(signature: string): string {
  return signature
    .replace(/import\("[^"]*__lab_cell_\d+(?:\.ts)?"\)\./g, '')
    .replace(/^\(alias\) /, '')
    .replace(/\nimport [\w$]+$/, '');
}
