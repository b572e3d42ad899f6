import { SYSTEM_TYPES } from '@sluice/contracts';
import { expect, it } from 'vitest';
import { deliveryId } from '../../core/notify/submit-deliveries.ts';
import { createFaultWorld, type FaultWorld } from '../helpers/fault-world.ts';

const SEEDS = 300;
const MINUTE = 60_000;

/** Faults for some minutes, then calm until all is done, then until every lease is over. */
async function runSeed(seed: number): Promise<FaultWorld> {
  const w = createFaultWorld(seed);
  const { clock } = w.world;
  const calmAt = clock.now() + 5 * MINUTE;
  while (clock.now() < calmAt && w.broken.length === 0) await w.step(w.upTo(4_000), clock.now() < calmAt - 2 * MINUTE);
  w.calmDown();
  const end = clock.now() + 120 * MINUTE;
  let quiet: number | undefined;
  while (clock.now() < end && w.broken.length === 0) {
    const idle = w.world.queue.counts().visible === 0 && w.world.records.length === 0;
    const next = Math.min(w.waitingFor(), (Math.floor(clock.now() / MINUTE) + 1) * MINUTE);
    await w.step(idle ? Math.max(1, next - clock.now()) : 0, false);
    if (w.live().length > 0) quiet = undefined;
    else if (clock.now() - (quiet ??= clock.now()) > 10 * MINUTE) break;
  }
  return w;
}

function check(seed: number, w: FaultWorld, live: number): void {
  const { world } = w;
  expect(w.broken, `seed ${seed}`).toEqual([]);
  expect(
    w.live().map((row) => `${row.tenant}/${row.id} ${row.state} ${row.seq}`),
    `seed ${seed}: not done`,
  ).toEqual([]);
  for (const key of w.accepted.keys()) expect(w.ends.has(key.split('/')[2] ?? ''), `seed ${seed}: ${key} never ended`).toBe(true);
  expect(live, `seed ${seed}: permits`).toBe(0);
  expect(w.watch.silentBacklogs(), `seed ${seed}: items that nobody will look at`).toEqual([]);
  const told = new Set(world.events.events().map((event) => event.eventId));
  for (const [uid, state] of w.ends)
    if (state !== 'succeeded') expect(told, `seed ${seed}: ${uid} ${state} untold`).toContain(`${uid}:${state}`);
  const rows = [...world.tasks.rows(), ...world.tasks.archived()];
  const deliveries = new Set(rows.filter(({ type }) => type === SYSTEM_TYPES.notify).map(({ id }) => id));
  const due = rows.filter(({ type }) => type === 'narrow').map((row) => deliveryId(row, 'queue'));
  expect(deliveries, `seed ${seed}: deliveries`).toEqual(new Set(due));
  for (const row of rows) {
    const { counted = 0 } = w.runs.get(row.uid) ?? {};
    expect(row.attempts, `seed ${seed}: attempts of ${row.id}`).toBeLessThanOrEqual(counted);
    if (row.reason === 'attempts_exhausted') expect(row.attempts, `seed ${seed}: gave up early`).toBe(3);
    if (row.state === 'succeeded') expect(counted, `seed ${seed}: success without a run`).toBeGreaterThan(0);
  }
}

it(`keeps every promise through ${SEEDS} random histories of crashes, duplicates, delays and lost answers`, async () => {
  let done = 0;
  const steps = new Map<unknown, number>();
  let submitted = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const w = await runSeed(seed);
    const now = w.world.clock.now();
    check(seed, w, w.watch.permits().filter((permit) => permit.expiry > now).length);
    submitted += w.accepted.size;
    done += w.ends.size;
    for (const { fields } of w.world.telemetry.lines()) steps.set(fields['step'], (steps.get(fields['step']) ?? 0) + 1);
  }
  // So that the test can't pass by doing nothing.
  expect(submitted).toBeGreaterThan(SEEDS * 20);
  expect(done).toBeGreaterThan(SEEDS * 20);
  for (const step of ['cancelled', 'cancelling', 'lost', 'throttled', 'expired', 'excused']) {
    expect(steps.get(step), step).toBeGreaterThan(SEEDS / 4);
  }
}, 180_000);
