import ts from 'typescript';
import { placeOf } from './pages.ts';
import { DOCUMENTED_URL, PRELUDE } from './prelude.ts';
import type { Snippet } from './snippet.ts';

export type Scope = Readonly<Record<string, unknown>>;

type Body = (require: (module: string) => unknown, ...names: unknown[]) => Promise<Scope>;
const AsyncFunction = Object.getPrototypeOf(async () => undefined).constructor as new (...args: string[]) => Body;

/**
 * Runs a snippet.
 * @param of the scopes that earlier snippets came to
 * @param given names of the prelude that are of this run
 * @returns its own names with their values
 * @throws Error with the place of the block, caused by what it threw
 */
export async function runSnippet(snippet: Snippet, of: ReadonlyMap<Snippet, Scope>, given: Scope): Promise<Scope> {
  const takes = [...snippet.takes];
  const values = takes.map(([name, from]) => {
    if (from === 'prelude') return given[name] ?? (PRELUDE as Scope)[name];
    const scope = of.get(from);
    if (!scope) throw new Error(`${placeOf(snippet.block)} needs ${name} of ${placeOf(from.block)}, which is not run`);
    return scope[name];
  });
  const modules = new Map<string, unknown>();
  for (const name of snippet.modules) modules.set(name, await import(name));
  try {
    const run = new AsyncFunction('require', ...takes.map(([name]) => name), scriptOf(snippet, given));
    return await run((name) => modules.get(name), ...values);
  } catch (cause) {
    throw new Error(`${placeOf(snippet.block)}: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`, { cause });
  }
}

/** The snippet as the body of a function that returns its names. What it exports it declares, and no more. */
function scriptOf({ code, values }: Snippet, given: Scope): string {
  const url = typeof given['baseUrl'] === 'string' ? given['baseUrl'] : DOCUMENTED_URL;
  const plain = code.replaceAll(/^export (?=const|function|async|class|interface|type)/gm, '').replaceAll(DOCUMENTED_URL, url);
  const options: ts.CompilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2024 };
  const { outputText } = ts.transpileModule(`${plain}\nreturn { ${values.join(', ')} };`, { compilerOptions: options });
  return outputText.replaceAll(/^(Object\.defineProperty\(exports|exports\.).*$/gm, '');
}
