import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as client from '../../../packages/client/src/index.ts';
import { answer, startApiServer, type ApiServer } from './api-server.ts';
import { CORS, fakePlatform } from './fake-platform.ts';
import { accepted, problem } from './samples.ts';

const ROOT = join(import.meta.dirname, '../../..');
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const PAGE = '<!doctype html><title>page</title><link rel="icon" href="data:,"><script type="module" src="/client.js"></script>';

/** The client as a page's bundler makes it, and no Node module in it: esbuild would fail. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import { isClientError, SluiceClient } from '@sluice/client'; Object.assign(globalThis, { isClientError, SluiceClient });`,
      resolveDir: ROOT,
    },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}

/** What the page has of the bundle. */
type Bundled = typeof client;

let script: string;
beforeAll(async () => {
  script = await bundle();
});

it('is as large as its README says, minified and compressed', () => {
  const readme = readFileSync(join(ROOT, 'packages/client/README.md'), 'utf8');
  const [, said] = /about (\d+) KB \(minified, gzip\)/.exec(readme) ?? [];
  const kilobytes = gzipSync(script, { level: 9 }).length / 1_000;
  expect(kilobytes).toBeGreaterThan(Number(said) - 2);
  expect(kilobytes).toBeLessThan(Number(said) + 2);
});

describe.skipIf(!existsSync(CHROMIUM))(`in a browser (without ${CHROMIUM}, or what CHROMIUM names, it is skipped)`, () => {
  let browser: Browser;
  let pages: ApiServer;
  let api: ApiServer;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    pages = await startApiServer();
    pages.reply((response, { url }) => {
      const [type, body] = url === '/client.js' ? ['text/javascript', script] : ['text/html', PAGE];
      response.writeHead(200, { 'content-type': type });
      response.end(body);
    });
    api = await startApiServer();
  });
  afterAll(async () => {
    await browser?.close();
    await pages?.close();
    await api?.close();
  });

  const open = async () => {
    const page = await browser.newPage();
    await page.goto(pages.baseUrl);
    return page;
  };

  it('submits, waits and lists from a page of another origin', async () => {
    api.reply(fakePlatform());
    const page = await open();
    const seen = await page.evaluate(async (baseUrl) => {
      const { SluiceClient } = globalThis as unknown as Bundled;
      const sluice = new SluiceClient({ baseUrl, token: 'slc_x' });
      const [one] = await Promise.all([
        sluice.submit({ type: 'greet', payload: { name: 'Ada' } }),
        sluice.submit({ type: 'greet', id: 'b' }),
      ]);
      const many = await sluice.submitMany(Array.from({ length: 7 }, (_, n) => ({ type: 'greet', id: `t${n}` })));
      const task = await sluice.wait(one.id);
      const listed: string[] = [];
      for await (const { id } of sluice.list({ type: 'greet' })) listed.push(id);
      await sluice.tokens.revoke((await sluice.tokens.create({ scopes: ['read'] })).id);
      return { id: one.id, result: task.result, accepted: many.accepted, listed };
    }, api.baseUrl);
    expect(seen).toMatchObject({ result: { name: 'Ada' }, accepted: 7 });
    expect(seen.listed).toEqual(['t6', 't5', 't4', 't3', 't2', 't1', 't0', 'b', seen.id]);
    expect(api.received.some(({ method }) => method === 'OPTIONS')).toBe(true);
    await page.close();
  });

  it('sees the code of a refusal, and how long to wait', async () => {
    api.reply((response, request) => {
      if (request.method === 'OPTIONS') return answer(204, '', CORS)(response, request);
      const again = request.url.endsWith('/throttled');
      return answer(again ? 429 : 409, problem(again ? 'throttled' : 'state_conflict'), { 'retry-after': '90', ...CORS })(
        response,
        request,
      );
    });
    const page = await open();
    const seen = await page.evaluate(async (baseUrl) => {
      const { SluiceClient, isClientError } = globalThis as unknown as Bundled;
      const sluice = new SluiceClient({ baseUrl, token: 'slc_x' });
      const failure = async (call: Promise<unknown>) => {
        const error: unknown = await call.catch((reason: unknown) => reason);
        return isClientError(error) && error.kind === 'api' ? [error.name, error.code, error.retryAfterSeconds] : String(error);
      };
      return [await failure(sluice.cancel('a')), await failure(sluice.get('throttled'))];
    }, api.baseUrl);
    expect(seen).toEqual([
      ['ConflictError', 'state_conflict', 90],
      ['ThrottledError', 'throttled', 90],
    ]);
    await page.close();
  });

  it('ends a call when the page aborts it, and tells a lost connection', async () => {
    let calls = 0;
    api.reply((response, request) => {
      if (request.method === 'OPTIONS') return answer(204, '', CORS)(response, request);
      if (request.url.endsWith('/lost')) return void response.destroy();
      return ++calls === 1 ? undefined : answer(201, accepted('a'), CORS)(response, request);
    });
    const page = await open();
    const seen = await page.evaluate(async (baseUrl) => {
      const { SluiceClient, isClientError } = globalThis as unknown as Bundled;
      const sluice = new SluiceClient({ baseUrl, token: 'slc_x', retries: 0 });
      const aborted: unknown = await sluice
        .submit({ type: 'x', id: 'a' }, { signal: AbortSignal.timeout(200) })
        .catch((reason: unknown) => reason);
      const lost: unknown = await sluice.get('lost').catch((reason: unknown) => reason);
      const { id } = await sluice.submit({ type: 'x', id: 'a' });
      return [(aborted as Error).name, isClientError(lost) && lost.kind, id];
    }, api.baseUrl);
    expect(seen).toEqual(['TimeoutError', 'connection', 'a']);
    await page.close();
  });
});
