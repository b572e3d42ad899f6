import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { build, type Plugin } from 'esbuild';

export interface BundleCacheOptions {
  /** Sources outside of this folder, and packages in it, are taken as unchanging. */
  readonly root: string;
  /** Where bundles are kept. */
  readonly directory: string;
  /** The modules of the app that are loaded now: they say how bundles are made. */
  readonly appModules: () => Iterable<string>;
}

/** The part of CDK's `AssetStaging` that makes a bundle. */
interface Stage {
  readonly node: { readonly path: string };
  readonly sourcePath: string;
  bundle?: (this: Stage, options: BundlingOptions, directory: string) => void;
}

/** The options of a bundle; which file it begins with is said by ours, or by those of CDK's `NodejsFunction`. */
interface BundlingOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly relativeEntryPath?: string;
}

/** What a kept bundle was made of: the state of each file by its path. */
interface Kept {
  readonly inputs: Readonly<Record<string, string>>;
}

/** A bundle that was made in this round, of whose inputs nothing is known yet. */
interface Made {
  readonly key: string;
  readonly entry: string;
}

/** Files that decide about bundles without being part of one. */
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json'];

/**
 * Keeps the bundles of one synthesis for the next. A bundle is used again when its options, the app and every source file
 * that it was made of are what they were; otherwise, and whenever anything is not as expected, CDK makes it as ever.
 */
export class BundleCache {
  private readonly options: BundleCacheOptions;
  private made: Made[] = [];
  /** When the round began, ms since the epoch. */
  private began = 0;

  constructor(options: BundleCacheOptions) {
    this.options = options;
    mkdirSync(options.directory, { recursive: true });
  }

  /** Puts itself before CDK's own method, which is private: where a later CDK has none of that name nothing is kept. */
  install(stage: object): void {
    const target = stage as Stage;
    const original = target.bundle;
    if (original === undefined) return;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- `this` of the method below is CDK's
    const cache = this;
    target.bundle = function (this: Stage, options, directory) {
      const entry = entryOf(this, options);
      const key = entry === undefined ? undefined : keyOf(this, entry, options);
      if (entry === undefined || key === undefined) return original.call(this, options, directory);
      if (cache.restore(key, directory)) return;
      original.call(this, options, directory);
      cache.keep({ key, entry }, directory);
    };
  }

  /** Begins a round. */
  begin(): void {
    this.made = [];
    this.began = Date.now();
  }

  /** Finds out what the new bundles were made of; until then they are not used again. */
  async learn(): Promise<void> {
    const { made, began } = this;
    const { root, appModules } = this.options;
    this.made = [];
    // Now: the next round may begin before this is done.
    const app = stateOf([...SETTINGS.map((name) => join(root, name)), ...appModules()]);
    for (const { key, entry } of made) {
      try {
        const inputs = { ...app, ...stateOf(await sourcesOf(entry, root)) };
        // A file that was written since the round began may be in the bundle as it was or as it is.
        if (Object.keys(inputs).some((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= began)) continue;
        writeFileSync(this.recordOf(key), JSON.stringify({ inputs } satisfies Kept));
      } catch {
        // It is bundled again.
      }
    }
  }

  private restore(key: string, directory: string): boolean {
    const record = this.recordOf(key);
    if (!existsSync(record)) return false;
    const { inputs } = JSON.parse(readFileSync(record, 'utf8')) as Kept;
    // A module that is new to the app is imported by one that is not: its importer has changed.
    if (Object.entries(inputs).some(([path, state]) => stateOfFile(path) !== state)) return false;
    linkTree(this.folderOf(key), directory);
    return true;
  }

  private keep(made: Made, directory: string): void {
    rmSync(this.recordOf(made.key), { force: true });
    rmSync(this.folderOf(made.key), { recursive: true, force: true });
    linkTree(directory, this.folderOf(made.key));
    this.made.push(made);
  }

  private folderOf(key: string): string {
    return join(this.options.directory, key);
  }

  private recordOf(key: string): string {
    return join(this.options.directory, `${key}.json`);
  }
}

function entryOf({ sourcePath }: Stage, { environment, relativeEntryPath }: BundlingOptions): string | undefined {
  return environment?.['ENTRY'] ?? (relativeEntryPath === undefined ? undefined : resolve(sourcePath, relativeEntryPath));
}

/** Undefined when the options cannot be written down: such a bundle is not kept. */
function keyOf({ node }: Stage, entry: string, options: BundlingOptions): string | undefined {
  try {
    return createHash('sha256')
      .update(JSON.stringify([node.path, entry, options]))
      .digest('hex')
      .slice(0, 32);
  } catch {
    return undefined;
  }
}

/** The files below the root, packages left out, that a bundle of the entry is made of, those without code in it included. */
async function sourcesOf(entry: string, root: string): Promise<string[]> {
  const { metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    logLevel: 'silent',
    plugins: [withoutPackages],
  });
  return Object.keys(metafile.inputs).map((path) => resolve(root, path));
}

/** Leaves packages out by where they are, not by their names: workspaces have names too. */
const withoutPackages: Plugin = {
  name: 'without-packages',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^./]/ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === 'found') return undefined;
      const found = await bundler.resolve(path, { resolveDir, kind, pluginData: 'found' });
      const isPackage = found.errors.length > 0 || found.external || found.path.includes(`${sep}node_modules${sep}`);
      return isPackage ? { path, external: true } : found;
    });
  },
};

function stateOf(paths: Iterable<string>): Record<string, string> {
  return Object.fromEntries([...paths].map((path) => [path, stateOfFile(path)]));
}

function stateOfFile(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? 'gone' : `${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

/** The same files in another folder, without their bytes a second time where the file system can. */
function linkTree(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      linkTree(source, target);
      continue;
    }
    try {
      linkSync(source, target);
    } catch {
      copyFileSync(source, target);
    }
  }
}
