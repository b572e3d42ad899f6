import { registerHooks } from 'node:module';
import { sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AssetStaging } from 'aws-cdk-lib';
import { BundleCache } from './bundle-cache.ts';
import type { SynthAnswer, SynthRequest } from './synthesiser.ts';

// The process that synthesises an app again and again. CDK stays loaded; the app's own modules are loaded anew each time.

/** Bytes of JavaScript heap after which the process asks for a successor: modules that were loaded never go. */
const MAX_HEAP_BYTES = 768 * 1024 * 1024;

const [root = '', cacheDirectory = ''] = process.argv.slice(2);
let round = 0;
const ownModules = new Set<string>();

registerHooks({
  resolve(specifier, context, nextResolve) {
    const resolved = nextResolve(specifier, context);
    if (!resolved.url.startsWith('file:') || resolved.url.includes('?')) return resolved;
    const path = fileURLToPath(resolved.url);
    if (!path.startsWith(root + sep) || path.includes(`${sep}node_modules${sep}`)) return resolved;
    ownModules.add(path);
    // Another address is another module.
    return { ...resolved, url: `${resolved.url}?round=${round}` };
  },
});

const cache = new BundleCache({ root, directory: cacheDirectory, appModules: () => ownModules });
cache.install(AssetStaging.prototype);

let last = Promise.resolve();
process.on('message', (request: SynthRequest) => {
  last = last.then(async () => answer(await synthesise(request)));
});
process.on('disconnect', () => process.exit());
// Ctrl-C reaches every process of the terminal; this one ends with the one that started it.
process.on('SIGINT', () => undefined);

async function synthesise({ app, out, context }: SynthRequest): Promise<SynthAnswer> {
  round += 1;
  ownModules.clear();
  Object.assign(process.env, { CDK_OUTDIR: out, CDK_CONTEXT_JSON: JSON.stringify(context) });
  process.exitCode = 0;
  try {
    cache.begin();
    await import(`${pathToFileURL(app).href}?round=${round}`);
    // An app that was started by the CLI writes its assembly when nothing is left to do.
    process.emit('beforeExit', 0);
    if (process.exitCode !== 0) throw new Error('the app ended with an error');
    return { ok: true };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  } finally {
    process.removeAllListeners('beforeExit');
    AssetStaging.clearAssetHashCache();
  }
}

function answer(given: SynthAnswer): void {
  const worn = process.memoryUsage().heapUsed > MAX_HEAP_BYTES;
  process.send?.({ ...given, worn } satisfies SynthAnswer);
  // After the answer: nobody waits for what only the next round needs.
  void cache.learn();
}
