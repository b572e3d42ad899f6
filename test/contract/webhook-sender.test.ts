import { createServer as createPlainServer } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWebhookSender } from '../../adapters/http/webhook-sender.ts';
import { createMemoryWebhookSender } from '../../adapters/memory/webhook-sender.ts';
import type { WebhookAnswer } from '../../core/ports/webhook-sender.ts';
import { makeCertificate } from '../helpers/certificate.ts';
import { A } from './fixtures.ts';
import { webhookSenderContract, type HeardCall } from './webhook-sender.ts';

const { cert, key } = makeCertificate(['127.0.0.1', 'receiver.test']);
const RULES = { ports: [443], hosts: ['127.0.0.1', 'receiver.test'] };
const request = (url: string, timeoutMs = 5_000) => ({ url, headers: {}, body: '{}', timeoutMs });

webhookSenderContract('memory', async () => {
  let next: WebhookAnswer = { kind: 'answered', status: 200, body: '' };
  const sender = createMemoryWebhookSender(RULES, () => next);
  return {
    sender,
    baseUrl: 'https://127.0.0.1:1234',
    answer: (status, body = '', headers = {}) => {
      const retryAfter = headers['retry-after'];
      next = { kind: 'answered', status, body, ...(retryAfter !== undefined && { retryAfter }) };
    },
    heard: () => sender.sent().map(({ url, headers, body }) => ({ path: url.slice('https://127.0.0.1:1234'.length), headers, body })),
    close: async () => undefined,
  };
});

webhookSenderContract('HTTPS', async () => {
  let answer: { status: number; body: string; headers: Record<string, string> } = { status: 200, body: '', headers: {} };
  const heard: HeardCall[] = [];
  const server = createServer({ cert, key }, (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      heard.push({ path: incoming.url ?? '', headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8') });
      outgoing.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  const port = await listening(server);
  return {
    sender: createWebhookSender({ rules: RULES, ca: cert }),
    baseUrl: `https://127.0.0.1:${port}`,
    answer: (status, body = '', headers = {}) => void (answer = { status, body, headers }),
    heard: () => heard,
    close: () => closed(server),
  };
});

describe('webhook sender over HTTPS', () => {
  let server: Server;
  let port: number;
  let calls: string[] = [];
  beforeAll(async () => {
    server = createServer({ cert, key }, ({ url = '' }, outgoing) => {
      calls.push(url);
      if (url === '/redirect') outgoing.writeHead(302, { location: '/elsewhere' }).end();
      else if (url === '/large') outgoing.writeHead(500).end('x'.repeat(5_000_000));
      else if (url === '/slow-body') outgoing.writeHead(500).write('begins');
      else if (url === '/odd') outgoing.writeHead(400).end(Buffer.from([0x61, 0xff, 0xfe, 0xef, 0xbf, 0xbf, 0x62]));
      else if (url === '/cut') outgoing.destroy();
      // Else it never answers.
    });
    port = await listening(server);
  });
  afterAll(() => closed(server));

  const sender = createWebhookSender({ rules: RULES, ca: cert });
  const send = (path: string, timeoutMs?: number) => sender.send(A, request(`https://127.0.0.1:${port}${path}`, timeoutMs));

  it('follows no redirect', async () => {
    calls = [];
    expect(await send('/redirect')).toMatchObject({ kind: 'answered', status: 302 });
    expect(calls).toEqual(['/redirect']);
  });

  it('reads no more than the beginning of what is said', async () => {
    const answer = await send('/large');
    expect(answer).toMatchObject({ status: 500 });
    expect(answer.kind === 'answered' && answer.body.length).toBe(1_024);
  });

  it('leaves out what is no text', async () => {
    expect(await send('/odd')).toMatchObject({ status: 400, body: 'ab' });
  });

  it('gives up a receiver that takes its time, before or within its answer', async () => {
    expect(await send('/never', 100)).toEqual({ kind: 'failed', message: 'the receiver gave no answer: not within 0.1 s' });
    expect(await send('/slow-body', 100)).toEqual({ kind: 'failed', message: 'the receiver gave no answer: not within 0.1 s' });
  });

  it('tells of a connection that is cut or refused, and of one without TLS', async () => {
    expect(await send('/cut')).toMatchObject({ kind: 'failed', message: expect.stringContaining('socket hang up') as string });
    const plain = createPlainServer();
    const plainPort = await listening(plain);
    const url = `https://127.0.0.1:${plainPort}/`;
    expect(await sender.send(A, request(url))).toMatchObject({ kind: 'failed' });
    await closed(plain);
    expect(await sender.send(A, request(url))).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
  });

  it('trusts no authority that it was not told of', async () => {
    calls = [];
    const strict = createWebhookSender({ rules: RULES });
    expect(await strict.send(A, request(`https://127.0.0.1:${port}/a`))).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('self-signed certificate') as string,
    });
    expect(calls).toEqual([]);
  });

  describe('checks where a name leads when it connects', () => {
    const to = (...addresses: string[]) => {
      const looked: string[] = [];
      const resolve = async (name: string) => {
        looked.push(name);
        return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
      };
      return { looked, resolve };
    };

    it.each([['127.0.0.1'], ['169.254.169.254'], ['10.0.0.7'], ['::1'], ['::ffff:127.0.0.1'], ['fd00:ec2::254']])(
      'and not to %s',
      async (address) => {
        const { looked, resolve } = to(address);
        const public443 = createWebhookSender({ rules: { ports: [443, port], hosts: [] }, ca: cert, resolve });
        calls = [];
        expect(await public443.send(A, request(`https://rebound.example.com:${port}/a`))).toMatchObject({
          kind: 'forbidden',
          message: expect.stringContaining(`host rebound.example.com is not allowed: ${address} is`) as string,
        });
        expect(looked).toEqual(['rebound.example.com']);
        expect(calls).toEqual([]);
      },
    );

    it('nor where one of its addresses is public and another is not', async () => {
      const { resolve } = to('192.0.2.1', '127.0.0.1');
      const mixed = createWebhookSender({ rules: { ports: [port], hosts: [] }, ca: cert, resolve });
      expect(await mixed.send(A, request(`https://rebound.example.com:${port}/a`))).toMatchObject({ kind: 'forbidden' });
    });

    it('but to any address of a host that the operator has opened, once looked up', async () => {
      const { looked, resolve } = to('127.0.0.1');
      const open = createWebhookSender({ rules: RULES, ca: cert, resolve });
      expect(await open.send(A, request(`https://receiver.test:${port}/redirect`))).toMatchObject({ kind: 'answered', status: 302 });
      expect(looked).toEqual(['receiver.test']);
    });

    it('tells of a name that has no address, which may pass', async () => {
      const none = createWebhookSender({ rules: { ports: [443], hosts: [] }, resolve: to().resolve });
      expect(await none.send(A, request('https://nowhere.example.com/'))).toMatchObject({
        kind: 'failed',
        message: expect.stringContaining('no address') as string,
      });
    });
  });
});

async function listening(server: NetServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function closed(server: NetServer & { closeAllConnections: () => void }): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
