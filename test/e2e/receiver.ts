import type { AddressInfo } from 'node:net';
import { createServer } from 'node:https';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll } from 'vitest';
import { eventually, target } from './target.ts';

/** A call as a receiver of webhooks got it. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly id: string;
  readonly signature: string;
  readonly body: string;
  /** What it was answered with. */
  readonly status: number;
  readonly headers: Record<string, string>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

/** A receiver of webhooks over TLS. */
export interface Receiver {
  readonly url: (path: string) => string;
  /** What calls of a path are answered with, in order; the last one from then on. @default 204 */
  readonly answer: (path: string, ...answers: Answer[]) => void;
  /** The calls of a path, once there are so many. */
  readonly calls: (path: string, count: number) => Promise<readonly ReceivedWebhook[]>;
}

export function useReceiver(): Receiver {
  const received: ReceivedWebhook[] = [];
  const answers = new Map<string, Answer[]>();
  const server = createServer({ cert: target.certificate.cert, key: target.certificate.key }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { url: path = '' } = incoming;
      const left = answers.get(path) ?? [];
      const { status, headers: answered } = (left.length > 1 ? left.shift() : left[0]) ?? { status: 204 };
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      const { 'webhook-id': id = '', 'webhook-signature': signature = '' } = headers;
      received.push({ path, id, signature, body: Buffer.concat(chunks).toString('utf8'), status, headers });
      outgoing.writeHead(status, answered).end();
    });
  });
  beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return {
    url: (path) => `https://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    answer: (path, ...given) => void answers.set(path, given),
    calls: (path, count) =>
      eventually(`${count} calls of ${path}`, async () => {
        const found = received.filter((call) => call.path === path);
        return found.length >= count ? found : undefined;
      }),
  };
}

/** @throws when the call is not signed with the secret, or too long ago */
export function verified({ body, headers }: ReceivedWebhook, secret: string): unknown {
  return new Webhook(secret).verify(body, headers);
}
