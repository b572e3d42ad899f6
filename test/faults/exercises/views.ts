import { breakerKey } from '@sluice/contracts';
import { PERMITS_PER_CELL } from '../../../core/permits/cells.ts';
import { TYPES } from '../app/types.ts';
import { open, SHUT_MS, withBreaker, writeBreaker } from './breaker-scenes.ts';
import type { Exercise } from './exercise.ts';
import { withType } from './type-scenes.ts';

/** What `api` tells of lanes and breakers. What it reads of breakers, shares and types names nobody. */
export const views: readonly Exercise[] = [
  {
    name: 'shows a lane of several cells that runs a task',
    calls: ['api'],
    of: 'core/',
    run: (stage) =>
      withType(stage, TYPES.event, { concurrency: 2 * PERMITS_PER_CELL }, async (type) => {
        await stage.submit('task', type, { do: 'ok', ms: 2_000 });
        await stage.running('task');
        const { limits } = await stage.client.lanes.get(type);
        if (limits.concurrency !== 2 * PERMITS_PER_CELL) throw new Error(`its limits are ${JSON.stringify(limits)}`);
        const operator = await stage.operator();
        for await (const lane of operator.lanes.list({ tenant: '*', type })) {
          if (lane.type !== type || lane.tenant !== stage.tenant) throw new Error(`a lane of ${lane.tenant} and ${lane.type} is shown`);
        }
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      }),
  },
  {
    name: 'shows what a breaker holds',
    calls: ['api'],
    of: 'core/',
    run: (stage) =>
      withBreaker(stage, TYPES.event, open(SHUT_MS), async (type) => {
        await stage.submit('task', type, { do: 'ok' });
        const operator = await stage.operator();
        await stage.until('the task is held', async () => {
          // It stays open for as long as that takes.
          await writeBreaker(stage, type, open(SHUT_MS));
          const { state, held } = await operator.breakers.get(breakerKey(type));
          return state === 'open' && held.tasks === 1;
        });
        const breakers = await operator.breakers.list({ state: 'open' });
        if (!breakers.some(({ breaker }) => breaker === breakerKey(type))) throw new Error('the breaker is not listed');
        const waiting: string[] = [];
        for await (const lane of operator.lanes.list({ tenant: stage.tenant, waiting: true })) waiting.push(lane.type);
        if (waiting.join() !== type) throw new Error(`lanes of ${waiting.join()} wait`);
        await writeBreaker(stage, type, open(-1_000));
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      }),
  },
];
