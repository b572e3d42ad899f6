import { defineTask, FatalError, runTask, ThrottledError } from '@sluice/handler';
import { describe, expect, expectTypeOf, it, vi } from 'vitest';
import { z } from 'zod';

const greet = defineTask({
  type: 'greet',
  input: z.object({ name: z.string(), loud: z.boolean().default(false) }),
  run: (ctx, { name, loud }) => {
    ctx.log.error('not shown');
    return { text: loud ? name.toUpperCase() : name, attempt: ctx.attempt, left: ctx.remainingMs() };
  },
});

describe('runTask', () => {
  it('runs with a made-up first attempt and writes nothing', async () => {
    const write = vi.spyOn(process.stdout, 'write');
    const result = await runTask(greet, { name: 'Ada' });
    expect(write).not.toHaveBeenCalled();
    write.mockRestore();
    expect(result).toEqual({ text: 'Ada', attempt: 1, left: expect.any(Number) });
    expect(result.left).toBeGreaterThan(59_000);
    expectTypeOf(result).toEqualTypeOf<{ text: string; attempt: number; left: number }>();
  });

  it('takes overrides, the deadline with what follows from it', async () => {
    const result = await runTask(greet, { name: 'Ada', loud: true }, { attempt: 4, deadline: new Date(0) });
    expect(result).toEqual({ text: 'ADA', attempt: 4, left: 0 });
  });

  it('takes a definition as well as a handler, and its first type', async () => {
    const types = (type: string | string[]) => runTask({ type, input: z.null(), run: (ctx) => ctx.type }, null);
    expect(await types('one')).toBe('one');
    expect(await types(['two', 'three'])).toBe('two');
    expect(await types([])).toBe('test');
  });

  it('throws what run threw, as it is', async () => {
    const busy = new ThrottledError('busy', { retryAfter: 1 });
    const task = defineTask({ type: 't', input: z.null(), run: () => Promise.reject(busy) });
    await expect(runTask(task, null)).rejects.toBe(busy);
  });

  it('refuses an input that does not fit and a result that is not JSON', async () => {
    // @ts-expect-error: the input's type is the schema's
    await expect(runTask(greet, { name: 1 })).rejects.toMatchObject({ name: 'InputError', code: 'SLUICE_FATAL' });
    const task = defineTask({ type: 't', input: z.null(), run: () => 1n });
    await expect(runTask(task, null)).rejects.toBeInstanceOf(FatalError);
  });

  it('gives a signal that has not aborted', async () => {
    const task = defineTask({ type: 't', input: z.null(), run: (ctx) => ctx.signal.aborted });
    expect(await runTask(task, null)).toBe(false);
  });
});
