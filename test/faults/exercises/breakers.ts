import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { breakerKey, type Breaker } from '@sluice/contracts';
import { breakerItemKey } from '../../../adapters/aws/keys.ts';
import { breakerOfItem } from '../../../adapters/aws/type-registry.ts';
import { newBreaker } from '../../../core/breakers/decide.ts';
import { TYPES, type TypeName } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { WRITE_BREAKER } from './sites.ts';

/** Which function settles the attempts of types that start as these do, and so tells their breakers. */
const SETTLERS = [
  [TYPES.event, 'settle'],
  [TYPES.wait, 'dispatch'],
] as const;
const OPEN_MS = 8_000;
/** Longer ago than a breaker may be half open without a probe. */
const IDLE_MS = 200_000;

/** Breakers, each of a task type that this run has for itself. */
export const breakers: readonly Exercise[] = [
  ...SETTLERS.flatMap(([like, fn]): Exercise[] => [
    {
      name: `counts a crash ${like}`,
      run: (stage) =>
        withType(stage, like, {}, async (type) => {
          await stage.submit('task', type, { do: 'crash-once' });
          await stage.ends('task', { state: 'succeeded', attempts: 2 });
        }),
    },
    {
      name: `probes after an outage ${like}`,
      calls: [fn],
      run: (stage) =>
        withType(stage, like, { state: 'open', probeAt: Date.now() - 1_000 }, async (type) => {
          await stage.submit('task', type, { do: 'ok' });
          await stage.ends('task', { state: 'succeeded', attempts: 1 });
        }),
    },
    {
      name: `probes with a task of a breaker that is deleted meanwhile ${like}`,
      run: (stage) =>
        withType(stage, like, { state: 'open', probeAt: Date.now() - 1_000 }, async (type) => {
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
      withType(stage, TYPES.event, { state: 'open', probeAt: Date.now() + OPEN_MS }, async (type) => {
        const expiresAt = new Date(Date.now() + OPEN_MS / 2).toISOString();
        await stage.submit('task', type, { do: 'ok' });
        const submitted = await stage.submit('short', type, { do: 'ok' }, { expiresAt }).catch(() => undefined);
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
        if (submitted) await stage.ends('short', { state: ['expired', 'succeeded'] });
      }),
  },
  {
    name: 'closes a breaker that nobody asks any more',
    ticks: ['timers'],
    run: (stage) => closes(stage, async () => undefined),
  },
  {
    name: 'closes a breaker that is deleted meanwhile',
    run: (stage) =>
      closes(stage, async (type) => {
        const armed = stage.arm({ ...WRITE_BREAKER, fn: 'timers', kind: 'delay' });
        await armed.whenFired();
        await deleteBreaker(stage, type);
      }),
  },
];

async function closes(stage: Stage, meanwhile: (type: string) => Promise<void>): Promise<void> {
  const breaker = { state: 'half-open', since: Date.now() - IDLE_MS, passed: 1 } as const;
  await withType(stage, TYPES.event, breaker, async (type) => {
    await meanwhile(type);
    await stage.until('the breaker is not half open', async () => {
      const { clients, table: TableName } = stage.world;
      const key = breakerItemKey(breakerKey(type));
      const { Item: item } = await clients.dynamodb.send(new GetCommand({ TableName, Key: key, ConsistentRead: true }));
      return item === undefined || breakerOfItem(item)?.state === 'closed';
    });
  });
}

/** A task type of this run's own, as another one is, and its breaker, there before it. */
async function withType(stage: Stage, like: TypeName, breaker: Partial<Breaker>, run: (type: string) => Promise<void>): Promise<void> {
  const { types, typeWriter, clients, table: TableName } = stage.world;
  const type = `type-of-${stage.tenant}`;
  const spec = await types.get(like);
  if (!spec) throw new Error(`there is no type ${like}`);
  const key = breakerKey(type);
  if (breaker.state !== undefined) {
    const now = Date.now();
    const made = { ...newBreaker(key, now), seq: 1, opening: 1, openedAt: now - IDLE_MS, pauseMs: 5_000, ...breaker };
    await clients.dynamodb.send(
      new PutCommand({ TableName, Item: { ...breakerItemKey(key), v: 1, seq: made.seq, breaker: JSON.stringify(made) } }),
    );
  }
  await typeWriter.put({ ...spec, type }, stage.tenant);
  try {
    await run(type);
    await stage.permitsReturned();
  } finally {
    await typeWriter.remove(type, stage.tenant);
    await deleteBreaker(stage, type);
  }
}

async function deleteBreaker(stage: Stage, type: string): Promise<void> {
  const { clients, table: TableName } = stage.world;
  await clients.dynamodb.send(new DeleteCommand({ TableName, Key: breakerItemKey(breakerKey(type)) }));
}
