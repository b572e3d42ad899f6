import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { Stack, type App } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import * as contracts from '@sluice/contracts';
import { envelopeSchema, kitReplySchema } from '@sluice/contracts';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as z from 'zod';
import { TaskPlatform } from '../../lib/index.ts';
import { makeApp } from '../cdk/synth.ts';
import { envelopeOf } from '../unit/handler/envelope.ts';
import { typeFaults } from './check.ts';
import { blocksIn, blocksOf, LANGUAGES, PAGES, placeOf } from './pages.ts';
import { PAYLOAD } from './prelude.ts';
import { runSnippet, type Scope } from './run.ts';
import { shellFaults, unknownScripts } from './shell.ts';
import { needsPlatform, preludeNamesOf, snippetsOf, type Snippet } from './snippet.ts';

/*
 * The rules for fenced blocks:
 *   ts      type-checked, and run: against a platform in test/e2e/docs.test.ts if it makes a client, or else here. A block
 *           sees the names of those above it on its page, may declare them anew, and has those of prelude.ts. `this` at
 *           its top is a CDK stack, which is synthesised. A `handler` is called with the prelude's payload.
 *   sh      npm scripts, their flags, `-c` context and our own paths must exist. With $SLUICE_URL in it, it is run end to
 *           end: all such blocks of a page in one bash, where a call that is refused fails.
 *   python  the blocks of a page are run in one scope, and each `handler` is called.
 *   json    parsed; with a name behind it (```json accepted) it must fit the contracts' schema of that name.
 * `no-run: <reason>` behind the language opts out of being run, and of nothing else.
 */
const blocks = PAGES.flatMap(blocksOf);

describe('a fenced block', () => {
  it('is in one of the languages that are checked', () => {
    const unknown = blocks.filter(({ lang }) => !(LANGUAGES as readonly string[]).includes(lang));
    expect(unknown.map((block) => `${placeOf(block)} ${block.lang}`)).toEqual([]);
  });

  it('says no more than its language, the schema of its JSON, or why it is not run', () => {
    const odd = blocks.filter(({ lang, info, noRun }) => info !== '' && noRun === undefined && lang !== 'json');
    expect(odd.map((block) => `${placeOf(block)} ${block.info}`)).toEqual([]);
  });

  const opted = blocks.filter(({ noRun }) => noRun !== undefined);
  it.skip.each(opted.map((block) => [placeOf(block), block.noRun] as const))('%s is not run: %s', () => undefined);
});

describe('TypeScript', () => {
  it('is type-checked, all of it', { timeout: 600_000 }, () => {
    expect(typeFaults(PAGES.flatMap(snippetsOf))).toEqual([]);
  });

  const pages = PAGES.map((page) => ({ page, snippets: snippetsOf(page).filter(isRunHere) }));
  describe.each(pages.filter(({ snippets }) => snippets.length > 0))('of $page', ({ snippets }) => {
    const scopes = new Map<Snippet, Scope>();

    beforeEach(() => {
      // No snippet reaches for the network here.
      vi.stubGlobal('fetch', async () => Response.json({}));
      vi.spyOn(console, 'log').mockReturnValue();
      vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    });
    afterEach(() => {
      vi.unstubAllGlobals();
      vi.restoreAllMocks();
    });

    it.each(snippets.map((snippet) => [snippet.block.line, snippet] as const))(
      'runs from line %i',
      { timeout: 180_000 },
      async (_, snippet) => {
        if (isCdk(snippet)) return expect((await synthesised(snippet)).stacks.length).toBeGreaterThan(0);
        const scope = await runSnippet(snippet, scopes, {});
        scopes.set(snippet, scope);
        if (typeof scope['handler'] === 'function') await callHandler(scope['handler'] as Handler);
      },
    );
  });
});

/** What calls a platform is run end to end, in `test/e2e/docs.test.ts`. */
function isRunHere(snippet: Snippet): boolean {
  return snippet.block.noRun === undefined && !needsPlatform(snippet);
}

