import { depthOf } from './queues.ts';
import { hostNameOf, type World } from './world.ts';

/** Seconds for the last hints to come and go: those of leases that were never needed. */
const PATIENCE_SECONDS = 200;
const LOOK_EVERY_MS = 2_000;

/** Waits until no message is left in a queue. @returns the queues that still have some */
export async function drained({ clients, queues }: World, pause: (ms: number) => Promise<unknown>): Promise<string[]> {
  const urls = [...queues.shards, queues.outcomes];
  for (const end = Date.now() + PATIENCE_SECONDS * 1_000; ; await pause(LOOK_EVERY_MS)) {
    const depths = await Promise.all(urls.map((url) => depthOf(clients.sqs, url)));
    const full = urls.filter((_, n) => depths[n] !== 0);
    if (full.length === 0) return [];
    if (Date.now() > end) return full.map((url) => `messages are left in ${url}`);
  }
}

/** Dead letters, where there should be none. */
export async function lettersLeft({ clients, queues }: World): Promise<string[]> {
  const urls = [queues.hintsDead, queues.outcomesDead];
  const depths = await Promise.all(urls.map((url) => depthOf(clients.sqs, url)));
  return urls.flatMap((url, n) => (depths[n] === 0 ? [] : [`${depths[n]} dead letters are left in ${url}`]));
}

/** Looks at every row: none waits for anything, and nobody has been forgotten. */
export async function audited({ host }: World): Promise<string[]> {
  const outcome = await host.invoke(hostNameOf('audit'), { olderThanMinutes: 0, paceMs: 0 });
  if (outcome.kind !== 'completed' || outcome.functionError !== undefined) return ['the last audit failed'];
  const report = JSON.parse(outcome.payload) as { found: number; complete: boolean };
  return report.found === 0 && report.complete ? [] : [`the last audit says ${outcome.payload}`];
}
