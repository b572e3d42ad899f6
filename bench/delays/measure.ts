import type { TaskTypeSpec } from '@sluice/contracts';
import { LIMITS } from '@sluice/contracts';
import { createMemoryRandom } from '../../adapters/memory/index.ts';
import { MINUTE_MS } from '../../core/hints/timing.ts';
import { createPlatform } from './platform.ts';
import { createVirtualTime } from './virtual-time.ts';

const START = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const DELAYS = { '3 s': 3_000, '20 minutes': 1_200_000, '3 days': 3 * DAY_MS, 'a year': 365 * DAY_MS } as const;
/** Of each delay. They are submitted one by one within so many ms, so that they fall on every part of a minute. */
const TASKS_A_DELAY = 500;
const SUBMITTED_WITHIN_MS = 600_000;

/** How late starts were, ms; 0 is the very millisecond. */
export interface Lateness {
  readonly tasks: number;
  readonly early: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const type = (concurrency: number): TaskTypeSpec => ({
  v: 1,
  type: 'echo',
  handler: { kind: 'lambda', arn: 'arn:aws:lambda:us-east-1:000000000000:function:echo:sluice' },
  start: 'event',
  timeoutSeconds: 30,
  concurrency,
  retry: { maxAttempts: 3, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
  dedupWindowSeconds: 86_400,
});

/** Tasks of each delay on one platform, whose ticks come at random within the minute that EventBridge allows itself. */
export async function measureDelays(): Promise<readonly (Lateness & { readonly delay: string })[]> {
  const time = createVirtualTime(START);
  const platform = createPlatform({ time, types: [type(100)], seed: 1, itemsAPage: 4_000, tickLateMs: (chance) => chance * MINUTE_MS });
  const random = createMemoryRandom(2);
  const due = new Map<string, number>();
  void platform.tick();
  for (const [delay, ms] of Object.entries(DELAYS)) {
    for (let n = 0; n < TASKS_A_DELAY; n++) {
      void time.sleep(random.fraction() * SUBMITTED_WITHIN_MS).then(async () => {
        const id = `${delay.replaceAll(' ', '-')}.${n}`;
        due.set(`acme#${id}`, time.now() + ms);
        expectAll(await platform.submit('acme', [{ type: 'echo', id, delaySeconds: ms / 1000 }]));
      });
    }
  }
  await time.runTo(START + SUBMITTED_WITHIN_MS);
  for (const ms of Object.values(DELAYS)) await time.runTo(START + ms + SUBMITTED_WITHIN_MS + 2 * MINUTE_MS);
  return Object.keys(DELAYS).map((delay) => {
    const own = [...due].filter(([key]) => key.startsWith(`acme#${delay.replaceAll(' ', '-')}.`));
    return { delay, ...latenessOf(own, platform.started) };
  });
}

const SECOND_TASKS = 100_000;
const SECOND_TENANTS = 10;
const BATCHES_AT_ONCE = 20;

export interface OneSecond extends Lateness {
  readonly tick: string;
  readonly lanes: number;
  readonly bucketWrites: number;
  readonly moverSends: number;
}

/** 100,000 tasks that are due in one second a day away, the first of its minute, in ten lanes that are wide enough. */
export async function measureOneSecond(tick: 'in time' | 'at random' | 'a minute late'): Promise<OneSecond> {
  const time = createVirtualTime(START);
  const tickLateMs = (chance: number): number => (tick === 'in time' ? 0 : (tick === 'at random' ? chance : 1) * (MINUTE_MS - 1));
  const platform = createPlatform({ time, types: [type(LIMITS.concurrency)], seed: 3, itemsAPage: 12, tickLateMs });
  const runAt = START + DAY_MS;
  const due: [string, number][] = [];
  const batches: { tenant: string; submissions: object[] }[] = [];
  for (let from = 0; from < SECOND_TASKS; from += LIMITS.batchTasks) {
    const tenant = `tenant-${(from / LIMITS.batchTasks) % SECOND_TENANTS}`;
    const ids = Array.from({ length: LIMITS.batchTasks }, (_, n) => `t${from + n}`);
    for (const id of ids) due.push([`${tenant}#${id}`, runAt]);
    batches.push({ tenant, submissions: ids.map((id) => ({ type: 'echo', id, runAt: new Date(runAt).toISOString() })) });
  }
  const submitter = async (): Promise<void> => {
    for (let batch = batches.shift(); batch; batch = batches.shift()) expectAll(await platform.submit(batch.tenant, batch.submissions));
  };
  void platform.tick();
  for (let n = 0; n < BATCHES_AT_ONCE; n++) void submitter();
  await time.runTo(runAt + MINUTE_MS / 2);
  if (batches.length > 0) throw new Error('not all batches were submitted');
  return { tick, lanes: SECOND_TENANTS, ...platform.counts, ...latenessOf(due, platform.started) };
}

function expectAll(results: readonly { readonly ok: boolean }[]): void {
  if (results.some(({ ok }) => !ok)) throw new Error('a task was not accepted');
}

function latenessOf(due: readonly (readonly [string, number])[], started: ReadonlyMap<string, number>): Lateness {
  const late = due.map(([key, at]) => (started.get(key) ?? Infinity) - at).sort((a, b) => a - b);
  const at = (share: number): number => late[Math.ceil(late.length * share) - 1] ?? NaN;
  return { tasks: late.length, early: late.filter((ms) => ms < 0).length, p50: at(0.5), p99: at(0.99), max: at(1) };
}
