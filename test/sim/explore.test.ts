import type { HintedTask } from '@sluice/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMemoryBacklogStore, createMemoryPermitStore, createMemoryTaskStore } from '../../adapters/memory/index.ts';
import { CALLS } from '../../sim/explore/apply.ts';
import { CONFIGS } from '../../sim/explore/configs.ts';
import { LEAST_STATES, shortOf, WHOLE } from '../../sim/explore/promised.ts';
import { explore } from '../../sim/explore/search.ts';
import { emptyWorld } from '../../sim/explore/world.ts';
import { hintedTask, rowOf } from '../helpers/samples.ts';

const question = (name: string) => {
  const found = CONFIGS.find((config) => config.name === name);
  if (!found) throw new Error(`no question ${name}`);
  return found;
};

describe('the explorer', () => {
  it('visits every state of a small world, and finds the same again', async () => {
    const once = await explore(question('event'));
    expect(once).toMatchObject({ complete: true, violations: [] });
    expect(once.states).toBeGreaterThan(150);
    expect(await explore(question('event'))).toEqual(once);
  });

  it.each(['wait-wide', 'wait-once', 'event-lost'])(
    'finds nothing wrong with "%s", whole',
    async (name) => {
      const result = await explore(question(name));
      expect(result).toMatchObject({ complete: true, violations: [] });
      expect(result.states).toBeGreaterThan(500);
      expect(result.ends).toBeGreaterThan(3);
    },
    90_000,
  );

  it('stops where it is told to, and says that it is not complete', async () => {
    expect(await explore(question('wait'), { states: 100 })).toMatchObject({ complete: false, violations: [] });
  });
});

describe('a run of all questions', () => {
  const results = CONFIGS.map(({ name }) => ({ config: name, states: LEAST_STATES / CONFIGS.length, complete: WHOLE.includes(name) }));

  it('may leave states out where a question is too large', () => {
    expect(shortOf(results)).toEqual([]);
  });

  it('falls short when a question that is to be whole is not', () => {
    const partly = results.map((result) => ({ ...result, complete: result.complete && result.config !== 'far' }));
    expect(shortOf(partly)).toEqual(['the question far is to be visited whole, and was not']);
  });

  it('falls short with too few states', () => {
    const few = results.map((result) => ({ ...result, states: 1 }));
    expect(shortOf(few)).toEqual([`${CONFIGS.length} states, of at least ${LEAST_STATES}`]);
  });
});

/** The same calls on a memory adapter and on the world of the explorer. */
async function sameAnswers(adapter: object, calls: readonly { at: string; args: readonly unknown[] }[]): Promise<void> {
  let world = emptyWorld(0);
  for (const { at, args } of calls) {
    const applied = CALLS[at]?.(world, ...(args as never[]));
    if (!applied) throw new Error(`${at} is not explored`);
    world = applied.world;
    const method = (adapter as Record<string, (...args: readonly unknown[]) => Promise<unknown>>)[at.split('.')[1] ?? ''];
    expect(sorted(applied.answer)).toEqual(sorted(await method?.(...args)));
  }
}

/** A cell's permits have no order. */
function sorted(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer ?? null), (key, value: unknown) =>
    key === 'permits' && Array.isArray(value) ? (value as { nonce: string }[]).toSorted((a, b) => (a.nonce < b.nonce ? -1 : 1)) : value,
  );
}

