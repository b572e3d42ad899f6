import { join } from 'node:path';
import ts from 'typescript';
import { placeOf, ROOT } from './pages.ts';
import type { Snippet } from './snippet.ts';

/** What the type checker says of snippets, each fault at its place on the page; empty when nothing is wrong. */
export function typeFaults(snippets: readonly Snippet[]): string[] {
  const files = new Map(snippets.map((snippet) => [fileOf(snippet), snippet]));
  const options = optionsOfRoot();
  const host = ts.createCompilerHost(options);
  const program = ts.createProgram([...files.keys()], options, {
    ...host,
    fileExists: (name) => files.has(name) || host.fileExists(name),
    readFile: (name) => sourceOf(files.get(name)) ?? host.readFile(name),
    getSourceFile: (name, target, ...rest) => {
      const source = sourceOf(files.get(name));
      return source === undefined ? host.getSourceFile(name, target, ...rest) : ts.createSourceFile(name, source, target);
    },
  });
  return [...files].flatMap(([name, { block }]) => {
    const file = program.getSourceFile(name);
    if (!file) throw new Error(`${name} is no part of the program`);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(({ start = 0, messageText }) => {
      const line = block.line + 1 + file.getLineAndCharacterOfPosition(start).line;
      return `${placeOf({ page: block.page, line })}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
    });
  });
}

/** The rules of the repository, but that a snippet may declare what nobody uses. */
function optionsOfRoot(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: Record<string, unknown> };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  return { ...options, noUnusedLocals: false, noUnusedParameters: false, verbatimModuleSyntax: false };
}

/** A name beside the root's own files, so that modules are found from there. No such file is written. */
function fileOf({ block }: Snippet): string {
  return join(ROOT, `${block.page.replaceAll('/', '-')}-${block.line}.ts`);
}

/** The snippet as a module: what it takes is in front of its first line, and all of its names are exported. */
function sourceOf(snippet: Snippet | undefined): string | undefined {
  if (!snippet) return undefined;
  const given: string[] = [];
  const head = [...snippet.takes].map(([name, from]) => {
    if (from !== 'prelude') return `import { ${name} } from ${JSON.stringify(fileOf(from))};`;
    given.push(name);
    return '';
  });
  const prelude = `import type { PRELUDE, RunNames } from ${JSON.stringify(join(import.meta.dirname, 'prelude.ts'))};declare const prelude: typeof PRELUDE & RunNames;`;
  if (given.length > 0) head.push(prelude, `const { ${given.join(', ')} } = prelude;`);
  const exports = snippet.names.filter((name) => !snippet.exported.includes(name));
  return `${head.join('')}${snippet.code}\nexport { ${exports.join(', ')} };\n`;
}
