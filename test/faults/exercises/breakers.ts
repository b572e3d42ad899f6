import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { breakerKey, type Breaker } from '@sluice/contracts';
import { breakerItemKey } from '../../../adapters/aws/keys.ts';
import { breakerOfItem } from '../../../adapters/aws/type-registry.ts';
import { newBreaker } from '../../../core/breakers/decide.ts';
import { TYPES, type TypeName } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { comesTo } from './scenes.ts';
import { EXPIRE_HELD, READ, WRITE_BREAKER } from './sites.ts';
import { withType } from './type-scenes.ts';

/** Which function settles the attempts of types that start as these do, and so tells their breakers. */
const SETTLERS = [
  [TYPES.event, 'settle'],
  [TYPES.wait, 'dispatch'],
] as const;
/** What is held for less than a minute is looked at in each tick. */
const SHUT_MS = 50_000;
/** Longer ago than a breaker may be half open without a probe. */
const IDLE_MS = 200_000;

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
          // What settles a probe writes after the dispatcher that let it pass, unless it is that.
          const armed = stage.arm({ ...WRITE_BREAKER, fn, kind: 'delay' });
          const ended = stage.ends('task', { state: 'succeeded', attempts: 1 });
          await Promise.race([armed.whenFired(), ended]);
          await deleteBreaker(stage, type);
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

/** Open, and probed from so many ms on. */
function open(aheadMs: number): Partial<Breaker> {
  return { state: 'open', since: Date.now(), probeAt: Date.now() + aheadMs };
}

/** Half open, and nobody has asked it for longer than it stays so. */
function unasked(): Partial<Breaker> {
  return { state: 'half-open', since: Date.now() - IDLE_MS, passed: 1 };
}

/** A task type of this run's own, as another one is, and its breaker, there before it. */
async function withBreaker(stage: Stage, like: TypeName, breaker: Partial<Breaker>, run: (type: string) => Promise<void>): Promise<void> {
  const before = async (type: string): Promise<void> => {
    if (breaker.state !== undefined) await writeBreaker(stage, type, breaker);
  };
  const running = async (type: string): Promise<void> => {
    try {
      await run(type);
      await stage.permitsReturned();
    } finally {
      await deleteBreaker(stage, type);
    }
  };
  await withType(stage, like, {}, running, before);
}

async function writeBreaker({ world: { clients, table: TableName } }: Stage, type: string, breaker: Partial<Breaker>): Promise<void> {
  const key = breakerKey(type);
  const now = Date.now();
  const made = { ...newBreaker(key, now), seq: 1, opening: 1, openedAt: now - IDLE_MS, pauseMs: 5_000, ...breaker };
  const Item = { ...breakerItemKey(key), v: 1, seq: made.seq, breaker: JSON.stringify(made) };
  await clients.dynamodb.send(new PutCommand({ TableName, Item }));
}

async function stored({ world: { clients, table: TableName } }: Stage, type: string): Promise<Breaker | undefined> {
  const Key = breakerItemKey(breakerKey(type));
  const { Item: item } = await clients.dynamodb.send(new GetCommand({ TableName, Key, ConsistentRead: true }));
  return item && breakerOfItem(item);
}

async function deleteBreaker(stage: Stage, type: string): Promise<void> {
  const { clients, table: TableName } = stage.world;
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: breakerItemKey(breakerKey(type)) }));
}
