import { build, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { readAssembly } from '../../../local/assembly/read.ts';
import { REQUIRE_BANNER, SLIM_PACKAGES } from '../../../lib/functions/bundle.ts';
import { SHORTER } from '../app/shorter.ts';
import { functionEntries, type CommandCall, type PortCall, type Scan } from './scan.ts';

const TAGGING = join(import.meta.dirname, 'tagging.ts');

/** Text to put in the place of a part of a source. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: (source: string) => string;
}

/**
 * Bundles the platform's functions of a synthesised assembly once more in their places, from the same sources and with the
 * same clients, but so that each request tells by its headers which of the scanned call sites it comes from.
 *
 * @param platform the platform's name: the prefix of its functions' names
 */
export async function instrumentFunctions(root: string, assembly: string, platform: string, scanned: Scan): Promise<void> {
  const folders = await codeFolders(assembly);
  const plugin = taggingPlugin(root, scanned);
  const slim = join(root, 'adapters/aws/slim');
  await Promise.all(
    [...functionEntries(root)].map(([name, entry]) => {
      const folder = folders.get(`${platform}-${name}`);
      if (folder === undefined) throw new Error(`the assembly has no function ${platform}-${name}`);
      return build({
        entryPoints: [entry],
        outfile: join(folder, 'index.mjs'),
        bundle: true,
        minify: true,
        platform: 'node',
        target: 'node24',
        format: 'esm',
        mainFields: ['module', 'main'],
        alias: Object.fromEntries(SLIM_PACKAGES.map((each) => [`@aws-sdk/${each}`, join(slim, `${each}.ts`)])),
        sourcemap: true,
        sourcesContent: false,
        banner: { js: REQUIRE_BANNER },
        plugins: [plugin],
        logLevel: 'warning',
      });
    }),
  );
}

/** The folder of each function's code, by the function's name. */
async function codeFolders(directory: string): Promise<ReadonlyMap<string, string>> {
  const { stacks, assets } = await readAssembly(directory);
  const folders = new Map<string, string>();
  for (const { template } of stacks) {
    for (const { Type: type, Properties: properties = {} } of Object.values(template.Resources ?? {})) {
      if (type !== 'AWS::Lambda::Function') continue;
      const { S3Key: key } = properties['Code'] as { S3Key?: string };
      const asset = assets.get(key ?? '');
      if (asset !== undefined) folders.set(String(properties['FunctionName']), asset.path);
    }
  }
  return folders;
}

function taggingPlugin(root: string, { ports, commands }: Scan): Plugin {
  const edits = new Map<string, Edit[]>();
  const add = (file: string, ...own: Edit[]): void => void edits.set(file, [...(edits.get(file) ?? []), ...own]);
  for (const port of ports) add(port.file, ofPort(port));
  for (const command of commands) add(command.file, ...ofCommand(command));
  for (const time of SHORTER) add(time.file, ofTime(root, time));
  return {
    name: 'tag-call-sites',
    setup: (bundling) => {
      bundling.onLoad({ filter: /\/(functions|core|adapters)\/.*\.ts$/ }, ({ path }) => {
        const own = edits.get(relative(root, path));
        if (own === undefined) return undefined;
        // On the first line, so that stack traces keep their lines.
        const tags = `import { sluicePort, sluiceCommand, sluiceFetch } from ${JSON.stringify(TAGGING)}; `;
        return { contents: tags + edited(readFileSync(path, 'utf8'), own), loader: 'ts' };
      });
    },
  };
}

/** `deps.tasks.update(…)` becomes `sluicePort("…", deps.tasks, "update")(…)`. */
function ofPort({ id, object, method, callee: { start, end } }: PortCall): Edit {
  const text = (source: string): string =>
    object === undefined
      ? `sluiceFetch(${JSON.stringify(id)}, ${source.slice(start, end)})`
      : `sluicePort(${JSON.stringify(id)}, ${source.slice(object.start, object.end)}, ${JSON.stringify(method)})`;
  return { start, end, text };
}

/** `new GetCommand(…)` becomes `sluiceCommand("…", new GetCommand(…))`. */
function ofCommand({ id, span: { start, end } }: CommandCall): Edit[] {
  return [
    { start, end: start, text: () => `sluiceCommand(${JSON.stringify(id)}, ` },
    { start: end, end, text: () => ')' },
  ];
}

/** `LEASE_MS = 60_000` becomes `LEASE_MS = 9_000`. */
function ofTime(root: string, { file, from, to }: (typeof SHORTER)[number]): Edit {
  const start = readFileSync(join(root, file), 'utf8').indexOf(from);
  if (start < 0) throw new Error(`${file} has no ${from}: see test/faults/app/shorter.ts`);
  return { start, end: start + from.length, text: () => to };
}

function edited(source: string, edits: readonly Edit[]): string {
  let text = '';
  let from = 0;
  for (const { start, end, text: made } of edits.toSorted((a, b) => a.start - b.start)) {
    text += source.slice(from, start) + made(source);
    from = end;
  }
  return text + source.slice(from);
}