type Handler = (event: unknown) => Promise<unknown>;

/** What a page shows as a handler does its work for the payload of the prelude. */
async function callHandler(handler: Handler): Promise<void> {
  const { type } = handler as { type?: string | readonly string[] };
  const event = envelopeOf(PAYLOAD, { type: typeof type === 'string' ? type : (type?.[0] ?? 'greet') });
  expect(envelopeSchema.parse(event)).toEqual(event);
  const answer = await handler(event);
  if (type !== undefined) expect(kitReplySchema.parse(answer)).toMatchObject({ sluice: { class: 'succeeded' } });
}

function isCdk(snippet: Snippet): boolean {
  const names = preludeNamesOf(snippet);
  return ['stack', 'fn', 'platform', 'TaskPlatform', 'TaskType'].some((name) => names.has(name));
}

/** In an app of its own, with the blocks above that it builds on: an app cannot grow once it is synthesised. */
async function synthesised(snippet: Snippet): Promise<ReturnType<App['synth']>> {
  const app = makeApp();
  const names = namesIn(new Stack(app, 'Docs'));
  const scopes = new Map<Snippet, Scope>();
  const run = async (each: Snippet): Promise<void> => {
    for (const above of each.takes.values()) if (above !== 'prelude' && !scopes.has(above)) await run(above);
    scopes.set(each, await runSnippet(each, scopes, names));
  };
  await run(snippet);
  return app.synth();
}

function namesIn(stack: Stack): Scope {
  let fn: LambdaFunction | undefined;
  let platform: TaskPlatform | undefined;
  const code = Code.fromInline('exports.handler = async () => undefined');
  return {
    stack,
    get fn() {
      return (fn ??= new LambdaFunction(stack, 'Fn', { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code }));
    },
    get platform() {
      return (platform ??= new TaskPlatform(stack, 'Platform'));
    },
  };
}

describe('Python', () => {
  it.each(PAGES.filter((page) => blocksIn(page, 'python', { run: true }).length > 0))('of %s runs', (page) => {
    const codes = blocksIn(page, 'python', { run: true }).map(({ code }) => code);
    const input = JSON.stringify({ blocks: codes, event: envelopeOf(PAYLOAD) });
    const output = execFileSync('python3', ['-B', join(import.meta.dirname, 'run_blocks.py')], { input, encoding: 'utf8' });
    expect(JSON.parse(output)).toHaveLength(codes.length);
  });

  it('that is not run compiles', () => {
    for (const { code } of blocks.filter(({ lang, noRun }) => lang === 'python' && noRun !== undefined)) {
      execFileSync('python3', ['-c', 'import sys; compile(sys.stdin.read(), "block", "exec")'], { input: code });
    }
  });
});

describe('a shell block', () => {
  const shells = blocks.filter(({ lang }) => lang === 'sh');
  it('names scripts, flags, context and files that exist', () => {
    expect(shells.flatMap(shellFaults)).toEqual([]);
  });

  it.each(shells.map((block) => [placeOf(block), block] as const))('of %s is well-formed', (_, { code }) => {
    // What a reader is to put in himself stands between < and >.
    execFileSync('bash', ['-n'], { input: code.replaceAll(/<[^<>\n]+>/g, 'X') });
  });

  it.each(PAGES)('and the text of %s name scripts that exist', (page) => {
    expect(unknownScripts(page)).toEqual([]);
  });
});

describe('JSON', () => {
  it.each(blocks.filter(({ lang }) => lang === 'json').map((block) => [placeOf(block), block] as const))(
    'of %s is what it says',
    (_, block) => {
      const value: unknown = JSON.parse(block.code);
      if (block.info === '') return;
      const schema = (contracts as unknown as Record<string, z.ZodType | undefined>)[`${block.info}Schema`];
      if (!schema) throw new Error(`the contracts have no ${block.info}Schema`);
      // Nothing that the schema does not know is shown either.
      expect(schema.parse(value)).toEqual(value);
    },
  );
});
