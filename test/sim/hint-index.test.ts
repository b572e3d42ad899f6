import type { HintedTask, TaskRow } from '@sluice/contracts';
import { expect, it } from 'vitest';
import { parseHint } from '../../core/hints/parse.ts';
import { hasBacklog, hasRetries } from '../../core/permits/cells.ts';
import { laneKey } from '../../core/permits/lane-key.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { actsOn } from '../../sim/checks/hint-index.ts';
import { runSeed } from '../../sim/seed.ts';
import type { Services } from '../../sim/services.ts';

const CELLS = 4;
const MINUTES_AHEAD = 45;

/** Every home of a hint that acts on a row, found by looking through all that is stored. */
async function homesOf(services: Services, row: TaskRow, now: number): Promise<string[]> {
  const acts = (tenant: string, task: HintedTask) => tenant === row.tenant && actsOn(task, row);
  const bodies = [...services.queue.bodies(), ...services.queue.messages.dead().map(([, body]) => body)];
  const messages = bodies.flatMap((body) => parseHint(body) ?? []);
  const homes = messages.flatMap((m) => (m.kind === 'tasks' ? m.tasks.filter((task) => acts(m.tenant, task)).map(() => 'queue') : []));
  const lane = { tenant: row.tenant, type: row.type };
  const cells = await Promise.all(Array.from({ length: CELLS }, (_, cell) => services.permits.read(lane, cell)));
  const noted = (await services.backlog.lanes()).some((note) => laneKey(note.lane) === laneKey(lane));
  const told = messages.some((m) => m.kind === 'lane' && laneKey(m) === laneKey(lane));
  for (const [place, isUp] of [
    ['permits', hasBacklog],
    ['budget', hasRetries],
  ] as const) {
    if (!cells.some(isUp) || !(noted || told)) continue;
    const items = await services.backlog.first(lane, 10_000, place);
    homes.push(...items.filter((task) => acts(row.tenant, task)).map(() => 'backlog'));
  }
  for (let shard = 0; shard < services.buckets.shards; shard++) {
    const cursor = (await services.buckets.cursor(shard)) ?? 0;
    for (let minute = cursor + 1; minute < Math.floor(now / 60_000) + MINUTES_AHEAD; minute++) {
      for await (const hints of services.buckets.read(minute, shard)) {
        for (const { tenant, tasks } of hints) homes.push(...tasks.filter((task) => acts(tenant, task)).map(() => 'bucket'));
      }
    }
  }
  return homes.sort();
}

it('knows the hints that looking through everything finds, after every hundredth step of some seeds', async () => {
  let steps = 0;
  const compared = { queue: 0, backlog: 0, bucket: 0 };
  for (const seed of [21, 22, 23, 24]) {
    await runSeed(seed, {
      eachStep: async ({ services, checks, kernel }) => {
        if (++steps % 100 !== 0) return;
        for (const row of services.tasks.rows()) {
          if (isTerminal(row.state)) continue;
          const known = checks.index.homesOf(row);
          expect([...known].sort(), `seed ${seed}: ${row.tenant}/${row.id}`).toEqual(await homesOf(services, row, kernel.now()));
          for (const home of known) compared[home] += 1;
        }
      },
    });
  }
  // So that it can't pass by looking at nothing.
  for (const [home, n] of Object.entries(compared)) expect(n, home).toBeGreaterThan(0);
}, 120_000);
