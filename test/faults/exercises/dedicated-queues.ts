import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TaskHint } from '@sluice/contracts';
import { systemRandom } from '../../../adapters/system.ts';
import { TYPES } from '../app/types.ts';
import { depthOf } from '../world/queues.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { closeAll, forget, makeQueues, nameOfQueue, noteDedicated, QUEUES, stateOf } from './routing-scenes.ts';
import { comesTo, foundByAudit, messageOf, rowWithoutHint, sendToDeadHints } from './scenes.ts';
import { LOOK_AT_ROW, SEND_ELSEWHERE } from './sites.ts';
import { TASK } from './schedule-scenes.ts';

const FAR_MS = 30 * 60_000;
const DAY_MS = 86_400_000;

/** Queues of single tenants: made, used, closed, gone before their time, and all taken away. */
export const dedicatedQueues: readonly Exercise[] = [
  {
    name: 'gives a tenant queues of its own, and takes them away',
    notBeside: QUEUES,
    run: async (stage) => {
      const generation = await noteDedicated(stage, 'creating');
      await stage.until('it has queues of its own', async () => (await stateOf(stage)) === 'active');
      const url = urlOf(stage, nameOfQueue('normal', generation));
      const ids: string[] = [];
      await stage.until('a hint goes through them', async () => {
        const { id } = await stage.submit(`task-${ids.length}`, TYPES.event, { do: 'ok' }, { delaySeconds: 3 });
        ids.push(id);
        return (await depthOf(stage.world.clients.sqs, url)) > 0;
      });
      await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
      await closeAll(stage);
    },
  },
  {
    name: 'hints anew what is left in a queue that closes',
    notBeside: QUEUES,
    run: async (stage) => {
      const generation = await noteDedicated(stage, 'draining');
      await makeQueues(stage, generation);
      const near = await rowWithoutHint(stage, 'near', TYPES.event, Date.now());
      const far = await rowWithoutHint(stage, 'far', TYPES.event, Date.now() + FAR_MS);
      for (const row of [near, far]) await leave(stage, generation, messageOf(row));
      await closeAll(stage);
      await stage.ends('near', { state: 'succeeded', attempts: 1 });
      await stage.client.cancel('far');
      await stage.ends('far', { state: 'cancelled', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'hints elsewhere what is left in a queue that closes, where the next ones are gone',
    notBeside: QUEUES,
    run: (stage) =>
      withLostQueues(stage, () =>
        comesTo(stage, { ...SEND_ELSEWHERE, fn: 'control' }, async (n) => {
          const generation = await noteDedicated(stage, 'closing');
          await makeQueues(stage, generation);
          const row = await rowWithoutHint(stage, `task-${n}`, TYPES.event, Date.now());
          await leave(stage, generation, messageOf(row));
          await stage.ends(row.id, { state: 'succeeded', attempts: 1 });
        }),
      ),
  },
  ...(['submit', 'dispatch', 'settle'] as const).map((fn): Exercise => ({
    name: `hints elsewhere where the queues of a tenant are gone: ${fn}`,
    run: (stage) =>
      hintsElsewhere(stage, fn, async (id) => {
        await stage.submit(id, TYPES.event, { do: 'fail-once' });
        await stage.ends(id, { state: 'succeeded', attempts: 2 });
      }),
  })),
  {
    name: 'hints elsewhere where the queues of a tenant are gone: api',
    run: (stage) =>
      hintsElsewhere(stage, 'api', async (id) => {
        const { uid } = await stage.submit(id, TYPES.event, { do: 'fatal' });
        await stage.ends(id, { state: 'failed', reason: 'fatal', attempts: 1 });
        const again = await stage.client.retry(id, { uid });
        await stage.ends(id, { state: 'failed', reason: 'fatal', attempts: 1 }, again.uid);
      }),
  },
  {
    name: 'hints elsewhere where the queues of a tenant are gone: system',
    run: (stage) =>
      hintsElsewhere(stage, 'system', async (id) => {
        await stage.client.schedules.put(id, { everySeconds: 1, task: TASK });
        const isFired = async (): Promise<boolean> => ((await stage.world.schedules.get(stage.tenant, id))?.counts.submitted ?? 0) > 1;
        await stage.until('it is fired', isFired);
        await stage.client.schedules.pause(id);
        for await (const task of stage.client.list({ type: TYPES.event, from: new Date(Date.now() - DAY_MS / 24) })) {
          await stage.ends(task.id, { state: 'succeeded', attempts: 1 });
        }
      }),
  },
  {
    name: 'hints elsewhere where the queues of a tenant are gone: timers',
    run: (stage) =>
      hintsElsewhere(stage, 'timers', async (id) => {
        const row = await rowWithoutHint(stage, id, TYPES.event, Date.now());
        await sendToDeadHints(stage, messageOf(row));
        await stage.ends(id, { state: 'succeeded', attempts: 1 });
      }),
  },
  {
    name: 'hints elsewhere where the queues of a tenant are gone: audit',
    ticks: ['audit'],
    run: async (stage) => {
      const found = async (id: string): Promise<void> => {
        await rowWithoutHint(stage, id, TYPES.event, Date.now() - 2 * DAY_MS);
        await foundByAudit(stage, id);
      };
      await hintsElsewhere(stage, 'audit', found);
      // What it knows of the routing is then asked for anew.
      await sleep(ROUTING_USED_MS);
      await found('later');
    },
  },
  {
    name: 'finds a queue busy, and who keeps it so',
    alone: 'a busy queue',
    notBeside: QUEUES,
    ticks: ['control'],
    run: async (stage) => {
      await stage.until('the tenant is noted', async () => {
        await keepBusy(stage);
        return (await stateOf(stage)) !== undefined;
      });
      await closeAll(stage);
    },
  },
];

/** Longer than a routing is used that says something, ms. */
const ROUTING_USED_MS = 5_500;

/** Queues of the tenant that the routing knows, and that somebody has deleted. */
async function withLostQueues(stage: Stage, run: () => Promise<void>): Promise<void> {
  const lost = await noteDedicated(stage, 'active');
  try {
    await run();
  } finally {
    await forget(stage, lost);
  }
}

/** A function comes to know them in some seconds, while it is used. */
async function hintsElsewhere(stage: Stage, fn: string, once: (id: string) => Promise<void>): Promise<void> {
  await withLostQueues(stage, () => comesTo(stage, { ...SEND_ELSEWHERE, fn }, (n) => once(`task-${n}`), 30));
}

function urlOf({ world: { queuePrefix } }: Stage, name: string): string {
  return queuePrefix.replace(/[^/]*$/, name);
}

/** Leaves a message in a queue that nobody consumes. */
async function leave(stage: Stage, generation: number, message: TaskHint): Promise<void> {
  const QueueUrl = urlOf(stage, nameOfQueue('normal', generation));
  await stage.world.clients.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(message) }));
}

