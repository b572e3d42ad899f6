import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';
import { dirname, join } from 'node:path';

/** CommonJS packages inside an ES module still call `require`. A global, so that it collides with no declaration. */
export const REQUIRE_BANNER =
  "import{createRequire as sluiceCreateRequire}from'node:module';globalThis.require??=sluiceCreateRequire(import.meta.url);";

/** What `node` of {@link NODE_RUNTIME} runs. */
const TARGET = 'node24';

/**
 * The code of a Node function as one minified ES module. Bundled inside this process: starting a bundler for each
 * function takes longer than its work.
 */
export function bundledCode(entry: string): Code {
  return Code.fromAsset(dirname(entry), {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the local bundling below always succeeds or throws.
      image: DockerImage.fromRegistry('scratch'),
      // CDK reuses an asset of the same folder and options, and can't see into `local`: two entries in one folder would
      // get the code of the first.
      environment: { ENTRY: entry },
      local: {
        tryBundle: (outputDir) => {
          buildSync({
            entryPoints: [entry],
            outfile: join(outputDir, 'index.mjs'),
            bundle: true,
            minify: true,
            platform: 'node',
            target: TARGET,
            format: 'esm',
            mainFields: ['module', 'main'],
            // Stack traces need lines, not the text of the sources.
            sourcemap: true,
            sourcesContent: false,
            banner: { js: REQUIRE_BANNER },
            logLevel: 'warning',
          });
          return true;
        },
      },
    },
  });
}
