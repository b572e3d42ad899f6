import { PRIORITIES, type Attempt, type HintedTask, type Priority } from '@sluice/contracts';
import type { ValueKind } from '../../core/ports/value-store.ts';
import type { Lane, Place } from '../../core/ports/permit-store.ts';

/**
 * The keys of the one table. Names of tenants and types and task ids never hold a `#`, so a key that begins with one
 * tenant's prefix is never another tenant's.
 */

/** Parts of a tenant's day in the indexes: each takes 1,000 write units a second. */
export const INDEX_SHARDS = 4;
/** Parts of a lane's backlog. */
export const BACKLOG_SHARDS = 4;
/** Parts of the list of lanes with a backlog. */
export const LANE_SHARDS = 4;

/** Spreads names over shards (FNV-1a). Stored keys hang on it: another function would lose what is stored. */
export function shardOf(name: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let n = 0; n < name.length; n++) hash = Math.imul(hash ^ name.charCodeAt(n), 0x01000193);
  return (hash >>> 0) % shards;
}

export const shardNumbers = (shards: number): readonly number[] => Array.from({ length: shards }, (_, n) => n);

/** A task's row and everything beside it share one partition. */
export const taskPartition = (tenant: string, id: string): string => `T#${tenant}#${id}`;
export const ROW_SORT = 'H';
export const archiveSort = (uid: string): string => `G#${uid}`;
/** A late success stands beside the failure that it came after. */
export const attemptSort = ({ uid, fence, late }: Pick<Attempt, 'uid' | 'fence' | 'late'>): string =>
  `A#${uid}#${padded(fence, 10)}${late ? '#late' : ''}`;
export const attemptsPrefix = (uid: string): string => `A#${uid}#`;
const VALUES: Readonly<Record<ValueKind, string>> = { payload: 'P', result: 'R', checkpoint: 'K' };
export const valueSort = (kind: ValueKind, name: string): string => `${VALUES[kind]}#${name}`;

/** Takes the tenant and id out of a row's partition key. */
export function taskOfPartition(partition: string): { readonly tenant: string; readonly id: string } {
  const [, tenant = '', id = ''] = partition.split('#');
  return { tenant, id };
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10).replaceAll('-', '');

const listShard = (tenant: string, at: number, shard: number): string => `${tenant}#${dayOf(at)}#${shard}`;
export const listPartition = (tenant: string, at: number, uid: string): string => listShard(tenant, at, shardOf(uid, INDEX_SHARDS));
/** All parts of a tenant's day. */
export const listPartitions = (tenant: string, at: number): readonly string[] =>
  shardNumbers(INDEX_SHARDS).map((shard) => listShard(tenant, at, shard));
const deadShard = (tenant: string, type: string, at: number, shard: number): string => `${tenant}#${type}#${dayOf(at)}#${shard}`;
export const deadPartition = (tenant: string, type: string, at: number, uid: string): string =>
  deadShard(tenant, type, at, shardOf(uid, INDEX_SHARDS));
/** All parts of a type's day. */
export const deadPartitions = (tenant: string, type: string, at: number): readonly string[] =>
  shardNumbers(INDEX_SHARDS).map((shard) => deadShard(tenant, type, at, shard));
/** The days on which a tenant's tasks failed, and of which types. */
export const deadDaysPartition = (tenant: string): string => `D#${tenant}`;
export const deadDaySort = (type: string, at: number): string => `${dayOf(at)}#${type}`;
export const deadDayKey = (tenant: string, type: string, at: number): { p: string; s: string } => ({
  p: deadDaysPartition(tenant),
  s: deadDaySort(type, at),
});
export function dayAndTypeOf(sort: string): { readonly day: number; readonly type: string } {
  const [day = '', type = ''] = sort.split('#');
  return { day: Date.UTC(Number(day.slice(0, 4)), Number(day.slice(4, 6)) - 1, Number(day.slice(6))), type };
}

/** The redrives of a tenant, by their ids: ULIDs, which sort by time. */
export const redrivePartition = (tenant: string): string => `V#${tenant}`;
export const redriveKey = (tenant: string, id: string): { p: string; s: string } => ({ p: redrivePartition(tenant), s: id });

export const cellKey = ({ tenant, type }: Lane, cell: number): { p: string; s: string } => ({
  p: `C#${tenant}#${type}#${cell}`,
  s: 'L',
});

export const backlogPartition = ({ tenant, type }: Lane, shard: number): string => `Q#${tenant}#${type}#${shard}`;

