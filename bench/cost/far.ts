import { LIMITS } from '@sluice/contracts';
import type { CallCounter } from '../../adapters/aws/counting.ts';
import { systemClock as clock } from '../../adapters/system.ts';
import { MINUTE_MS, minuteOf } from '../../core/hints/timing.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { moveBuckets } from '../../core/timers/move-buckets.ts';
import { wire, withServers } from './measure.ts';

const BATCHES = 4;
const DELAY_MS = 86_400_000;

/** What tasks cost that are a day away, all due in one second and submitted in batches of 500. */
export interface FarCosts {
  /** Items put into buckets for each batch of 500. */
  readonly bucketWrites: number;
  /** For one task, from its submission to its hint's place in a bucket. */
  readonly submitCalls: number;
  readonly submitWriteUnits: number;
  /** Calls that move 500 of them to their queues; reading and the cursors, which a minute costs anyway, included. */
  readonly moveCalls: number;
}

/** Counts them by the production code and the real SDK against servers of DynamoDB and SQS. */
export function measureFarCosts(): Promise<FarCosts> {
  return withServers(async (servers) => {
    const { counter } = servers;
    const { deps: wired } = await wire(servers, 'event', true);
    let puts = 0;
    const put: typeof wired.buckets.put = (...args) => {
      puts += 1;
      return wired.buckets.put(...args);
    };
    const deps = { ...wired, buckets: { ...wired.buckets, put } };
    const minute = minuteOf(clock.now() + DELAY_MS);
    const tasks = BATCHES * LIMITS.batchTasks;
    counter.clear();
    for (let batch = 0; batch < BATCHES; batch++) {
      const submissions = Array.from({ length: LIMITS.batchTasks }, (_, n) => ({
        type: 'echo',
        id: `far-${batch}-${n}`,
        payload: { order: n, name: 'Ada Lovelace' },
        runAt: new Date(minute * MINUTE_MS + 30_000).toISOString(),
      }));
      const results = await submitTasks(deps, 'acme', submissions);
      if (results.some(({ ok }) => !ok)) throw new Error('a task was not accepted');
    }
    const submitted = sumOf(counter);
    // The tick before makes the cursors, so that its own minute is all that the next one moves.
    const tickIn = (at: number) => moveBuckets({ ...deps, clock: { now: () => at * MINUTE_MS } }, at * MINUTE_MS, Infinity);
    await tickIn(minute - 2);
    counter.clear();
    const { moved } = await tickIn(minute - 1);
    if (moved !== tasks) throw new Error(`${moved} of ${tasks} tasks were moved`);
    return {
      bucketWrites: puts / BATCHES,
      submitCalls: submitted.calls / tasks,
      submitWriteUnits: submitted.writeUnits / tasks,
      moveCalls: sumOf(counter).calls / BATCHES,
    };
  });
}

function sumOf(counter: CallCounter): { calls: number; writeUnits: number } {
  const sum = { calls: 0, writeUnits: 0 };
  for (const { calls, writeUnits } of counter.values()) {
    sum.calls += calls;
    sum.writeUnits += writeUnits;
  }
  return sum;
}
