import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { systemClock as clock } from '../../adapters/system.ts';
import { createMemoryTelemetry } from '../../adapters/memory/index.ts';
import { PAGES, placeOf } from '../docs/pages.ts';
import { runSnippet, type Scope } from '../docs/run.ts';
import { callsOf } from '../docs/shell.ts';
import { needsPlatform, snippetsOf, type Snippet } from '../docs/snippet.ts';
import { aws, fresh, output, target, tokenOf } from './target.ts';

/** What the pages of the documentation show, run as it stands there: each page as a tenant of its own. */
const pages = PAGES.map((page) => ({
  page,
  snippets: snippetsOf(page).filter((snippet) => needsPlatform(snippet) && snippet.block.noRun === undefined),
  calls: callsOf(page),
}));

/** A page may name a type that nobody has deployed: one that fails at once stands in for it. */
const STAND_IN = 'unruly-wait';
const OWNER = 'documentation';
const table = output('TableName');
const standIns: string[] = [];

function typesOf(codes: readonly string[]): string[] {
  return codes.flatMap((code) => [...code.matchAll(/\btype"?: ?["']([a-z0-9._-]+)["']/g)].map(([, type = '']) => type));
}

beforeAll(async () => {
  const registry = createTypeRegistry(aws.dynamodb, { table, clock, telemetry: createMemoryTelemetry() });
  const writer = createTypeWriter(aws.dynamodb, { table });
  const spec = await registry.get(STAND_IN);
  if (!spec) throw new Error(`${STAND_IN} is not deployed`);
  const deployed = await registry.names();
  const codes = pages.flatMap(({ snippets, calls }) => [...snippets.map(({ code }) => code), ...calls.map(({ code }) => code)]);
  for (const type of new Set(typesOf(codes))) {
    if (deployed.includes(type)) continue;
    await writer.put({ ...spec, type, retry: { ...spec.retry, maxAttempts: 1 } }, OWNER);
    standIns.push(type);
  }
});
afterAll(async () => {
  const writer = createTypeWriter(aws.dynamodb, { table });
  for (const type of standIns) await writer.remove(type, OWNER);
});

describe.each(pages.filter(({ snippets }) => snippets.length > 0))('TypeScript of $page', ({ snippets }) => {
  let given: Scope;
  const scopes = new Map<Snippet, Scope>();
  beforeAll(async () => {
    given = { baseUrl: target.url, token: await tokenOf(fresh('docs'), ['admin', 'platform']) };
  });
  beforeEach(() => {
    vi.stubEnv('SLUICE_URL', target.url);
    vi.stubEnv('SLUICE_TOKEN', String(given['token']));
    vi.spyOn(console, 'log').mockReturnValue();
    vi.spyOn(console, 'error').mockReturnValue();
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  test.each(snippets.map((snippet) => [snippet.block.line, snippet] as const))('runs from line %i', async (_, snippet) => {
    scopes.set(snippet, await runSnippet(snippet, scopes, given));
  });
});

describe.each(pages.filter(({ calls }) => calls.length > 0))('shell of $page', ({ calls }) => {
  /** A call that is refused ends the script, which curl alone would not. */
  const HEAD = 'set -euo pipefail\ncurl() { command curl --fail-with-body --show-error "$@"; }\n';

  test('runs as it stands, all blocks in order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
    try {
      const token = await tokenOf(fresh('docs'), ['admin', 'platform']);
      const script = HEAD + calls.map((block) => `echo "at ${placeOf(block)}" >&2\n${block.code}`).join('\n');
      // An emulator with a certificate of its own tells Node of it.
      const ca = process.env['NODE_EXTRA_CA_CERTS'];
      const env = { ...process.env, SLUICE_URL: target.url, SLUICE_TOKEN: token, ...(ca !== undefined && { CURL_CA_BUNDLE: ca }) };
      const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder, env });
      expect(stdout).toContain('{');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