/**
 * The class comes first in the sort key, not in the partition key: one query for each shard gives class-then-time order.
 * Times have 15 digits, so that text sorts as numbers do until the year 33658.
 */
export const backlogKey = (lane: Lane, { uid, seq, at, priority }: HintedTask, place: Place = 'permits'): { p: string; s: string } => ({
  p: backlogPartition(lane, shardOf(uid, BACKLOG_SHARDS)),
  s: `${place === 'budget' ? RETRIES : ''}${PRIORITIES.indexOf(priority)}#${padded(at, 15)}#${uid}#${padded(seq, 10)}`,
});

/** In front of the sort keys of retries that wait for their budget: behind all others, and each place is one range. */
const RETRIES = 'r';
/** The range of a place in a partition of a backlog, from a class on: its bounds are no keys of items. */
export const backlogRange = (place: Place, from: Priority = 'high'): readonly [string, string] => {
  const rank = String(PRIORITIES.indexOf(from));
  return place === 'budget' ? [RETRIES + rank, 's'] : [rank, RETRIES];
};

/** Ranks of classes in a partition of a backlog: those of the first place, then those of retries. */
const RANKS: readonly string[] = [...PRIORITIES.keys()]
  .flatMap(String)
  .concat([...PRIORITIES.keys()].map((rank) => RETRIES + String(rank)));
export const BACKLOG_RANKS = RANKS.length;
/** Where the hints of a rank and those of later ones begin in a partition of a backlog. */
export const backlogClassSort = (rank: number): string => `${RANKS[rank]}#`;
/** Takes the class's place and the time out of the sort key of a backlog's item. */
export function rankAndTimeOf(sort: string): { readonly rank: number; readonly at: number } {
  const [rank = '', at] = sort.split('#');
  return { rank: RANKS.indexOf(rank), at: Number(at) };
}

export const laneListPartition = (shard: number): string => `B#${shard}`;
export const laneListKey = ({ tenant, type }: Lane): { p: string; s: string } => {
  const name = `${tenant}#${type}`;
  return { p: laneListPartition(shardOf(name, LANE_SHARDS)), s: name };
};

export const bucketPartition = (minute: number, shard: number): string => `W#${minute}#${shard}`;
/** Takes the minute and the shard out of a bucket's partition key; `undefined` for any other key. */
export function bucketOfPartition(partition: string): { readonly minute: number; readonly shard: number } | undefined {
  const [, minute, shard] = /^W#(\d+)#(\d+)$/.exec(partition) ?? [];
  return minute === undefined ? undefined : { minute: Number(minute), shard: Number(shard) };
}
export const cursorKey = (shard: number): { p: string; s: string } => ({ p: 'W#cursor', s: String(shard) });

/** Parts of a tenant's schedules. */
export const SCHEDULE_SHARDS = 4;
/** Parts of the directory of all schedules: one is looked at each minute. */
export const SCHEDULE_DIRECTORY_SHARDS = 10;
export const schedulePartition = (tenant: string, shard: number): string => `S#${tenant}#${shard}`;
/** The prefix keeps a schedule from having the sort key of a task's row, whatever its name. */
export const scheduleSort = (name: string): string => `N#${name}`;
export const scheduleKey = (tenant: string, name: string): { p: string; s: string } => ({
  p: schedulePartition(tenant, shardOf(name, SCHEDULE_SHARDS)),
  s: scheduleSort(name),
});
export const scheduleDirectory = (shard: number): string => `SD#${shard}`;
export const scheduleEntryKey = (tenant: string, name: string): { p: string; s: string } => ({
  p: scheduleDirectory(shardOf(`${tenant}#${name}`, SCHEDULE_DIRECTORY_SHARDS)),
  s: `${tenant}#${name}`,
});

/** Parts of the reports of admission; each takes 1,000 environments that tell something every second. */
export const REPORT_SHARDS = 4;
export const reportPartition = (shard: number): string => `AR#${shard}`;
/** By their end, so that old ones, which stay until DynamoDB deletes them, are not read. */
export const reportSort = (to: number, by = ''): string => `${padded(to, 15)}#${by}`;
export const reportKey = (by: string, to: number): { p: string; s: string } => ({
  p: reportPartition(shardOf(by, REPORT_SHARDS)),
  s: reportSort(to, by),
});
/** What control makes of them, and what it remembers. */
export const admissionKey = (what: 'document' | 'state'): { p: string; s: string } => ({ p: 'A', s: what });

