import type { HintedTask, HintMessage, Priority, TaskHint } from '@sluice/contracts';
import type { BucketStore } from '../ports/bucket-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { HintQueue, HintSend, QueueRef, Shard } from '../ports/hint-queue.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { Random } from '../ports/random.ts';
import type { RoutingMap } from '../ports/routing-store.ts';
import { routeOf } from '../routing/route.ts';
import { armedInTime, homeFor, minuteOf } from './timing.ts';

/** Tasks that one queue message names at most: enough to save calls, few enough to be worked off in one go. */
export const TASKS_PER_MESSAGE = 10;
/** Tasks that one bucket item names at most, by count and by its 400 KB. */
const TASKS_PER_BUCKET_ITEM = 500;

export interface TenantTask {
  readonly tenant: string;
  readonly task: HintedTask;
  /** ms: when the hint is to be looked at, where that is later than the time it names; at most 15 minutes away. */
  readonly notBefore?: number;
}

export interface Routing {
  readonly shards: number;
  readonly shardsPerTenant: number;
  /** What routes tenants in another way than by their names. @default nothing does */
  readonly map?: RoutingMap;
}

export interface PlaceDeps {
  readonly queue: HintQueue;
  readonly buckets: BucketStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly routing: Routing;
}

/**
 * Makes hints durable, each in the home that its time asks for.
 * @param via a shard that all these tenants are routed over, unless the routing document says otherwise of one; saves
 *   calls when many tenants' hints go out together.
 * @returns for each task whether its hint is durable. Does not throw.
 */
export async function placeHints(deps: PlaceDeps, entries: readonly TenantTask[], via?: Shard): Promise<readonly boolean[]> {
  const now = deps.clock.now();
  const durable = entries.map(() => false);
  const queued = new Map<string, number[]>();
  const bucketed = new Map<string, number[]>();
  entries.forEach(({ tenant, task, notBefore }, index) => {
    const home = homeFor(notBefore ?? task.at, now);
    if (home.in === 'queue') append(queued, `${tenant}#${task.priority}#${home.delaySeconds}`, index);
    else append(bucketed, `${tenant}#${home.minute}`, index);
  });

  const sends: HintSend[] = [];
  const indexesOfSend: number[][] = [];
  for (const indexes of queued.values()) {
    for (const part of chunks(indexes, TASKS_PER_MESSAGE)) {
      const first = entries[part[0] ?? 0];
      if (!first) continue;
      const home = homeFor(first.notBefore ?? first.task.at, now);
      const message: TaskHint = { v: 1, kind: 'tasks', tenant: first.tenant, tasks: part.flatMap((i) => entries[i]?.task ?? []) };
      sends.push({
        queue: queueFor(deps, first.tenant, first.task.priority, via),
        message,
        delaySeconds: home.in === 'queue' ? home.delaySeconds : 0,
      });
      indexesOfSend.push(part);
    }
  }
  const late: number[] = [];
  const [sent] = await Promise.all([
    sends.length > 0 ? sendHints(deps, sends) : [],
    ...[...bucketed.values()].flatMap((indexes) =>
      chunks(indexes, TASKS_PER_BUCKET_ITEM).map(async (part) => {
        const ended = await putIntoBucket(
          deps,
          part.flatMap((i) => entries[i] ?? []),
        );
        if (ended === 'durable') for (const i of part) durable[i] = true;
        else if (ended === 'late') late.push(...part);
      }),
    ),
  ]);
  sent.forEach((ok, s) => {
    for (const i of indexesOfSend[s] ?? []) durable[i] = ok;
  });
  if (late.length > 0) {
    const again = await placeHints(
      deps,
      late.flatMap((i) => entries[i] ?? []),
      via,
    );
    late.forEach((i, n) => (durable[i] = again[n] ?? false));
  }
  return durable;
}

/** `late`: the mover may have passed that minute before the put was confirmed, so the hint is made again. */
async function putIntoBucket(deps: PlaceDeps, part: readonly TenantTask[]): Promise<'durable' | 'late' | 'failed'> {
  const first = part[0];
  if (!first) return 'durable';
  const minute = minuteOf(first.task.at);
  const due = Math.min(...part.map((e) => e.task.at));
  const name = `${String(due).padStart(15, '0')}#${deps.random.ulid(deps.clock.now())}`;
  const hint: TaskHint = { v: 1, kind: 'tasks', tenant: first.tenant, tasks: part.map((e) => e.task) };
  try {
    await deps.buckets.put(minute, Math.floor(deps.random.fraction() * deps.buckets.shards), name, hint);
  } catch {
    return 'failed';
  }
  return armedInTime(minute, deps.clock.now()) ? 'durable' : 'late';
}

/** Tells dispatch that a lane with a backlog has permits. Best effort: the minute's tick says the same. */
export async function placeLaneHints(deps: PlaceDeps, lanes: readonly Lane[], delaySeconds = 0): Promise<void> {
  if (lanes.length === 0) return;
  const made = deps.clock.now();
  const priority: Priority = 'high';
  await sendHints(
    deps,
    lanes.map(({ tenant, type }) => {
      const message: HintMessage = { v: 1, kind: 'lane', tenant, type, made };
      return { queue: queueFor(deps, tenant, priority), message, delaySeconds };
    }),
  );
}

function queueFor({ routing, random, clock }: PlaceDeps, tenant: string, priority: Priority, via?: Shard): QueueRef {
  const known = routing.map?.known();
  const shard = routeOf({ tenant, priority, via }, routing, known, clock.now(), random);
  if (known?.document.depths && typeof shard === 'number') known.sent.add(known.document.depths.at, priority, shard);
  return { priority, shard };
}

/** What a tenant's own queue does not take, because somebody has deleted it, goes to the shared ones. */
async function sendHints(deps: PlaceDeps, sends: readonly HintSend[]): Promise<readonly boolean[]> {
  const durable = await deps.queue.send(sends);
  const again = sends.flatMap((send, i) => (durable[i] !== true && typeof send.queue.shard !== 'number' ? [i] : []));
  if (again.length === 0) return durable;
  const { shards, shardsPerTenant } = deps.routing;
  const shared = { ...deps, routing: { shards, shardsPerTenant } };
  const elsewhere = again.flatMap((i) => {
    const send = sends[i];
    return send ? [{ ...send, queue: queueFor(shared, send.message.tenant, send.queue.priority) }] : [];
  });
  const taken = await deps.queue.send(elsewhere);
  return durable.map((ok, i) => ok || taken[again.indexOf(i)] === true);
}

function append(map: Map<string, number[]>, key: string, index: number): void {
  const list = map.get(key);
  if (list) list.push(index);
  else map.set(key, [index]);
}

export function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
