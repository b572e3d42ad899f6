import { SluiceError, type BatchResult } from '@sluice/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SluiceClient, type Fetch } from '../../../packages/client/src/index.ts';
import { accepted } from './samples.ts';

const RETRIES = 2;
/** What a server says of one task, and what it does to a whole call. */
const TASK_ENDS = ['ok', 'ok', 'conflict', 'throttled'] as const;
const CALL_ENDS = ['answered', 'answered', 'answered', 'cut', '503', '401'] as const;

type Step =
  | { readonly do: 'submit'; readonly abortable: boolean }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'answer'; readonly which: number; readonly end: (typeof CALL_ENDS)[number]; readonly tasks: readonly number[] };

const stepArb: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('submit' as const), abortable: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(8) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      which: fc.nat(5),
      end: fc.constantFrom(...CALL_ENDS),
      tasks: fc.array(fc.nat(TASK_ENDS.length - 1), { minLength: 1, maxLength: 6 }),
    }),
  },
);

interface HeldCall {
  readonly ids: readonly string[];
  readonly batch: boolean;
  readonly resolve: (response: Response) => void;
  readonly reject: (error: Error) => void;
}

interface Caller {
  readonly id: string;
  readonly controller: AbortController | undefined;
  /** The number of calls that had been made when it was aborted. */
  abortedAt?: number;
  end?: PromiseSettledResult<unknown>;
}

const refusal = (id: string, code: 'id_conflict' | 'throttled') => new SluiceError(code, `${id} is refused`).toProblem();

/** A server whose answers are held until a step gives them. */
class HeldServer {
  readonly held: HeldCall[] = [];
  readonly made: (readonly string[])[] = [];
  readonly accepted = new Set<string>();

  readonly fetch: Fetch = (url, { body, signal }) =>
    new Promise((resolve, reject) => {
      const batch = url.endsWith('/batch');
      const json = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body)) as { id: string; tasks: { id: string }[] };
      const ids = batch ? json.tasks.map(({ id }) => id) : [json.id];
      const call = { ids, batch, resolve, reject };
      this.held.push(call);
      this.made.push(ids);
      signal.addEventListener('abort', () => {
        const at = this.held.indexOf(call);
        if (at >= 0) this.held.splice(at, 1);
        reject(new Error('aborted'));
      });
    });

  answer(which: number, end: (typeof CALL_ENDS)[number], tasks: readonly number[]): void {
    const [call] = this.held.splice(which % Math.max(1, this.held.length), 1);
    if (!call) return;
    if (end === 'cut') return call.reject(new Error('cut'));
    if (end !== 'answered') return call.resolve(new Response('', { status: Number(end) }));
    const results = call.ids.map((id, n): BatchResult => {
      const taskEnd = TASK_ENDS[tasks[n % tasks.length] ?? 0] ?? 'ok';
      if (taskEnd !== 'ok') return { ok: false, error: refusal(id, taskEnd === 'conflict' ? 'id_conflict' : 'throttled') };
      const deduplicated = this.accepted.has(id);
      this.accepted.add(id);
      return { ok: true, task: accepted(id, deduplicated) };
    });
    const [first] = results;
    if (call.batch || !first) return call.resolve(Response.json({ results }));
    call.resolve(first.ok ? Response.json(first.task) : Response.json(first.error, { status: first.error.status }));
  }
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('gives every caller the answer to its own task, whatever happens to calls, in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArb, { maxLength: 40 }), async (steps) => {
      const server = new HeldServer();
      const client = new SluiceClient({
        baseUrl: 'http://x',
        token: 't',
        fetch: server.fetch,
        retries: RETRIES,
        minRetryDelayMs: 4,
        timeoutMs: 1e6,
      });
      const callers: Caller[] = [];
      for (const step of steps) await take(step, client, server, callers);
      while (callers.some(({ end }) => !end)) {
        await vi.advanceTimersByTimeAsync(5);
        server.answer(0, 'answered', [0]);
      }
      for (const caller of callers) assess(caller, server);
      // No task twice in one call, and nothing left that would be sent later.
      for (const ids of server.made) expect(new Set(ids).size).toBe(ids.length);
      expect(vi.getTimerCount()).toBe(server.held.length);
    }),
    { numRuns: 300 },
  );
});

async function take(step: Step, client: SluiceClient, server: HeldServer, callers: Caller[]): Promise<void> {
  switch (step.do) {
    case 'submit': {
      const caller: Caller = { id: `t${callers.length}`, controller: step.abortable ? new AbortController() : undefined };
      callers.push(caller);
      const call = client.submit({ type: 'x', id: caller.id }, { signal: caller.controller?.signal });
      void Promise.allSettled([call]).then(([end]) => (caller.end = end));
      return;
    }
    case 'abort': {
      const caller = callers[step.which];
      if (!caller?.controller || caller.end || caller.abortedAt !== undefined) return;
      caller.abortedAt = server.made.length;
      caller.controller.abort(caller.id);
      return;
    }
    case 'wait':
      await vi.advanceTimersByTimeAsync(step.ms);
      return;
    case 'answer':
      server.answer(step.which, step.end, step.tasks);
      await vi.advanceTimersByTimeAsync(0);
  }
}

function assess(caller: Caller, server: HeldServer): void {
  const { id, end, abortedAt } = caller;
  const sent = server.made.filter((ids) => ids.includes(id)).length;
  // A call's repeats are counted apart from those of a task in it.
  expect(sent).toBeLessThanOrEqual((RETRIES + 1) ** 2);
  if (end?.status === 'fulfilled') {
    expect(end.value).toMatchObject({ id });
    expect(server.accepted).toContain(id);
  } else if (abortedAt !== undefined && end?.reason === id) {
    // Once it is gone it gets into no new call: later ones with it are repeats of a call that others wait for.
    const carried = server.made.slice(0, abortedAt).some((ids) => ids.includes(id));
    if (!carried) expect(sent).toBe(0);
  } else {
    const error = end?.reason as { kind: string; code?: string; message: string };
    expect(['api', 'connection']).toContain(error.kind);
    if (error.code === 'id_conflict' || error.code === 'throttled') expect(error.message).toContain(`${id} is refused`);
  }
}
