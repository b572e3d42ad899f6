import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chromium, type Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerStatusPage } from '../../bin/dev/status-page.ts';
import type { Status } from '../../bin/dev/status.ts';

const CHROMIUM = '/usr/bin/chromium';
const HOST = { host: '127.0.0.1:4700' };

/** What would run if it ever got into the page as anything but text. */
const EVIL = `"'><img src=x onerror="document.title='run'"><script>document.title='run'</script>`;

const now = Date.now();
const status: Status = {
  version: '1.2.3',
  url: 'http://127.0.0.1:4700',
  startedAt: now,
  now,
  data: null,
  types: [
    {
      type: 'unruly',
      start: 'event',
      concurrency: 3,
      timeoutSeconds: 3,
      handler: { title: 'Unruly', busy: 1, idle: 2, runs: 7, errors: 1 },
    },
    { type: EVIL, start: EVIL, concurrency: 1, timeoutSeconds: 3, handler: null },
  ],
  queues: [{ name: `sluice-${EVIL}`, visible: 1, inFlight: 2, delayed: 3 }],
  tasks: { counted: 4000, complete: false, tenants: [{ tenant: `t-${EVIL}`, states: { succeeded: 5, expired: 1 } }] },
  latest: [
    {
      tenant: EVIL,
      id: `id-${EVIL}`,
      type: EVIL,
      state: EVIL,
      reason: EVIL,
      attempts: 2,
      labels: { [EVIL]: EVIL },
      acceptedAt: now,
      endedAt: now + 1500,
      error: `error-${EVIL}`,
    },
    {
      tenant: 'acme',
      id: 'plain',
      type: 'unruly',
      state: 'running',
      reason: null,
      attempts: 0,
      labels: {},
      acceptedAt: now,
      endedAt: null,
      error: null,
    },
  ],
  functions: [{ title: EVIL, busy: 0, idle: 0, runs: 0, errors: 0 }],
  problems: [{ at: now, from: EVIL, text: `problem-${EVIL}` }],
};

const get = (path: string, headers: Record<string, string> = HOST, method = 'GET') =>
  answerStatusPage({ method, path, headers }, () => Promise.resolve(status));

describe('the status page', () => {
  it('is served with what it shows to this machine only, and nothing else is', async () => {
    expect(await get('/')).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' },
    });
    expect(await get('/_status', { host: '[::1]:1' })).toMatchObject({ status: 200, body: JSON.stringify(status) });
    for (const host of ['evil.example', 'evil.example:4700', '127.0.0.1.evil.example', '']) {
      expect(await get('/_status', { host })).toMatchObject({ status: 403 });
    }
    for (const [path, method] of [
      ['/favicon.ico', 'GET'],
      ['/', 'POST'],
      ['/_status/x', 'GET'],
    ] as const) {
      expect(await get(path, HOST, method)).toBeUndefined();
    }
  });

  it('says so when the platform cannot be asked', async () => {
    const answer = await answerStatusPage({ method: 'GET', path: '/_status', headers: HOST }, () => Promise.reject(new Error('it starts')));
    expect(answer).toMatchObject({ status: 503, body: '{"message":"it starts"}' });
  });

  it('lets only its own script run', async () => {
    const policy = (await get('/'))?.headers['content-security-policy'] ?? '';
    expect(policy).toMatch(/default-src 'none'; script-src 'sha256-[\w+/=]+'; style-src 'sha256-[\w+/=]+';/);
    expect(policy).not.toContain('unsafe');
    expect((await get('/'))?.body).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write| on\w+=/);
  });
});

describe.skipIf(!existsSync(CHROMIUM))(`the status page in a browser (skipped without ${CHROMIUM})`, () => {
  let server: Server;
  let browser: Browser;
  let shown = status;
  let down = false;
  const url = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { method = '', url: path = '/', headers } = request;
      const read = () => (down ? Promise.reject(new Error('it is down')) : Promise.resolve(shown));
      void answerStatusPage({ method, path, headers: headers as Record<string, string> }, read).then((reply) => {
        response.writeHead(reply?.status ?? 404, reply?.headers);
        response.end(reply?.body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  it('shows whatever tenants write as text', async () => {
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    page.on('pageerror', (error) => said.push(error.message));
    await page.goto(url());
    await page.waitForSelector('#latest li');
    for (const [section, prefix] of [
      ['tasks', 't-'],
      ['latest', 'id-'],
      ['latest', 'error-'],
      ['queues', 'sluice-'],
      ['problems', 'problem-'],
    ]) {
      expect(await page.textContent(`#${section}`)).toContain(prefix + EVIL);
    }
    expect(await page.locator('main img, main script').count()).toBe(0);
    expect(await page.title()).toBe('Sluice on this machine');
    // Nothing was even tried: the policy would have complained.
    expect(said).toEqual([]);
    await page.close();
  });

  it('brings itself up to date, keeps what has not changed, and tells when the server is gone', async () => {
    const page = await browser.newPage();
    await page.goto(url());
    await page.waitForSelector('#latest li');
    expect(await page.textContent('#about')).toBe('1.2.3 at http://127.0.0.1:4700, in memory');
    expect(await page.textContent('#tasks')).toContain('of the first 4000 rows of the table only');
    expect(await page.textContent('#types .dots')).toBe('●○○');
    await page.evaluate(
      `for (const section of document.querySelectorAll('section')) section.firstElementChild.setAttribute('data-kept', '')`,
    );
    shown = { ...status, queues: [{ name: 'other', visible: 0, inFlight: 0, delayed: 0 }] };
    await page.locator('#queues', { hasText: 'other' }).waitFor();
    expect(await page.locator('#latest [data-kept]').count()).toBe(1);
    expect(await page.locator('#queues [data-kept]').count()).toBe(0);
    down = true;
    await page.waitForSelector('#gone:not([hidden])');
    expect(await page.textContent('#gone')).toContain('it is down');
    down = false;
    await page.waitForSelector('#gone', { state: 'hidden' });
    await page.close();
  });

  it.each([390, 1280])('is no wider than a screen of %d pixels, however long a name is', async (width) => {
    const long = 'x'.repeat(200);
    shown = {
      ...status,
      tasks: { ...status.tasks, tenants: [{ tenant: long, states: { succeeded: 5 } }] },
      latest: [{ ...status.latest[1]!, id: long, labels: { [long]: long }, error: long, state: 'cancelling' }],
      problems: [{ at: now, from: long, text: long }],
    };
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    await page.goto(url());
    await page.waitForSelector('#latest li');
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
    await page.close();
  });
});
