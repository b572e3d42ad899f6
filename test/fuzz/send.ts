import { mkdtempSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FuzzRequest } from './requests.ts';

/** An answer as it came. */
export interface FuzzAnswer {
  readonly status: number;
  readonly headers: { readonly get: (name: string) => string | null };
  readonly text: string;
  readonly ms: number;
}

/** ms after which an answer is none. */
const PATIENCE_MS = 60_000;
/** What servers take as the head of a request. */
const HEAD_BYTES = 8_000;

/** Sends requests as they are, over connections that stay open: `fetch` would mend paths first. */
export class Sender {
  readonly #agent: Agent;
  readonly #url: URL;
  readonly #base: string;

  constructor(url: string, connections: number) {
    this.#url = new URL(url);
    this.#base = this.#url.pathname.replace(/\/$/, '');
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  send({ method, path, headers, body }: FuzzRequest): Promise<FuzzAnswer> {
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: this.#url.hostname,
          port: this.#url.port,
          method,
          path: this.#base + path,
          headers: { ...headers, ...(body !== undefined && { 'content-length': body.length }) },
          timeout: PATIENCE_MS,
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.once('error', reject);
          incoming.once('end', () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: { get: (name) => incoming.headers[name]?.toString() ?? null },
              text: Buffer.concat(chunks).toString('utf8'),
              ms: performance.now() - began,
            }),
          );
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
      outgoing.once('error', (error: NodeJS.ErrnoException) => {
        // A head that is too large is answered and cut off while its body is still on its way.
        const isCutOff = /^(ECONNRESET|EPIPE)$/.test(error.code ?? '') && headBytes(path, headers) > HEAD_BYTES;
        if (isCutOff) resolve({ status: 431, headers: { get: () => null }, text: '', ms: performance.now() - began });
        else reject(error);
      });
      outgoing.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function headBytes(path: string, headers: Readonly<Record<string, string>>): number {
  return path.length + Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}

/** The longest body that is shown; a longer one is put into a file. */
const SHOWN_BYTES = 10_000;

/** The same request for a shell. */
export function curlOf(url: string, { method, path, headers, body }: FuzzRequest): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', quoted(`${name}: ${value}`)]);
  const command = ['curl', '-i', '--path-as-is', '-X', method, ...given];
  if (body === undefined) return [...command, quoted(url + path)].join(' ');
  if (body.length > SHOWN_BYTES) {
    const file = join(mkdtempSync(join(tmpdir(), 'sluice-fuzz-')), 'body');
    writeFileSync(file, body);
    return [...command, '--data-binary', `@${file}`, quoted(url + path)].join(' ');
  }
  if (isPlain(body)) return [...command, '--data-binary', quoted(body.toString()), quoted(url + path)].join(' ');
  return `echo ${body.toString('base64')} | base64 -d | ${[...command, '--data-binary', '@-', quoted(url + path)].join(' ')}`;
}

function isPlain(body: Buffer): boolean {
  const text = body.toString();
  return /^[\x20-\x7e]*$/.test(text) && !text.startsWith('@');
}
