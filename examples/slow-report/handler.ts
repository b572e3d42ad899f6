import { defineTask, FatalError, PreemptedError, ThrottledError } from '@sluice/handler';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** Milliseconds between two looks at a report that is not ready. */
const PAUSE_MS = 1_000;

const ORDERED = 'ordered';

/**
 * Orders a report from a slow service and waits until it is ready. An order is made once however often the task runs,
 * for it carries the task's uid; and it is taken back when the task is cancelled. A `low` task
 * makes room while it waits, and goes on waiting later.
 */
export const handler = defineTask({
  type: 'slow-report',
  input: z.object({ name: z.string().regex(/^[\w-]{1,64}$/) }),
  async run(ctx, { name }) {
    const report = new URL(`reports/${name}`, process.env['REPORTS_URL']);
    const call = (method: string, signal?: AbortSignal) =>
      fetch(report, { method, headers: { 'idempotency-key': ctx.uid }, ...(signal && { signal }) });
    try {
      if (ctx.lastCheckpoint !== ORDERED) await answered(await call('PUT', ctx.signal));
      for (;;) {
        ctx.checkpoint(ORDERED);
        const response = await answered(await call('GET', ctx.signal));
        if (response.status === 200) return response.json();
        await sleep(PAUSE_MS, undefined, { signal: ctx.signal });
      }
    } catch (error) {
      // One that only makes room goes on waiting for its order later.
      if (ctx.signal.aborted && !(ctx.signal.reason instanceof PreemptedError)) {
        ctx.log.info('taking the order back', { name, why: String(ctx.signal.reason) });
        await call('DELETE', AbortSignal.timeout(PAUSE_MS)).catch(() => undefined);
      }
      throw error;
    }
  },
});

async function answered(response: Response): Promise<Response> {
  if (response.status === 429) {
    throw new ThrottledError('the service is busy', { retryAfter: Number(response.headers.get('retry-after') ?? NaN) });
  }
  if (response.status === 404 || response.status === 400)
    throw new FatalError(`the service knows no such report: ${await response.text()}`);
  if (!response.ok) throw new Error(`the service answered ${response.status}`);
  return response;
}
