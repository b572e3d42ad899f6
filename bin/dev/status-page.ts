import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Status } from './status.ts';

export interface PageRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface PageReply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const PAGE = readFileSync(join(import.meta.dirname, 'status.html'), 'utf8');

/** Only the page's own script and style run, whatever a tenant has written into a task. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashesOf('script')}`,
  `style-src ${hashesOf('style')}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' };

/** Serves the status page at `/` and what it shows at `/_status`; undefined for any other request. */
export async function answerStatusPage(request: PageRequest, read: () => Promise<Status>): Promise<PageReply | undefined> {
  const { method, path, headers } = request;
  if ((method !== 'GET' && method !== 'HEAD') || (path !== '/' && path !== '/_status')) return undefined;
  // Tasks of all tenants, for whoever sits at this machine: not for a page that has this address behind its own name.
  if (!isThisMachine(headers['host'])) return json(403, { message: 'only by the name of this machine: http://127.0.0.1' });
  if (path === '/') {
    return {
      status: 200,
      headers: { ...COMMON, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY },
      body: PAGE,
    };
  }
  try {
    return json(200, await read());
  } catch (error) {
    return json(503, { message: error instanceof Error ? error.message : String(error) });
  }
}

function json(status: number, body: unknown): PageReply {
  return { status, headers: { ...COMMON, 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function isThisMachine(host = ''): boolean {
  return /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
}

function hashesOf(tag: 'script' | 'style'): string {
  const texts = [...PAGE.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))].map((match) => match[1] ?? '');
  return texts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`).join(' ');
}
