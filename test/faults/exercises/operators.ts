import { ApiError } from '@sluice/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { SYSTEM_TYPES, type BatchResult } from '@sluice/contracts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { RESIDENT } from '../world/world.ts';
import type { Exercise } from './exercise.ts';
import { NAME, TASK } from './schedule-scenes.ts';
import { COUNT_DRAINED } from './sites.ts';
import { again } from './again.ts';

const PAUSE_MS = 700;
const HOUR_MS = 3_600_000;
/** Longer than a function keeps a routing that says something. */
const USED_MS = 8_000;

/** After so long without a report, control has put nothing together for ten seconds. */
const SILENT_MS = 30_000;
/** From so many tasks in five seconds on an environment tells what it saw. */
const LOAD = 110;
const INTERVAL_MS = 5_000;

/** What refuses a tenant for now: its own bounds, or its fair share while all that runs here at once presses the platform. */
const FOR_NOW: ReadonlySet<string> = new Set(['rate_limited', 'backlog_full', 'throttled']);

/** What an operator sets and sees: quotas, the shard map, who submits most and is refused. */
export const operators: readonly Exercise[] = [
  {
    name: 'sets, shows, lists and deletes a quota',
    calls: ['api'],
    run: async (stage) => {
      const { quotas } = await stage.operator();
      await quotas.put(stage.tenant, { weight: 3 });
      const { quota } = await quotas.get(stage.tenant);
      if (quota.weight !== 3) throw new Error(`the quota is ${JSON.stringify(quota)}`);
      if (!(await isListed(stage))) throw new Error('the quota is not listed');
      await quotas.delete(stage.tenant);
      if (await isListed(stage)) throw new Error('the quota is still listed');
    },
  },
  {
    name: 'shows how tenants are spread over the queues',
    calls: ['api'],
    run: async (stage) => {
      const { shards } = await stage.operator();
      const { tenants, dedicated } = await shards.map();
      if (tenants < 1 || !dedicated.some(({ tenant }) => tenant === RESIDENT))
        throw new Error(`${tenants} tenants, ${dedicated.length} queues`);
      const own = await shards.of(stage.tenant);
      if (own.shards.length !== 2) throw new Error(`the shards are ${own.shards.join()}`);
    },
  },
  {
    name: 'refuses what a tenant submits beyond its rate, and shows who it is',
    calls: ['api', 'submit'],
    ticks: ['control'],
    run: async (stage) => {
      const operator = await stage.operator();
      await operator.quotas.put(stage.tenant, { rate: 1, burst: 1 });
      const accepted: string[] = [];
      const flood = async (count: number): Promise<number> => {
        const results = await submitted(stage, count, accepted.length);
        for (const result of results) if (result.ok) accepted.push(result.task.id);
        const wrong = results.find((result) => !result.ok && !FOR_NOW.has(result.error.code) && result.error.status < 500);
        if (wrong) throw new Error(`refused as ${JSON.stringify(wrong)}`);
        return results.filter((result) => !result.ok).length;
      };
      // Enough for its bounds to be asked for.
      await stage.until('some is refused', async () => (await flood(25)) > 0);
      await stage.until('it is seen who it is', async () => {
        await flood(3);
        const { tenants } = await operator.heavyHitters({ limit: 200 });
        return tenants.some(({ tenant, refusedPerSecond }) => tenant === stage.tenant && refusedPerSecond > 0);
      });
      await operator.quotas.delete(stage.tenant);
      await Promise.all(accepted.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'tells control that much is submitted, where it has put nothing together for a while',
    calls: ['submit'],
    run: async (stage) => {
      await sleep(SILENT_MS);
      const first = await submitted(stage, LOAD, 0);
      await sleep(INTERVAL_MS);
      const results = [...first, ...(await submitted(stage, 1, 1))];
      await sleep(PAUSE_MS);
      const accepted = results.flatMap((result) => (result.ok ? [result.task.id] : []));
      await Promise.all(accepted.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'measures the backlog of a tenant that may have so many tasks waiting',
    ticks: ['control'],
    run: async (stage) => {
      const operator = await stage.operator();
      await operator.quotas.put(stage.tenant, { backlog: 10 });
      const ids: string[] = [];
      await stage.until('its backlog is measured', async () => {
        const id = `task-${ids.length}`;
        if (await isTaken(stage.submit(id, TYPES.narrow, { do: 'ok', ms: 1_000 }))) ids.push(id);
        return stage.seen(COUNT_DRAINED.fn, COUNT_DRAINED.port, COUNT_DRAINED.command);
      });
      await operator.quotas.delete(stage.tenant);
      await Promise.all(ids.map((id) => stage.ends(id, { state: 'succeeded', attempts: 1 })));
    },
  },
  {
    name: 'asks for the routing anew while it is used',
    calls: ['submit', 'dispatch', 'settle', 'api', 'system'],
    of: 'RoutingMap',
    run: async (stage) => {
      await stage.client.schedules.put(NAME, { everySeconds: 2, task: TASK });
      const { uid } = await stage.submit('failed', TYPES.event, { do: 'fatal' });
      await stage.ends('failed', { state: 'failed', reason: 'fatal' });
      let last = uid;
      const end = Date.now() + USED_MS;
      for (let n = 0; Date.now() < end; n++) {
        await stage.submit(`task-${n}`, TYPES.event, { do: 'fail-once' });
        await stage.ends(`task-${n}`, { state: 'succeeded', attempts: 2 });
        last = (await stage.client.retry('failed', { uid: last })).uid;
        await stage.ends('failed', { state: 'failed', reason: 'fatal' }, last);
      }
      await stage.client.schedules.pause(NAME);
      await again(() => stage.client.schedules.delete(NAME), 'not_found');
      for await (const { id, type } of stage.client.list({ from: new Date(Date.now() - HOUR_MS) })) {
        if (type === SYSTEM_TYPES.fire) await stage.ends(id, { state: ['succeeded', 'cancelled'] });
        else if (id !== 'failed') await stage.ends(id, { state: 'succeeded' });
      }
    },
  },
];

/** Whether a submission was taken, and not refused for now. */
async function isTaken(submission: Promise<unknown>): Promise<boolean> {
  try {
    await submission;
    return true;
  } catch (error) {
    if (error instanceof ApiError && FOR_NOW.has(error.code)) return false;
    throw error;
  }
}

async function isListed(stage: Stage): Promise<boolean> {
  const { quotas } = await stage.operator();
  for await (const { tenant } of quotas.list()) if (tenant === stage.tenant) return true;
  return false;
}

/** Tasks in one call, each with an answer of its own. */
async function submitted(stage: Stage, count: number, from: number): Promise<readonly BatchResult[]> {
  await sleep(PAUSE_MS);
  const tasks = Array.from({ length: count }, (_, n) => ({ id: `task-${from}-${n}`, type: TYPES.wait, payload: { do: 'ok' } }));
  const answer = await stage.answered('/v1/tasks/batch', { method: 'POST', body: JSON.stringify({ tasks }) });
  return ((await answer.json()) as { results: BatchResult[] }).results;
}
