import { join } from 'node:path';
import ts from 'typescript';

/** The repository's program from these files on, with the repository's own settings. */
export function createProgram(root: string, files: readonly string[]): ts.Program {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => ts.sys.readFile(path));
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return ts.createProgram([...files], options);
}
