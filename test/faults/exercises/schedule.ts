import { minuteOf } from '../../../core/hints/timing.ts';
import { TYPES } from '../app/types.ts';
import type { Exercise } from './exercise.ts';
import { foundByAudit, messageOf, rowWithoutHint, sendToDeadHints, setCursor } from './scenes.ts';

const FAR_MS = 30 * 60_000;
const DAY_MS = 86_400_000;

/** What `timers` and `audit` find on their own. */
export const schedule: readonly Exercise[] = [
  {
    name: 'moves a bucket to the queues',
    ticks: ['timers'],
    run: async (stage) => {
      const now = Date.now();
      const row = await rowWithoutHint(stage, 'task', TYPES.event, now + 1_000);
      const shard = row.uid.charCodeAt(20) % stage.world.buckets.shards;
      await stage.world.buckets.put(minuteOf(now), shard, row.uid, messageOf(row));
      await setCursor(stage, shard, minuteOf(now) - 1);
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'hints anew what a queue gave up on',
    ticks: ['timers'],
    run: async (stage) => {
      const row = await rowWithoutHint(stage, 'task', TYPES.event, Date.now());
      await sendToDeadHints(stage, messageOf(row));
      await stage.ends('task', { state: 'succeeded', attempts: 1 });
    },
  },
  {
    name: 'puts what a queue gave up on into its bucket',
    ticks: ['timers'],
    run: async (stage) => {
      const row = await rowWithoutHint(stage, 'task', TYPES.event, Date.now() + FAR_MS);
      await sendToDeadHints(stage, messageOf(row));
      await stage.until('it is in a bucket', () => stage.seen('timers', 'core/hints/place putIntoBucket buckets.put'));
      await stage.client.cancel('task');
      await stage.ends('task', { state: 'cancelled', attempts: 0, lost: 0 });
    },
  },
  {
    name: 'finds a task that nobody has looked at for a day',
    ticks: ['audit'],
    run: async (stage) => {
      await rowWithoutHint(stage, 'task', TYPES.event, Date.now() - 2 * DAY_MS);
      await foundByAudit(stage, 'task');
    },
  },
];
