import { ListQueuesCommand } from '@aws-sdk/client-sqs';
import { PRIORITIES } from '@sluice/contracts';
import { dedicatedShard } from '../../../core/routing/route.ts';
import { PLATFORM } from '../app/synth.ts';
import { depthOf } from './queues.ts';
import { hostNameOf, RESIDENT, type World } from './world.ts';

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

/** Seconds for control to come to rest, by rounds every few seconds. */
const CONTROL_SECONDS = 60;

/**
 * What control has made is noted or gone: nobody is granted anything whose type or cap is no more, and there are no queues but
 * those of the routing, which has none of tenants that were here for a while.
 */
export async function controlRests(world: World, pause: (ms: number) => Promise<unknown>): Promise<string[]> {
  for (const end = Date.now() + CONTROL_SECONDS * 1_000; ; await pause(LOOK_EVERY_MS)) {
    const wrong = [...(await grantsLeft(world)), ...(await queuesLeft(world))];
    if (wrong.length === 0 || Date.now() > end) return wrong;
  }
}

async function grantsLeft({ divisions }: World): Promise<string[]> {
  const [grants, rates, rests] = await Promise.all([divisions.grants(), divisions.rateGrants(), divisions.rateRests()]);
  return [...grants, ...rates, ...rests].map((grant) => `a grant is left: ${JSON.stringify(grant)}`);
}

async function queuesLeft({ routes, clients }: World): Promise<string[]> {
  const { dedicated = [] } = (await routes.read()) ?? {};
  const noted = dedicated.map(({ generation }) => dedicatedShard(generation));
  const strangers = dedicated.filter(({ tenant }) => tenant !== RESIDENT).map((entry) => `queues are left: ${JSON.stringify(entry)}`);
  const found = await Promise.all(
    PRIORITIES.map(async (priority) => {
      const prefix = `${PLATFORM}-${priority}-d`;
      const { QueueUrls = [] } = await clients.sqs.send(new ListQueuesCommand({ QueueNamePrefix: prefix, MaxResults: 1_000 }));
      return QueueUrls.filter((url) => !noted.some((shard) => url.endsWith(`${priority}-${shard}`)));
    }),
  );
  return [...strangers, ...found.flat().map((url) => `a queue is left that nobody has noted: ${url}`)];
}
