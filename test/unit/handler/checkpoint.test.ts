import { LIMITS } from '@sluice/contracts';
import { defineTask, PreemptedError, runTask, type TaskContext } from '@sluice/handler';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { envelopeOf } from './envelope.ts';

let server: Server;
let state: string;

beforeEach(async () => {
  state = 'running';
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ state })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return async () => {
    vi.restoreAllMocks();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
});

const envelope = (checkpoint?: unknown) =>
  envelopeOf(null, {
    control: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, key: 'k' },
    ...(checkpoint !== undefined && { checkpoint }),
  });
const taskOf = (run: (ctx: TaskContext) => unknown) => defineTask({ type: 'greet', input: z.unknown(), checkSeconds: 1, run });
const aborted = ({ signal }: TaskContext) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

describe('an attempt that is asked to make room', () => {
  it('stops at its next checkpoint, which the next attempt goes on from', async () => {
    state = 'preempting';
    let reason: unknown;
    const reply = await taskOf(async (ctx) => {
      ctx.checkpoint({ row: 1 });
      await aborted(ctx);
      reason = ctx.signal.reason;
      ctx.checkpoint({ row: 2 });
      throw new Error('not reached');
    })(envelope());
    expect(reason).toBeInstanceOf(PreemptedError);
    expect(reply.sluice).toMatchObject({ class: 'preempted', checkpoint: { row: 2 } });
    expect(reply.sluice).not.toHaveProperty('error');
    const last: unknown[] = [];
    await taskOf((ctx) => void last.push(ctx.lastCheckpoint))(envelope({ row: 2 }));
    expect(last).toEqual([{ row: 2 }]);
  });

  it('stops by a call that was aborted, too, at the last one', async () => {
    state = 'preempting';
    const reply = await taskOf(async (ctx) => {
      ctx.checkpoint(7);
      const slow = createServer(() => undefined);
      await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
      try {
        await fetch(`http://127.0.0.1:${(slow.address() as AddressInfo).port}/`, { signal: ctx.signal }).catch((cause: unknown) => {
          throw new Error('no answer', { cause });
        });
      } finally {
        slow.close();
      }
    })(envelope());
    expect(reply.sluice).toMatchObject({ class: 'preempted', checkpoint: 7 });
  });

  it('that fails for another reason has failed, and one that returns has succeeded', async () => {
    state = 'preempting';
    const failed = await taskOf(async (ctx) => {
      await aborted(ctx);
      throw new Error('disk full');
    })(envelope());
    expect(failed.sluice).toMatchObject({ class: 'retryable', error: { message: 'disk full' } });
    const done = await taskOf(async (ctx) => {
      await aborted(ctx);
      return 'done';
    })(envelope());
    expect(done).toMatchObject({ sluice: { class: 'succeeded' }, result: 'done' });
  });
});

describe('a checkpoint', () => {
  it('goes along with a failure, as it was when it was kept', async () => {
    const reply = await taskOf((ctx) => {
      const at = { row: 1, when: new Date(0) };
      ctx.checkpoint(at);
      at.row = 2;
      throw new Error('no');
    })(envelope());
    expect(reply.sluice).toMatchObject({ class: 'retryable', checkpoint: { row: 1, when: '1970-01-01T00:00:00.000Z' } });
  });

  it('is not there where none was kept, and of no use to a success', async () => {
    expect((await taskOf(() => Promise.reject(new Error('no')))(envelope())).sluice).not.toHaveProperty('checkpoint');
    expect((await taskOf((ctx) => ctx.checkpoint(1))(envelope())).sluice).not.toHaveProperty('checkpoint');
  });

  it.each([
    ['x'.repeat(LIMITS.checkpointBytes - 1), `${LIMITS.checkpointBytes + 1} bytes`],
    [undefined, 'it is undefined'],
    [() => 1, 'it is a function'],
    [1n, 'BigInt'],
  ])('that can not be kept is fatal (%#)', async (data, said) => {
    const reply = await taskOf((ctx) => ctx.checkpoint(data))(envelope());
    expect(reply.sluice).toMatchObject({ class: 'fatal', error: { message: expect.stringContaining(said) as string } });
  });

  it('of any size that is allowed is taken, in a test by runTask as well', async () => {
    const task = taskOf((ctx) => {
      ctx.checkpoint('x'.repeat(LIMITS.checkpointBytes - 2));
      return ctx.lastCheckpoint ?? null;
    });
    expect(await runTask(task, null)).toBeNull();
    expect(await runTask(task, null, { lastCheckpoint: 3 })).toBe(3);
  });
});
