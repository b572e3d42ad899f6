import { LIMITS, taskTypeSpecSchema } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../core/api/cancel-task.ts';
import { viewState } from '../../core/api/view.ts';
import { FAILED_RETENTION_SECONDS } from '../../core/settle/decide.ts';
import { createWorld, typeSpec, type World } from '../helpers/world.ts';
import { textOf } from './pages.ts';

const WINDOW_SECONDS = 3_600;
const page = textOf('docs/dedup.md');
const words = page.replaceAll(/\s+/g, ' ');
const rows = [...page.matchAll(/^\| (`.*) \| (.*) \| (.*) \|$/gm)].map(([, state = '', same = '', other = '']) => ({ state, same, other }));

const PAYLOAD = { order: 1, name: 'Ada' };
const FIRST = { type: 'echo', id: 't1', payload: PAYLOAD };

interface Setting {
  readonly state: string;
  readonly make: () => Promise<World>;
}

/** A world in which the task has that state, for each row of the table. */
const SETTINGS: Readonly<Record<string, Setting>> = {
  '`waiting`': { state: 'waiting', make: () => submitted({ delaySeconds: 3_600 }) },
  '`running`': { state: 'running', make: running },
  '`cancelling`': {
    state: 'cancelling',
    make: async () => {
      const world = await running();
      await cancelTask(world.deps, 'a', 't1');
      return world;
    },
  },
  '`succeeded`, within the window': { state: 'succeeded', make: () => ended('ok', WINDOW_SECONDS - 60) },
  '`succeeded`, after the window': { state: 'succeeded', make: () => ended('ok', WINDOW_SECONDS + 60) },
  '`failed`': { state: 'failed', make: () => ended('fail', 0) },
  '`failed` as `outcome_unknown`, within 30 days': { state: 'failed', make: () => lost(FAILED_RETENTION_SECONDS - 60) },
  '`failed` as `outcome_unknown`, after that': { state: 'failed', make: () => lost(FAILED_RETENTION_SECONDS + 60) },
  '`expired`': {
    state: 'expired',
    make: async () => {
      const world = createWorld({ types: [type] });
      await world.submit('a', { ...FIRST, expiresAt: new Date(world.clock.now() + 1_000).toISOString() });
      world.clock.advance(2_000);
      await world.run();
      return world;
    },
  },
  '`cancelled`': {
    state: 'cancelled',
    make: async () => {
      const world = await submitted({ delaySeconds: 3_600 });
      await cancelTask(world.deps, 'a', 't1');
      return world;
    },
  },
};

const type = typeSpec('echo', { dedupWindowSeconds: WINDOW_SECONDS });

/** ms: a row whose time to live is over is still there, for the table deletes it some time later. */
const LATE_MS = 86_400_000;

async function submitted(over: object): Promise<World> {
  const world = createWorld({ types: [type], handlers: { echo: () => 'ok' } });
  await world.submit('a', { ...FIRST, ...over });
  return world;
}

async function running(): Promise<World> {
  const world = createWorld({ types: [type], handlers: { echo: () => 'ok' }, launch: () => undefined });
  await world.submit('a', FIRST);
  await world.dispatchOnce();
  return world;
}

async function ended(how: 'ok' | 'fail', passedSeconds: number): Promise<World> {
  const fail = (): never => {
    throw Object.assign(new Error('no'), { name: 'FatalError' });
  };
  const world = createWorld({ types: [type], handlers: { echo: how === 'ok' ? () => 'ok' : fail }, ttlLateMs: LATE_MS });
  await world.submit('a', FIRST);
  await world.run();
  world.clock.advance(passedSeconds * 1000);
  return world;
}

async function lost(passedSeconds: number): Promise<World> {
  const world = createWorld({ types: [type], handlers: { echo: () => 'ok' }, launch: () => undefined, ttlLateMs: LATE_MS });
  await world.submit('a', FIRST);
  await world.run();
  expect(await world.row('a', 't1')).toMatchObject({ reason: 'outcome_unknown', lost: LIMITS.lostOutcomes });
  world.clock.advance(passedSeconds * 1000);
  return world;
}

const same = { type: 'echo', id: 't1', payload: { name: 'Ada', order: 1 } };
const other = { type: 'echo', id: 't1', payload: { order: 2 } };

describe('docs/dedup.md: the same id again', () => {
  it('has a row for every state', () => {
    expect(rows.map(({ state }) => state)).toEqual(Object.keys(SETTINGS));
  });

  it.each(
    rows.flatMap(({ state, ...cells }) => [
      ['the same payload', state, same, cells.same] as const,
      ['another payload', state, other, cells.other] as const,
    ]),
  )('%s, when it is %s', async (_, state, submission, said) => {
    const setting = SETTINGS[state];
    const world = await setting!.make();
    const before = await world.row('a', 't1');
    expect(viewState(before)).toBe(setting?.state);

    const [result] = await world.submit('a', submission);

    const after = await world.row('a', 't1');
    switch (said) {
      case 'the task that exists':
        expect(result).toMatchObject({ ok: true, task: { uid: before.uid, state: before.state, deduplicated: true } });
        expect(after).toEqual(before);
        break;
      case '`409`': {
        const error = result?.ok === false ? result.error : undefined;
        expect(error).toMatchObject({ code: 'id_conflict', status: 409, details: { existing: before.hash } });
        expect(error?.details?.['given']).toMatch(/^[\w-]{43}$/);
        expect(error?.details?.['given']).not.toBe(before.hash);
        expect(after).toEqual(before);
        break;
      }
      case 'a new task':
        expect(result).toMatchObject({ ok: true, task: { state: 'waiting', deduplicated: false } });
        expect(after.uid).not.toBe(before.uid);
        expect(world.tasks.archived()).toEqual([before]);
        break;
      default:
        throw new Error(`the table says "${said}"`);
    }
  });

  it('another type is as another payload, and another tenant has an id of its own', async () => {
    const world = createWorld({ types: [type, typeSpec('other')] });
    const [first] = await world.submit('a', { ...FIRST, delaySeconds: 60 });
    expect((await world.submit('a', { ...FIRST, type: 'other' }))[0]).toMatchObject({ ok: false, error: { code: 'id_conflict' } });
    const [theirs] = await world.submit('b', { ...other });
    expect(theirs).toMatchObject({ ok: true, task: { deduplicated: false } });
    expect(theirs).not.toEqual(first);
  });

  it.each([2, 10, 100])('%i submissions at once make one task, which runs once', async (count) => {
    let runs = 0;
    const world = createWorld({ types: [type], handlers: { echo: () => ++runs } });

    const results = await Promise.all(Array.from({ length: count }, () => world.submit('a', FIRST)));

    const tasks = results.flat().flatMap((result) => (result.ok ? [result.task] : []));
    expect(tasks).toHaveLength(count);
    expect(new Set(tasks.map(({ uid }) => uid)).size).toBe(1);
    expect(tasks.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    await world.run();
    expect(runs).toBe(1);
  });

  it('says the window as the code has it', () => {
    const { dedupWindowSeconds } = taskTypeSpecSchema.parse({ ...typeSpec('a'), dedupWindowSeconds: undefined });
    expect(words).toContain(`${dedupWindowSeconds / 86_400} days by default, from 1 minute to 365 days`);
    expect(words).toContain(`its id stays taken for ${FAILED_RETENTION_SECONDS / 86_400} days`);
    for (const [seconds, fits] of [
      [59, false],
      [60, true],
      [365 * 86_400, true],
      [365 * 86_400 + 1, false],
    ] as const) {
      expect(taskTypeSpecSchema.safeParse(typeSpec('a', { dedupWindowSeconds: seconds })).success).toBe(fits);
    }
  });
});