/** A queue that no exercise uses, and invocations that it has at most. */
const BUSY = { priority: 'low', shard: 2 } as const;
const INVOCATIONS = 2;
/** More than a queue has that is not busy, and who else there is in it. */
const MESSAGES = 25;
/** ms that dispatch is held for: a call of it is given up after 15 s. */
const HELD_MS = 12_000;
/** ms between two readings, of which a decision takes three. */
const READ_MS = 3_000;

/** Lets messages wait in a queue while whoever works it off is held up. */
async function keepBusy(stage: Stage): Promise<void> {
  const held = Array.from({ length: INVOCATIONS }, () => stage.arm({ ...LOOK_AT_ROW, kind: 'hold' }));
  const message = (made: number): TaskHint => {
    const uid = systemRandom.ulid(made);
    const task = { id: uid, uid, type: TYPES.event, seq: 1, at: made, made, priority: BUSY.priority };
    return { v: 1, kind: 'tasks', tenant: stage.tenant, tasks: [task] };
  };
  const send = async (count: number, made: number): Promise<void> => {
    const hints = Array.from({ length: count }, () => ({ queue: BUSY, message: message(made), delaySeconds: 0 }));
    await stage.world.queue.send(hints);
  };
  try {
    for (const each of held) {
      // Of a task that is about to be, for which it looks at once.
      await send(1, Date.now());
      await Promise.race([each.whenFired(), sleep(HELD_MS)]);
    }
    // Of tasks that never were: they are dropped when they are received.
    await send(MESSAGES, Date.now() - DAY_MS);
    for (const end = Date.now() + HELD_MS; Date.now() < end && (await stateOf(stage)) === undefined; await sleep(READ_MS)) {
      // It looks again itself, but later than that.
      void stage.tick('control');
    }
  } finally {
    for (const each of held) stage.world.proxy.disarm(each);
  }
}
