import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/** What the comments in the sources say of one exported schema. */
export interface Commented {
  readonly text: string | undefined;
  /** By property, nested ones as `timeline.attempts`. */
  readonly properties: ReadonlyMap<string, string>;
  /** The schema that it is made from, whose properties it takes over. */
  readonly base: string | undefined;
}

/**
 * The comments of every exported constant in a folder of sources, by name. A comment is where a reader of the code
 * looks; taking the document's descriptions from there keeps them out of the bundles and in one place.
 */
export function readComments(folder: string): Map<string, Commented> {
  const found = new Map<string, Commented>();
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    const source = ts.createSourceFile(file, readFileSync(join(folder, file), 'utf8'), ts.ScriptTarget.Latest, true);
    for (const statement of source.statements.filter((each) => ts.isVariableStatement(each))) {
      const [declaration] = statement.declarationList.declarations;
      if (declaration?.initializer === undefined || !ts.isIdentifier(declaration.name)) continue;
      const properties = new Map<string, string>();
      collect(declaration.initializer, [], properties);
      found.set(declaration.name.text, { text: textOf(statement), properties, base: baseOf(declaration.initializer) });
    }
  }
  return found;
}

/** The comment of a schema or of one of its properties, its own or that of what it is made from. */
export function commentOf(comments: ReadonlyMap<string, Commented>, schema: string, property?: string): string | undefined {
  const commented = comments.get(schema);
  if (commented === undefined) return undefined;
  const own = property === undefined ? commented.text : commented.properties.get(property);
  return own ?? (commented.base && commentOf(comments, commented.base, property));
}

function collect(node: ts.Node, path: readonly string[], into: Map<string, string>): void {
  ts.forEachChild(node, (child) => {
    if (!ts.isPropertyAssignment(child) || !ts.isIdentifier(child.name)) return collect(child, path, into);
    const inner = [...path, child.name.text];
    const text = textOf(child);
    if (text !== undefined) into.set(inner.join('.'), text);
    collect(child.initializer, inner, into);
  });
}

/** `taskViewSchema` of `taskViewSchema.omit({…}).extend({…})`, and `PRIORITIES` of `z.enum(PRIORITIES)`. */
function baseOf(node: ts.Node): string | undefined {
  if (ts.isPropertyAccessExpression(node)) return baseOf(node.expression);
  if (ts.isCallExpression(node)) return baseOf(node.expression) ?? node.arguments.map(baseOf)[0];
  return ts.isIdentifier(node) && node.text !== 'z' ? node.text : undefined;
}

function textOf(node: ts.Node): string | undefined {
  const docs = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const parts = docs.flatMap((doc) => [
    ts.getTextOfJSDocComment(doc.comment) ?? '',
    ...(doc.tags ?? []).map((tag) => {
      const text = ts.getTextOfJSDocComment(tag.comment) ?? '';
      return tag.tagName.text === 'default' ? `Default: ${text}.` : text;
    }),
  ]);
  // Lists keep their lines, the rest is one.
  const text = parts
    .join(' ')
    .replace(/\n(?!- )/g, ' ')
    .trim();
  return text === '' ? undefined : text;
}
