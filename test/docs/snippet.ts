import ts from 'typescript';
import { blocksIn, type Block } from './pages.ts';
import { PRELUDE_NAMES } from './prelude.ts';

/** A `ts` block, taken apart. */
export interface Snippet {
  readonly block: Block;
  /** The code, `this` at its top replaced by `stack`. */
  readonly code: string;
  /** Modules that it imports. */
  readonly modules: readonly string[];
  /** Names of its top level: those that are values at run time, and all. */
  readonly values: readonly string[];
  readonly names: readonly string[];
  /** Those of its names that it exports itself. */
  readonly exported: readonly string[];
  /** Where its other names come from: the nearest block above that has them, else the prelude. */
  readonly takes: ReadonlyMap<string, Snippet | 'prelude'>;
}

/** The `ts` blocks of a page, in order. A block sees the names of those above it, and may declare them anew. */
export function snippetsOf(page: string): Snippet[] {
  const snippets: Snippet[] = [];
  for (const block of blocksIn(page, 'ts')) {
    const file = parse(block.code);
    const { values, names, exported, modules } = topLevelOf(file);
    const used = usedIn(file);
    const takes = new Map<string, Snippet | 'prelude'>();
    for (const name of used) {
      if (names.includes(name)) continue;
      const above = snippets.findLast((other) => other.names.includes(name));
      if (above) takes.set(name, above);
      else if (PRELUDE_NAMES.has(name)) takes.set(name, 'prelude');
    }
    snippets.push({ block, code: withoutThis(file), modules, values, names, exported, takes });
  }
  return snippets;
}

/** All that a snippet needs of the prelude, through the blocks above it too. */
export function preludeNamesOf(snippet: Snippet): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, from] of snippet.takes) {
    if (from === 'prelude') found.add(name);
    else for (const inner of preludeNamesOf(from)) found.add(inner);
  }
  return found;
}

/** Whether it calls a platform: it, or a block above that it builds on, makes a client. */
export function needsPlatform(snippet: Snippet): boolean {
  return (
    ['SluiceClient', 'baseUrl', 'token'].some((name) => snippet.takes.has(name)) ||
    snippet.values.includes('SluiceClient') ||
    [...snippet.takes.values()].some((from) => from !== 'prelude' && needsPlatform(from))
  );
}

function parse(code: string): ts.SourceFile {
  return ts.createSourceFile('block.ts', code, ts.ScriptTarget.ES2024, true);
}

function topLevelOf(file: ts.SourceFile) {
  const values = new Set<string>();
  const types = new Set<string>();
  const exported = new Set<string>();
  const modules: string[] = [];
  for (const statement of file.statements) {
    const own: string[] = [];
    if (ts.isImportDeclaration(statement)) {
      modules.push((statement.moduleSpecifier as ts.StringLiteral).text);
      for (const { name, isType } of importsOf(statement.importClause)) (isType ? types : values).add(name);
    } else if (ts.isVariableStatement(statement)) {
      for (const { name } of statement.declarationList.declarations) own.push(...namesOfPattern(name));
    } else if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name) {
      own.push(statement.name.text);
    } else if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) {
      types.add(statement.name.text);
      if (isExported(statement)) exported.add(statement.name.text);
    } else if (ts.isExportDeclaration(statement) && statement.exportClause && ts.isNamedExports(statement.exportClause)) {
      for (const { name } of statement.exportClause.elements) exported.add(name.text);
    }
    for (const name of own) values.add(name);
    if (isExported(statement)) for (const name of own) exported.add(name);
  }
  return { values: [...values], names: [...new Set([...values, ...types])], exported: [...exported], modules };
}

function isExported(statement: ts.Statement): boolean {
  return ts.canHaveModifiers(statement) && (ts.getModifiers(statement) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function importsOf(clause: ts.ImportClause | undefined): { name: string; isType: boolean }[] {
  if (!clause) return [];
  const { name, namedBindings, isTypeOnly } = clause;
  const own = name ? [{ name: name.text, isType: isTypeOnly }] : [];
  if (!namedBindings) return own;
  if (ts.isNamespaceImport(namedBindings)) return [...own, { name: namedBindings.name.text, isType: isTypeOnly }];
  return [...own, ...namedBindings.elements.map((each) => ({ name: each.name.text, isType: isTypeOnly || each.isTypeOnly }))];
}

function namesOfPattern(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((each) => (ts.isOmittedExpression(each) ? [] : namesOfPattern(each.name)));
}

/** Names that are read somewhere; that of a property is none. `this` at the top is `stack`. */
function usedIn(file: ts.SourceFile): ReadonlySet<string> {
  const used = new Set<string>();
  const look = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isPropertyName(node)) used.add(node.text);
    ts.forEachChild(node, look);
  };
  look(file);
  if (topLevelThis(file).length > 0) used.add('stack');
  return used;
}

function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.name === node;
  return (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) && parent.name === node;
}

/** Where `this` stands outside of every class and function of its own. */
function topLevelThis(file: ts.SourceFile): readonly number[] {
  const found: number[] = [];
  const look = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.ThisKeyword) found.push(node.getStart(file));
    if (ts.isClassLike(node) || ts.isFunctionDeclaration(node) || ts.isFunctionExpression(node) || ts.isMethodDeclaration(node)) return;
    ts.forEachChild(node, look);
  };
  look(file);
  return found;
}

function withoutThis(file: ts.SourceFile): string {
  return topLevelThis(file).reduceRight((code, at) => `${code.slice(0, at)}stack${code.slice(at + 'this'.length)}`, file.text);
}
