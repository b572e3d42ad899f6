import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { defineTask } from '@sluice/handler';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readPayload } from '../../../packages/handler/src/payload.ts';
import { envelopeOf } from './envelope.ts';

const FAST = { tries: 3, tryTimeoutMs: 300, delayMs: 1 };
const never = new AbortController().signal;
let server: Server | undefined;

async function serve(answer: RequestListener): Promise<string> {
  const listening = createServer(answer);
  server = listening;
  await new Promise<void>((ready) => listening.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}/payload?signature=secret`;
}

/** Answers with each status in turn, and with `body` on 200. */
async function serveStatuses(body: string, ...statuses: number[]): Promise<{ url: string; calls: () => number }> {
  let calls = 0;
  const url = await serve((_request, response) => {
    const status = statuses[calls] ?? statuses.at(-1) ?? 200;
    calls += 1;
    response.writeHead(status).end(status === 200 ? body : 'no');
  });
  return { url, calls: () => calls };
}

async function close(): Promise<void> {
  server?.closeAllConnections();
  await new Promise((closed) => (server ? server.close(closed) : closed(undefined)));
  server = undefined;
}

afterEach(close);

describe('readPayload', () => {
  it('takes the payload in the envelope', async () => {
    expect(await readPayload({ payload: { a: 1 } }, never)).toEqual({ a: 1 });
    expect(await readPayload({}, never)).toBeUndefined();
  });

  it.each([500, 503, 408, 429])('tries again after %s', async (status) => {
    const { url, calls } = await serveStatuses('{"a":1}', status, 200);
    expect(await readPayload({ payloadUrl: url }, never, FAST)).toEqual({ a: 1 });
    expect(calls()).toBe(2);
  });

  it('gives up after its tries, without telling the signature', async () => {
    const { url, calls } = await serveStatuses('', 500);
    const failed = readPayload({ payloadUrl: url }, never, FAST);
    await expect(failed).rejects.toMatchObject({
      name: 'PayloadError',
      message: expect.stringMatching(/payload: answered 500 \(try 3 of 3\)/),
    });
    await expect(failed).rejects.not.toThrow('secret');
    expect(calls()).toBe(3);
  });

  it('does not try again after an answer that will not change', async () => {
    const { url, calls } = await serveStatuses('', 403);
    await expect(readPayload({ payloadUrl: url }, never, FAST)).rejects.toThrow('answered 403 (try 1 of 3)');
    expect(calls()).toBe(1);
  });

  it('fails clearly for what is not JSON or too large', async () => {
    const first = await serveStatuses('<html>', 200);
    await expect(readPayload({ payloadUrl: first.url }, never, FAST)).rejects.toThrow('is not JSON');
    await close();
    const empty = await serveStatuses('', 204);
    await expect(readPayload({ payloadUrl: empty.url }, never, FAST)).rejects.toThrow('is not JSON');
    await close();
    const second = await serveStatuses(JSON.stringify('x'.repeat(2_000_000)), 200);
    await expect(readPayload({ payloadUrl: second.url }, never, FAST)).rejects.toThrow('larger than a payload');
  });

  it('bounds a try that hangs, and one that finds nobody', async () => {
    let calls = 0;
    const url = await serve(() => (calls += 1));
    await expect(readPayload({ payloadUrl: url }, never, FAST)).rejects.toMatchObject({ cause: expect.anything() });
    expect(calls).toBe(3);
    await expect(readPayload({ payloadUrl: 'http://127.0.0.1:1/x' }, never, FAST)).rejects.toThrow('try 3 of 3');
  });

  it('stops at once when the attempt is aborted, also in its pause', async () => {
    const { url } = await serveStatuses('', 500);
    const controller = new AbortController();
    const slow = readPayload({ payloadUrl: url }, controller.signal, { ...FAST, delayMs: 60_000 });
    setTimeout(() => controller.abort(new Error('over')), 20);
    await expect(slow).rejects.toThrow('over (try 2 of 3)');
    const late = readPayload({ payloadUrl: url }, AbortSignal.abort('a reason that is no error'), FAST);
    await expect(late).rejects.toThrow('a reason that is no error (try 1 of 3)');
  });
});

it('hands the fetched payload to run', async () => {
  const { url } = await serveStatuses('{"name":"Ada"}', 200);
  const handler = defineTask({ type: 'greet', input: z.object({ name: z.string() }), run: (_ctx, { name }) => name });
  const { sluice } = envelopeOf(undefined);
  expect(await handler({ payloadUrl: url, sluice })).toMatchObject({ sluice: { class: 'succeeded' }, result: 'Ada' });
});
