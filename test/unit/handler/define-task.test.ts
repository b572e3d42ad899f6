import { kitReplySchema } from '@sluice/contracts';
import { defineTask, FatalError, ThrottledError, type TaskContext } from '@sluice/handler';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { envelopeOf, UID } from './envelope.ts';

const input = z.object({ name: z.string().min(1), times: z.number().default(1) });
const run = vi.fn<(ctx: TaskContext, given: z.output<typeof input>) => unknown>();
const handler = defineTask({ type: 'greet', input, run });
const lambda = (remainingMs: number) => ({ getRemainingTimeInMillis: () => remainingMs });
let lines: string[];

beforeEach(() => {
  run.mockReset();
  lines = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => lines.push(String(line)) > 0);
  return () => vi.restoreAllMocks();
});

describe('a run that succeeds', () => {
  it('gets the parsed input and answers with the result and its times', async () => {
    run.mockResolvedValue({ text: 'Hello' });
    const before = Date.now();

    const reply = await handler(envelopeOf({ name: 'Ada' }), lambda(5_000));

    expect(run.mock.lastCall?.[1]).toEqual({ name: 'Ada', times: 1 });
    expect(reply).toEqual({
      sluice: { version: 1, class: 'succeeded', startedAt: expect.any(Number), endedAt: expect.any(Number) },
      result: { text: 'Hello' },
    });
    expect(reply.sluice.startedAt).toBeGreaterThanOrEqual(before);
    expect(reply.sluice.endedAt).toBeGreaterThanOrEqual(reply.sluice.startedAt);
    expect(kitReplySchema.parse(reply)).toEqual(reply);
    expect(lines).toEqual([]);
  });

  it('leaves the result out when run returned nothing, and keeps null', async () => {
    run.mockReturnValueOnce(undefined).mockReturnValueOnce(null);
    expect(await handler(envelopeOf({ name: 'Ada' }))).not.toHaveProperty('result');
    expect(await handler(envelopeOf({ name: 'Ada' }))).toHaveProperty('result', null);
  });

  it('carries its definition', () => {
    expect({ ...handler }).toEqual({ type: 'greet', input, run });
  });
});

