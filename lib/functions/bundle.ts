import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { dirname, join } from 'node:path';

/** CommonJS packages inside an ES module still call `require`. A global, so that it collides with no declaration. */
export const REQUIRE_BANNER =
  "import{createRequire as sluiceCreateRequire}from'node:module';globalThis.require??=sluiceCreateRequire(import.meta.url);";

/** What `node` of {@link NODE_RUNTIME} runs. */
const TARGET = 'node24';

/** Packages of the AWS SDK whose stand-ins, of the same names in {@link SLIM}, do for the platform's own functions. */
export const SLIM_PACKAGES = [
  'client-dynamodb',
  'client-eventbridge',
  'client-lambda',
  'client-s3',
  'client-sqs',
  'lib-dynamodb',
  's3-request-presigner',
] as const;

const SLIM = join(import.meta.dirname, '..', '..', 'adapters', 'aws', 'slim');

export interface BundleOptions {
  /**
   * Puts stand-ins that make the platform's calls of AWS and no others in the place of the SDK's clients. Whatever else
   * the code wants of the SDK's clients fails to bundle.
   * @default false
   */
  readonly slimClients?: boolean;
}

/** Bundles a Node function as one minified ES module, `index.mjs`, with its source map. */
export function bundle(entry: string, outputDir: string, options: BundleOptions = {}): void {
  buildSync({
    entryPoints: [entry],
    outfile: join(outputDir, 'index.mjs'),
    bundle: true,
    minify: true,
    platform: 'node',
    target: TARGET,
    format: 'esm',
    mainFields: ['module', 'main'],
    alias: options.slimClients ? Object.fromEntries(SLIM_PACKAGES.map((name) => [`@aws-sdk/${name}`, join(SLIM, `${name}.ts`)])) : {},
    // Stack traces need lines, not the text of the sources.
    sourcemap: true,
    sourcesContent: false,
    banner: { js: REQUIRE_BANNER },
    logLevel: 'warning',
  });
}

/** The code of a Node function. Bundled inside this process: starting a bundler for each function takes longer than its work. */
export function bundledCode(entry: string, options: BundleOptions = {}): Code {
  return Code.fromAsset(dirname(entry), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry('scratch'),
      // CDK reuses an asset of the same folder and options, and can't see into `local`: two entries in one folder would
      // get the code of the first.
      environment: { ENTRY: entry, OPTIONS: JSON.stringify(options) },
      local: {
        tryBundle: (outputDir) => {
          bundle(entry, outputDir, options);
          return true;
        },
      },
    },
  });
}
