import { join } from 'node:path';
import ts from 'typescript';

const ROOT = join(import.meta.dirname, '../..');

/**
 * What a package exports, as its types say it: every declaration without comments, by name. What it passes on of another
 * package is only named. Its diff is what a change means for whoever uses the package.
 */
export function apiReport(name: string): string {
  const source = join(ROOT, 'packages', name, 'src');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    { ...config.compilerOptions, noEmit: false, declaration: true, emitDeclarationOnly: true, rootDir: join(ROOT, 'packages') },
    ROOT,
  );
  const index = join(source, 'index.ts');
  const program = ts.createProgram([index], options);
  const emitted = new Map<string, ts.SourceFile>();
  program.emit(undefined, (file, text) => emitted.set(file, ts.createSourceFile(file, text, ts.ScriptTarget.ES2022)));
  const checker = program.getTypeChecker();
  const module = checker.getSymbolAtLocation(program.getSourceFile(index) as ts.SourceFile);
  if (!module) throw new Error(`${index} exports nothing`);
  const exported = checker.getExportsOfModule(module).sort((a, b) => (a.name < b.name ? -1 : 1));
  return exported
    .map((symbol) => {
      const original = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const file = original.declarations?.[0]?.getSourceFile().fileName ?? '';
      if (!file.startsWith(source)) return `// ${symbol.name}: of another package\n`;
      const declarations = emitted.get(file.replace(/\.ts$/, '.d.ts'));
      if (!declarations) throw new Error(`there are no types of ${file}`);
      return declarationsOf(declarations, symbol.name);
    })
    .join('\n');
}

function declarationsOf(file: ts.SourceFile, name: string): string {
  const printer = ts.createPrinter({ removeComments: true });
  const found = file.statements.filter((statement) => namesOf(statement).includes(name));
  if (found.length === 0) throw new Error(`${file.fileName} does not declare ${name}`);
  return found.map((statement) => `${printer.printNode(ts.EmitHint.Unspecified, statement, file)}\n`).join('');
}

function namesOf(statement: ts.Statement): readonly string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => (ts.isIdentifier(name) ? name.text : ''));
  const named = ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement) || ts.isInterfaceDeclaration(statement);
  if (named || ts.isTypeAliasDeclaration(statement)) return statement.name ? [statement.name.text] : [];
  return [];
}