describe('the context', () => {
  it('has the identity of the attempt and logs it on each line', async () => {
    run.mockImplementation((ctx) => ctx.log.info('hello', { a: 1, tenant: 'evil' }));
    const envelope = envelopeOf({ name: 'Ada' }, { attempt: 3, fence: 7 });

    await handler(envelope, lambda(600_000));

    const identity = { task: 'task-1', tenant: 'acme', uid: UID, type: 'greet', attempt: 3, fence: 7 };
    expect(run.mock.lastCall?.[0]).toMatchObject({ ...identity, deadline: new Date(envelope.sluice.deadline) });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ...identity, level: 'info', message: 'hello', a: 1 });
  });

  it('ends with Lambda when that is earlier than the deadline of the platform', async () => {
    await handler(envelopeOf({ name: 'Ada' }), lambda(5_000));
    const ctx = run.mock.lastCall?.[0];
    expect(ctx?.deadline.getTime()).toBeLessThanOrEqual(Date.now() + 5_000);
    expect(ctx?.remainingMs()).toBeGreaterThan(3_000);
    expect(ctx?.remainingMs()).toBeLessThanOrEqual(5_000);
  });

  it('aborts a tenth of its time before the end, at most 2 s, and says why', async () => {
    vi.useFakeTimers();
    try {
      for (const [remaining, abortsAfter] of [
        [1_000, 900],
        [60_000, 58_000],
      ] as const) {
        const seen: unknown[] = [];
        run.mockImplementation(async (ctx) => {
          await vi.advanceTimersByTimeAsync(abortsAfter - 1);
          seen.push(ctx.signal.aborted);
          await vi.advanceTimersByTimeAsync(1);
          seen.push(ctx.signal.aborted);
          ctx.signal.throwIfAborted();
        });
        const reply = await handler(envelopeOf({ name: 'Ada' }), lambda(remaining));
        expect(seen).toEqual([false, true]);
        expect(reply.sluice).toMatchObject({ class: 'retryable', error: { name: 'DeadlineError' } });
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it('takes its timer back when the run is over, and survives a deadline beyond the longest timer', async () => {
    vi.useFakeTimers();
    try {
      run.mockImplementation((ctx) => ctx.signal.aborted);
      const reply = await handler(envelopeOf({ name: 'Ada' }, { deadline: Date.now() + 2 ** 40 }));
      await vi.advanceTimersByTimeAsync(0);
      expect(reply.result).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a run that fails', () => {
  it('is fatal for an input that does not fit, with the issues, and does not run', async () => {
    const reply = await handler(envelopeOf({ name: '' }));
    expect(run).not.toHaveBeenCalled();
    expect(reply.sluice).toMatchObject({ class: 'fatal', error: { name: 'InputError' } });
    expect(reply.sluice.error?.message).toContain('schema of greet');
    expect(reply.sluice.error?.message).toContain('at name');
  });

  it('is fatal for a missing payload', async () => {
    const { sluice } = envelopeOf(undefined);
    expect((await handler({ sluice })).sluice.class).toBe('fatal');
  });

  it('awaits an asynchronous schema', async () => {
    const check = defineTask({ type: 'greet', input: input.refine(() => Promise.resolve(false), 'taken'), run });
    expect((await check(envelopeOf({ name: 'Ada' }))).sluice.error?.message).toContain('taken');
  });

  it('is retryable for a ZodError of its own', async () => {
    run.mockImplementation(() => z.string().parse(1));
    expect((await handler(envelopeOf({ name: 'Ada' }))).sluice).toMatchObject({
      class: 'retryable',
      error: { name: 'ZodError' },
    });
  });

  it('tells class, error and time to wait, and writes the failure down', async () => {
    run.mockRejectedValueOnce(new ThrottledError('busy', { retryAfter: 1.5 }));
    run.mockRejectedValueOnce(new FatalError('never'));
    const throttled = await handler(envelopeOf({ name: 'Ada' }));
    const fatal = await handler(envelopeOf({ name: 'Ada' }));

    expect(throttled.sluice).toMatchObject({ class: 'throttled', retryAfterMs: 1_500, error: { message: 'busy' } });
    expect(fatal.sluice).toMatchObject({ class: 'fatal', error: { name: 'FatalError', message: 'never' } });
    expect(kitReplySchema.parse(throttled)).toEqual(throttled);
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(['warn', 'error']);
  });

  it('is fatal for a result that is not JSON', async () => {
    run.mockReturnValue({ n: 1n });
    const { sluice, ...rest } = await handler(envelopeOf({ name: 'Ada' }));
    expect(sluice).toMatchObject({ class: 'fatal', error: { message: expect.stringContaining('not JSON') } });
    expect(rest).toEqual({});
  });

  it('is free, and does not run, when it begins after its deadline', async () => {
    const reply = await handler(envelopeOf({ name: 'Ada' }, { deadline: Date.now() - 1_000 }));
    expect(run).not.toHaveBeenCalled();
    expect(reply.sluice).toMatchObject({ class: 'throttled', error: { message: expect.stringContaining('deadline') } });
  });

  it('is retryable, and does not run, for a task of another type', async () => {
    const both = defineTask({ type: ['greet', 'greet.beta'], input, run });
    const reply = await handler(envelopeOf({ name: 'Ada' }, { type: 'greet.beta' }));
    expect(reply.sluice).toMatchObject({ class: 'retryable', error: { message: expect.stringContaining('greet.beta') } });
    expect(run).not.toHaveBeenCalled();
    expect((await both(envelopeOf({ name: 'Ada' }, { type: 'greet.beta' }))).sluice.class).toBe('succeeded');
  });
});

it('throws, naming what is wrong, for an event that is not from Sluice', async () => {
  await expect(handler({ Records: [] })).rejects.toMatchObject({
    name: 'EnvelopeError',
    message: expect.stringMatching(/runTask[\s\S]*sluice/),
  });
  await expect(handler(undefined)).rejects.toThrow('Sluice task');
});
