import { CancelledError, defineTask, SupersededError, type TaskContext } from '@sluice/handler';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { envelopeOf, UID } from './envelope.ts';

let server: Server;
let url: string;
let asked: unknown[];
let answer: () => { status: number; body: string };

beforeEach(async () => {
  asked = [];
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      asked.push(JSON.parse(Buffer.concat(chunks).toString()));
      const { status, body } = answer();
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/attempts`;
  return async () => {
    vi.restoreAllMocks();
    await new Promise((resolve) => server.close(resolve));
  };
});
afterEach(() => server.closeAllConnections());

const says = (state: string) => ({ status: 200, body: JSON.stringify({ state }) });
const untilAborted = ({ signal }: TaskContext) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const taskOf = (run: (ctx: TaskContext) => unknown, checkSeconds: number | false = 1) =>
  defineTask({ type: 'greet', input: z.unknown(), checkSeconds, run });
const envelope = () => envelopeOf(null, { control: { url, key: 'k1' } });

describe('a running attempt', () => {
  it('asks with its key, and is aborted when its task is cancelled', async () => {
    answer = () => says(asked.length < 2 ? 'running' : 'cancelling');
    let reason: unknown;
    const handler = taskOf((ctx) => {
      ctx.signal.addEventListener('abort', () => void (reason = ctx.signal.reason));
      return untilAborted(ctx);
    });

    const reply = await handler(envelope());

    expect(reason).toBeInstanceOf(CancelledError);
    expect(reply.sluice).toMatchObject({ class: 'retryable', error: { name: 'CancelledError' } });
    expect(asked).toEqual(Array(2).fill({ tenant: 'acme', task: 'task-1', uid: UID, fence: 1, key: 'k1' }));
  });

  it('is aborted when its outcome is no longer wanted', async () => {
    answer = () => says('over');
    const reply = await taskOf(untilAborted)(envelope());
    expect(reply.sluice.error).toMatchObject({ name: SupersededError.name });
  });

  it('goes on through answers that are none', async () => {
    const answers = [{ status: 500, body: 'no' }, { status: 200, body: '{"state":"dancing"}' }, says('cancelling')];
    answer = () => answers[asked.length - 1] ?? says('running');
    await taskOf(untilAborted)(envelope());
    expect(asked).toHaveLength(3);
  });

  it('that returns all the same has succeeded', async () => {
    answer = () => says('cancelling');
    const reply = await taskOf(async (ctx) => untilAborted(ctx).catch(() => 'finished anyway'))(envelope());
    expect(reply).toMatchObject({ sluice: { class: 'succeeded' }, result: 'finished anyway' });
  });

  it('asks nothing when it is short, when it has no key, or when it is told not to', async () => {
    answer = () => says('cancelling');
    const pause = () => new Promise((resolve) => setTimeout(resolve, 1_300));
    await Promise.all([taskOf(() => 1)(envelope()), taskOf(pause)(envelopeOf(null)), taskOf(pause, false)(envelope())]);
    expect(asked).toEqual([]);
  });

  it.each([0, 301, NaN])('refuses to ask every %d seconds', (checkSeconds) => {
    expect(() => taskOf(() => 1, checkSeconds)).toThrow('from 1 to 300');
  });
});
