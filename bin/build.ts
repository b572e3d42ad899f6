import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import ts from 'typescript';
import { readCommandLine } from './command-line.ts';

const USAGE = `Builds the packages for the registry: JavaScript, types, source, README and licence of each.

  npm run build -- [--out dist/packages]

  --out  one folder for each package goes there; each can be packed with npm pack. It must be inside the repository:
         the compiler looks there for what the packages depend on`;

const ROOT = resolve(import.meta.dirname, '..');

interface Package {
  readonly folder: string;
  /** Of TypeScript, beside the language's own: what its code may take for granted where it runs. */
  readonly lib: readonly string[];
  readonly types: readonly string[];
}

/** In the order of their dependencies. Those that run in browsers see no type of Node. */
const PACKAGES: readonly Package[] = [
  { folder: 'contracts', lib: ['dom'], types: [] },
  { folder: 'client', lib: ['dom', 'dom.iterable'], types: [] },
  { folder: 'handler', lib: [], types: ['node'] },
];

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  /** In the workspace: `.` is the source, and what else there is are files that are published as they are. */
  readonly exports: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The source does not compile; the message has each error with its place. */
class BuildError extends Error {}

/** @throws BuildError */
function compile({ folder, lib, types }: Package, outDir: string, packagesDir: string): void {
  const source = join(ROOT, 'packages', folder, 'src');
  const { config } = ts.readConfigFile(join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(
    {
      ...config.compilerOptions,
      noEmit: false,
      allowImportingTsExtensions: false,
      rewriteRelativeImportExtensions: true,
      // What Node 20 has: code that needs more does not compile.
      target: 'es2022',
      lib: ['es2023', 'es2024.string', ...lib],
      types,
      rootDir: source,
      outDir: join(outDir, 'dist'),
      declaration: true,
      declarationMap: true,
      sourceMap: true,
      // The maps lead to the source in the package itself.
      sourceRoot: '../src/',
      // As it will be installed, not as it is in this repository.
      paths: { '@sluice/contracts': [join(packagesDir, 'contracts/dist/index.d.ts')] },
    },
    ROOT,
  );
  const program = ts.createProgram([join(source, 'index.ts')], options);
  // In declarations the compiler leaves the names of the source files.
  const writeFile: ts.WriteFileCallback = (file, text) =>
    ts.sys.writeFile(file, file.endsWith('.d.ts') ? text.replace(/(["'])(\.{1,2}\/[^"'\n]+)\.ts\1/g, '$1$2.js$1') : text);
  const { diagnostics } = program.emit(undefined, writeFile);
  const errors = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
  if (errors.length === 0) return;
  const host = { getCanonicalFileName: (file: string) => file, getCurrentDirectory: () => ROOT, getNewLine: () => '\n' };
  throw new BuildError(ts.formatDiagnostics(errors, host));
}

/** What is published of a manifest: what the workspace needs is not in it. */
function publishedManifest(manifest: Manifest, engines: object): object {
  const { name, version, description, license, dependencies = {} } = manifest;
  const files = filesOf(manifest);
  return {
    name,
    version,
    description,
    license,
    type: 'module',
    engines,
    sideEffects: false,
    exports: {
      '.': { types: './dist/index.d.ts', default: './dist/index.js' },
      ...files,
      './package.json': './package.json',
    },
    // For tools that do not know exports.
    main: './dist/index.js',
    types: './dist/index.d.ts',
    files: ['dist', 'src', ...Object.values(files).map((file) => file.slice('./'.length))],
    dependencies: Object.fromEntries(Object.entries(dependencies).map(([other, range]) => [other, publishedRange(other, range)])),
    publishConfig: { access: 'public' },
  };
}

/** What is published beside the code, by its export. */
function filesOf({ exports }: Manifest): Readonly<Record<string, string>> {
  const { '.': _, ...files } = exports;
  return files;
}

/** Ours belong together in one version; others are pinned here to be tested with, and may be newer where they are used. */
function publishedRange(name: string, version: string): string {
  return name.startsWith('@sluice/') ? version : `^${version}`;
}

function build(packagesDir: string): void {
  const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { engines: object };
  for (const one of PACKAGES) {
    const from = join(ROOT, 'packages', one.folder);
    const to = join(packagesDir, one.folder);
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to, { recursive: true });
    compile(one, to, packagesDir);
    const manifest = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as Manifest;
    writeFileSync(join(to, 'package.json'), `${JSON.stringify(publishedManifest(manifest, engines), undefined, 2)}\n`);
    cpSync(join(from, 'src'), join(to, 'src'), { recursive: true });
    cpSync(join(ROOT, 'LICENSE'), join(to, 'LICENSE'));
    for (const file of ['README.md', ...Object.values(filesOf(manifest))]) cpSync(join(from, file), join(to, file));
    console.log(`${manifest.name} ${manifest.version} is in ${to}`);
  }
}

/** @returns the exit code: 0, 1 when the source does not compile */
function main(): number {
  const { values } = readCommandLine(USAGE, { out: { type: 'string' } });
  try {
    build(resolve(values.out ?? join(ROOT, 'dist/packages')));
    return 0;
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    console.error(error.message);
    return 1;
  }
}

process.exitCode = main();