describe('the world of the explorer answers as the memory adapters do', () => {
  const lane = { tenant: 'a', type: 'echo' };
  /** The last argument of a call that is about one of the two places. */
  const place = fc.constantFrom([], ['permits'], ['budget']);

  it('for permits and flags', async () => {
    const permit = fc.record({ expiry: fc.integer({ min: 1, max: 2 }), nonce: fc.constantFrom('x', 'y', 'z') });
    const permits = fc.uniqueArray(permit, { maxLength: 3, selector: (p) => p.nonce });
    const mark = fc.record({ at: fc.integer({ min: 1, max: 2 }), firsts: fc.constant(0), retries: fc.constant(0) });
    const within = fc.record({ seen: fc.option(mark, { nil: undefined }), base: mark, next: mark, most: fc.integer({ min: 0, max: 2 }) });
    const starts = fc.option(
      fc.record({ firsts: fc.constantFrom(0, 1), retries: fc.constantFrom(0, 1), within: fc.option(within, { nil: undefined }) }),
      { nil: undefined },
    );
    const call = fc.oneof(
      fc.tuple(permits, fc.integer({ min: 0, max: 3 }), starts).map((given) => ({ at: 'permits.acquire', args: [lane, 0, ...given] })),
      permits.map((p) => ({ at: 'permits.release', args: [lane, 0, p] })),
      fc.constant({ at: 'permits.read', args: [lane, 0] }),
      place.map((of) => ({ at: 'permits.raise', args: [lane, 0, ...of] })),
      fc.tuple(fc.integer({ min: 0, max: 3 }), place).map(([version, of]) => ({ at: 'permits.clear', args: [lane, 0, version, ...of] })),
    );
    const isOfBudget = ({ at, args }: { at: string; args: readonly unknown[] }, method: string) =>
      at === method && args.at(-1) === 'budget';
    // A flag is cleared as it was read, and so not before it was ever raised.
    const calls = fc.array(call, { maxLength: 20 }).map((all) => {
      const first = all.findIndex((each) => isOfBudget(each, 'permits.raise'));
      return all.filter((each, i) => !isOfBudget(each, 'permits.clear') || (first >= 0 && i > first));
    });
    await fc.assert(fc.asyncProperty(calls, (given) => sameAnswers(createMemoryPermitStore(), given)));
  });

  it('for backlogs', async () => {
    const task = fc
      .record({ at: fc.integer({ min: 1, max: 2 }), seq: fc.integer({ min: 0, max: 2 }) })
      .map((over): HintedTask => hintedTask(over));
    const tasks = fc.array(task, { minLength: 1, maxLength: 2 });
    const call = fc.oneof(
      fc.tuple(tasks, place).map(([given, of]) => ({ at: 'backlog.put', args: [lane, given, ...of] })),
      fc.tuple(tasks, place).map(([given, of]) => ({ at: 'backlog.remove', args: [lane, given, ...of] })),
      fc.tuple(fc.integer({ min: 1, max: 4 }), place).map(([limit, of]) => ({ at: 'backlog.first', args: [lane, limit, ...of] })),
      fc.integer({ min: 0, max: 2 }).map((now) => ({ at: 'backlog.register', args: [lane, now] })),
      fc.integer({ min: 0, max: 3 }).map((at) => ({ at: 'backlog.unregister', args: [{ lane, at }] })),
      fc.constant({ at: 'backlog.lanes', args: [] }),
    );
    await fc.assert(fc.asyncProperty(fc.array(call, { maxLength: 20 }), (calls) => sameAnswers(createMemoryBacklogStore(), calls)));
  });

  it('for rows', async () => {
    const row = fc.record({ uid: fc.constantFrom('u1', 'u2'), seq: fc.integer({ min: 0, max: 1 }) }).map((over) => rowOf(over));
    const version = fc.record({
      uid: fc.constantFrom('u1', 'u2'),
      seq: fc.integer({ min: 0, max: 3 }),
      state: fc.constantFrom(undefined, 'waiting' as const, 'running' as const),
    });
    const change = fc.record({
      set: fc.record({ state: fc.constantFrom('waiting' as const, 'running' as const), attempts: fc.integer({ min: 0, max: 2 }) }),
      setOnce: fc.record({ firstClaimAt: fc.integer({ min: 1, max: 2 }) }),
      remove: fc.constantFrom([], ['startedAt' as const], ['attempts' as const]),
    });
    const call = fc.oneof(
      row.map((given) => ({ at: 'tasks.insert', args: [given] })),
      fc.tuple(row, version).map((args) => ({ at: 'tasks.replace', args })),
      fc.tuple(version, change).map(([v, c]) => ({ at: 'tasks.update', args: ['a', 't1', v, c] })),
      fc.constantFrom('t1', 't2').map((id) => ({ at: 'tasks.get', args: ['a', id] })),
    );
    await fc.assert(fc.asyncProperty(fc.array(call, { maxLength: 20 }), (calls) => sameAnswers(createMemoryTaskStore(), calls)));
  });
});