export const TYPES_PARTITION = 'Y';
/** So are resources. No type's name begins like this. */
const RESOURCES = '%';
export const resourceItemKey = (name: string): { p: string; s: string } => ({ p: TYPES_PARTITION, s: RESOURCES + name });
export const isResourceSort = (sort: string): boolean => sort.startsWith(RESOURCES);
/** Breakers are beside the task types, so that both are read in one go. No type's name begins like this. */
const BREAKERS = '!';
export const breakerItemKey = (key: string): { p: string; s: string } => ({ p: TYPES_PARTITION, s: BREAKERS + key });
/** All of them, and nothing else: "~" is above every letter of a name. */
export const breakerRange = [BREAKERS, `${BREAKERS}~`] as const;
export const isBreakerSort = (sort: string): boolean => sort.startsWith(BREAKERS);
/** So are the choices of how types are started. No type's name begins like this. */
const STARTS = '^';
export const startChoiceKey = (type: string): { p: string; s: string } => ({ p: TYPES_PARTITION, s: STARTS + type });
export const isStartSort = (sort: string): boolean => sort.startsWith(STARTS);
/** What was measured under a choice is elsewhere: it is written by many, and read by control alone. */
export const runCountsKey = ({ type, since }: { readonly type: string; readonly since: number }): { p: string; s: string } => ({
  p: `YS#${type}`,
  s: padded(since, 15),
});
/** The routing document is beside them too. */
export const ROUTING_SORT = '~routing';
export const routingKey = { p: TYPES_PARTITION, s: ROUTING_SORT } as const;
/** How requests of deployments have ended, by the resource that they are about. */
export const endedRequestKey = (owner: string, request: string): { p: string; s: string } => ({ p: `YE#${owner}`, s: request });
export const tokenKey = (hash: string): { p: string; s: string } => ({ p: `K#${hash}`, s: 'K' });
export const tokenDirectory = (tenant: string): string => `KT#${tenant}`;
export const tokenEntryKey = (tenant: string, id: string): { p: string; s: string } => ({ p: tokenDirectory(tenant), s: id });
/** Parts of the list of tenants. */
const TENANT_SHARDS = 4;
export const tenantListPartitions = (): readonly string[] => shardNumbers(TENANT_SHARDS).map((shard) => `KD#${shard}`);
export const tenantListKey = (tenant: string): { p: string; s: string } => ({ p: `KD#${shardOf(tenant, TENANT_SHARDS)}`, s: tenant });
export const webhookSecretsKey = (tenant: string): { p: string; s: string } => ({ p: `N#${tenant}`, s: 'S' });
/** Parts of all quotas: readers ask for a tenant's every few seconds. */
const QUOTA_SHARDS = 8;
const quotaPartition = (shard: number): string => `U#${shard}`;
/** All parts, each of which has its tenants by name. */
export const quotaPartitions = (): readonly string[] => shardNumbers(QUOTA_SHARDS).map(quotaPartition);
export const quotaKey = (tenant: string): { p: string; s: string } => ({
  p: quotaPartition(shardOf(tenant, QUOTA_SHARDS)),
  s: tenant,
});
/** The lease of whoever divides capacities. */
export const divisionLeaseKey = { p: 'DV', s: 'lease' };
/** Parts of the list of what lanes have been granted. */
const GRANT_SHARDS = 8;
const grantParts = (list: string): readonly string[] => shardNumbers(GRANT_SHARDS).map((shard) => `${list}#${shard}`);
const grantOfLane = (list: string, { tenant, type }: Lane): { p: string; s: string } => {
  const name = `${tenant}#${type}`;
  return { p: `${list}#${shardOf(name, GRANT_SHARDS)}`, s: name };
};
export const grantPartitions = (): readonly string[] => grantParts('DV');
export const grantKey = (lane: Lane): { p: string; s: string } => grantOfLane('DV', lane);
/** The same for what lanes have been given of resources' rates. */
export const rateGrantPartitions = (): readonly string[] => grantParts('DR');
export const rateGrantKey = (lane: Lane): { p: string; s: string } => grantOfLane('DR', lane);
/** What rates of resources have left. */
export const RATE_RESTS_PARTITION = 'DR';
export const rateRestKey = (resource: string): { p: string; s: string } => ({ p: RATE_RESTS_PARTITION, s: resource });
export const principalKey = (arn: string): { p: string; s: string } => ({ p: `I#${arn}`, s: 'I' });

function padded(n: number, digits: number): string {
  return String(n).padStart(digits, '0');
}
