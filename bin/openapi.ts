import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { readCommandLine } from './command-line.ts';
import { documentText, FILE } from './openapi/file.ts';

const USAGE = `Writes the OpenAPI document of the API, made from the contracts, to packages/contracts/openapi.json.

  npm run openapi -- [--check]

  --check  writes nothing, and fails when the file is not up to date`;

const { values } = readCommandLine(USAGE, { check: { type: 'boolean' } });
if (!values.check) {
  writeFileSync(FILE, await documentText());
} else if (!existsSync(FILE) || readFileSync(FILE, 'utf8') !== (await documentText())) {
  console.error('packages/contracts/openapi.json is not what the contracts say; run: npm run openapi');
  process.exitCode = 1;
}
