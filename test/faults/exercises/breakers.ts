import type { Breaker } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';
import { TYPES } from '../app/types.ts';
import { deleteBreaker, IDLE_MS, open, SHUT_MS, stored, withBreaker, writeBreaker } from './breaker-scenes.ts';
import type { Exercise } from './exercise.ts';
import { comesTo } from './scenes.ts';
import { EXPIRE_HELD, READ, WRITE_BREAKER } from './sites.ts';

/** Which function settles the attempts of types that start as these do, and so tells their breakers. */
const SETTLERS = [
  [TYPES.event, 'settle'],
  [TYPES.wait, 'dispatch'],
] as const;

/** ms in which a breaker is written of which a task has ended, if at all. */
const COMES_MS = 20_000;

/** Breakers, each of a task type that this run has for itself. */
export const breakers: readonly Exercise[] = [
  ...SETTLERS.flatMap(([like, fn]): Exercise[] => [
    {
      name: `counts a crash ${like}`,
      run: (stage) =>
        withBreaker(stage, like, {}, async (type) => {
          await stage.submit('task', type, { do: 'crash-once' });
          await stage.ends('task', { state: 'succeeded', attempts: 2 });
        }),
    },
    {
      name: `probes after an outage ${like}`,
      calls: [fn],
      run: (stage) =>
        withBreaker(stage, like, open(-1_000), async (type) => {
          await stage.submit('task', type, { do: 'ok' });
          await stage.ends('task', { state: 'succeeded', attempts: 1 });
        }),
    },
    {
      name: `probes with a task of a breaker that is deleted meanwhile ${like}`,
      run: (stage) =>
        withBreaker(stage, like, open(-1_000), async (type) => {
          await stage.submit('task', type, { do: 'ok', ms: 500 });
          // What settles a probe writes after the dispatcher that let it pass, unless it is that; and after the row, which may be seen first.
          const armed = stage.arm({ ...WRITE_BREAKER, fn, kind: 'hold' });
          const ended = stage.ends('task', { state: 'succeeded', attempts: 1 });
          await Promise.race([armed.whenFired(), sleep(COMES_MS, undefined, { ref: false })]);
          await deleteBreaker(stage, type);
          armed.release();
          await ended;
        }),
    },
  ]),
  {
    name: 'holds tasks behind a breaker',
    run: (stage) =>
      withBreaker(stage, TYPES.event, open(SHUT_MS), async (type) => {
        await stage.submit('task', type, { do: 'ok' });
        const expiresAt = new Date(Date.now() + 2_000).toISOString();
        // A submission that was late is refused.
        const isThere = await stage.submit('short', type, { do: 'ok' }, { expiresAt }).then(
          () => true,
          () => false,
        );
        await stage.until('the held tasks are looked at', async () => {
          await writeBreaker(stage, type, open(SHUT_MS));
          return stage.seen(EXPIRE_HELD.fn, EXPIRE_HELD.port, EXPIRE_HELD.command);
        });
        if (isThere) await stage.ends('short', { state: 'expired', reason: 'expired', attempts: 0, lost: 0 });
        await writeBreaker(stage, type, open(-1_000));
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      }),
  },
  {
    name: 'closes a breaker that nobody asks any more',
    ticks: ['timers'],
    run: (stage) =>
      withBreaker(stage, TYPES.event, unasked(), async (type) => {
        await stage.until('the breaker is closed', async () => (await stored(stage, type))?.state === 'closed');
      }),
  },
  {
    name: 'does not close a breaker that is deleted meanwhile',
    run: (stage) =>
      withBreaker(stage, TYPES.event, {}, async (type) => {
        const write = { ...WRITE_BREAKER, fn: 'timers' };
        await comesTo(stage, { ...write, command: READ.breaker }, async (_, comes) => {
          const armed = stage.arm({ ...write, kind: 'delay' });
          await writeBreaker(stage, type, unasked());
          await armed.whenFired();
          await deleteBreaker(stage, type);
          await comes();
          const after = await stored(stage, type);
          if (after !== undefined) throw new Error(`the breaker is there again: ${JSON.stringify(after)}`);
        });
      }),
  },
];

/** Half open, and nobody has asked it for longer than it stays so. */
function unasked(): Partial<Breaker> {
  return { state: 'half-open', since: Date.now() - IDLE_MS, passed: 1 };
}
