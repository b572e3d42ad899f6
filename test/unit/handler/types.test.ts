import type { KitReply } from '@sluice/contracts';
import { defineTask, runTask, ThrottledError, type TaskContext, type TaskDefinition } from '@sluice/handler';
import type { Context } from 'aws-lambda';
import { expectTypeOf, it } from 'vitest';
import { z } from 'zod';

/** Checked by `tsc`; at run time these pass by being there. */
const input = z.object({ to: z.string(), times: z.number().default(1), at: z.string().transform((s) => new Date(s)) });

it('types the input of run by the output of the schema', () => {
  defineTask({
    type: 't',
    input,
    run: (ctx, given) => {
      expectTypeOf(ctx).toEqualTypeOf<TaskContext>();
      expectTypeOf(given).toEqualTypeOf<{ to: string; times: number; at: Date }>();
    },
  });
});

it('is a Lambda handler that answers with a kit reply', () => {
  const handler = defineTask({ type: 't', input, run: () => ({ sent: true }) });
  expectTypeOf(handler).toBeCallableWith({}, {} as Context);
  expectTypeOf(handler).returns.resolves.toEqualTypeOf<KitReply>();
  expectTypeOf(handler).toExtend<TaskDefinition<typeof input, { sent: boolean }>>();
});

it('types runTask by the input of the schema and the result of run', () => {
  const handler = defineTask({ type: 't', input, run: async () => Promise.resolve({ sent: true }) });
  expectTypeOf(runTask<typeof input, { sent: boolean }>)
    .parameter(1)
    .toEqualTypeOf<{ to: string; times?: number | undefined; at: string }>();
  const run = () => runTask(handler, { to: 'a', at: '2026-01-01' });
  expectTypeOf(run).returns.resolves.toEqualTypeOf<{ sent: boolean }>();
});

it('refuses a run that wants what the schema does not give', () => {
  // @ts-expect-error: the schema has no `cc`
  defineTask({ type: 't', input, run: (_ctx, given: { cc: string }) => given.cc });
  // @ts-expect-error: retryAfter is seconds or a Date
  const wrong = () => new ThrottledError('x', { retryAfter: 'soon' });
  expectTypeOf(wrong).returns.toEqualTypeOf<ThrottledError>();
});
