import {
  ENTRY_TENANT,
  type Grant,
  type Quota,
  type RateGrant,
  type RateRest,
  type ResourceSpec,
  type TaskTypeSpec,
} from '@sluice/contracts';
import { isDivided } from '../limits/lane-rules.ts';
import type { Pool } from '../limits/divide.ts';
import { entriesOf, entryOf } from '../limits/entry.ts';
import { cellLimits, PERMITS_PER_CELL } from '../permits/cells.ts';
import { entryOfType } from '../permits/entry.ts';
import type { Lane } from '../ports/permit-store.ts';
import { laneKey } from '../permits/lane-key.ts';
import { isRated } from './rates/windows.ts';

/** A capacity that lanes draw on together. */
export interface Capacity {
  /** Attempts at once, of all of them and of newcomers. */
  readonly whole: number;
  /** What is divided among the lanes that have work and the entry pools; the rest is kept for these. */
  readonly divided: Pool;
}

/** A lane that draws on capacities, or the entry pool of a type, which its lanes without a share draw on together. */
export interface DividedLane {
  readonly lane: Lane;
  readonly concurrency: number;
  readonly weight: number;
  /** Without a share it may not draw on the entry pool. */
  readonly closed: boolean;
  /** While it is small it has no share, and draws on the entry pool: nothing speaks against that. */
  readonly pools: boolean;
  /** Cells that need a share at least: without one a cell of a type that is not divided has its part of the concurrency. */
  readonly cells: number;
  readonly capacities: readonly Capacity[];
  /** Of an entry pool: what is kept for it, whatever others need. */
  readonly entry?: number;
  readonly grant: Grant | undefined;
}

export interface World {
  readonly types: ReadonlyMap<string, TaskTypeSpec>;
  readonly resources: ReadonlyMap<string, ResourceSpec>;
  readonly quotas: ReadonlyMap<string, Quota>;
  readonly grants: readonly Grant[];
  /** What lanes have of the rates of resources, and what these have left. */
  readonly rates: { readonly grants: readonly RateGrant[]; readonly rests: readonly RateRest[] };
  /** Lanes that were seen to have work: those with a backlog, and those that control was told of. */
  readonly working: readonly Lane[];
  /** Changes every few minutes: whose turn it is where a capacity has less than one for each. */
  readonly turn: number;
}

export interface Divided {
  readonly lanes: readonly DividedLane[];
  /** Grants of lanes that draw on no capacity any more. */
  readonly freed: readonly Grant[];
  /** Types that name a resource which is not deployed: they get nothing. */
  readonly missing: readonly { readonly type: string; readonly resource: string }[];
}

/** Which lanes draw on which capacities. Pure. */
export function dividedLanes(world: World): Divided {
  const { types, resources, quotas, grants, working } = world;
  const missing: { type: string; resource: string }[] = [];
  const ofTypes = new Map([...types.values()].filter(isDivided).map((spec) => [spec.type, capacitiesOf(spec, world, missing)]));
  const ofTenants = new Map(
    [...quotas].flatMap(([tenant, { cap }]) => (cap === undefined ? [] : [[tenant, { whole: cap, divided: { capacity: cap } }] as const])),
  );
  const granted = new Map(grants.map((grant) => [laneKey(grant), grant]));
  const lanes = new Map<string, DividedLane>();
  const add = ({ tenant, type }: Lane): void => {
    const spec = types.get(type);
    const [ofType = [], ofTenant] = [ofTypes.get(type), ofTenants.get(tenant)];
    const capacities = ofTenant ? [...ofType, ofTenant] : ofType;
    const key = laneKey({ tenant, type });
    if (!spec || capacities.length === 0 || tenant === ENTRY_TENANT || lanes.has(key)) return;
    const { weight = 1, guaranteed } = quotas.get(tenant) ?? {};
    lanes.set(key, {
      lane: { tenant, type },
      concurrency: spec.concurrency,
      weight,
      closed: ofTenant !== undefined,
      pools: ofTenant === undefined && guaranteed === undefined && spec.rates === undefined && !isRated(spec, resources),
      cells: isDivided(spec) ? 1 : cellLimits(spec.concurrency).length,
      capacities,
      grant: granted.get(key),
    });
  };
  for (const lane of [...grants, ...working]) add(lane);
  // Dispatch does not ask for quotas: a tenant with a cap has a share of every type before it needs one, of nothing at first.
  for (const tenant of ofTenants.keys()) for (const type of types.keys()) add({ tenant, type });
  // A pace is kept in the lane's own cell: of a type that has one by its resources nobody draws on an entry pool.
  const pooled = new Map([...ofTypes].filter(([type]) => !isRatedType(world, type)));
  for (const entry of entryLanes(pooled, granted, world.turn)) lanes.set(laneKey(entry.lane), entry);
  return { lanes: [...lanes.values()], freed: grants.filter((grant) => !lanes.has(laneKey(grant))), missing };
}

/** The least of some capacities. */
export function leastOf(capacities: readonly Capacity[]): number {
  return Math.min(...capacities.map(({ whole }) => whole));
}

const shared = new WeakMap<World, Map<string, Capacity>>();

function capacitiesOf(spec: TaskTypeSpec, world: World, missing: { type: string; resource: string }[]): readonly Capacity[] {
  const known = shared.get(world) ?? new Map<string, Capacity>();
  shared.set(world, known);
  /** Where all lanes have rates to keep to, nothing is kept for newcomers. */
  const of = (name: string, whole: number, rated: boolean): Capacity => {
    const found = known.get(name) ?? { whole, divided: { capacity: rated ? whole : whole - entryOf(whole) } };
    known.set(name, found);
    return found;
  };
  const { type, capacity, resources = [] } = spec;
  return [
    ...(capacity === undefined ? [] : [of(`type ${type}`, capacity, isRated(spec, world.resources))]),
    ...resources.map((resource) => {
      const found = world.resources.get(resource);
      if (!found) missing.push({ type, resource });
      return of(`resource ${resource}`, found?.concurrency ?? 0, found?.rates !== undefined);
    }),
  ];
}

function isRatedType({ types, resources }: World, type: string): boolean {
  const spec = types.get(type);
  return spec !== undefined && isRated(spec, resources);
}

function entryLanes(
  ofTypes: ReadonlyMap<string, readonly Capacity[]>,
  granted: ReadonlyMap<string, Grant>,
  turn: number,
): readonly DividedLane[] {
  const wholes = new Map<Capacity, Pool>();
  const wholeOf = (capacity: Capacity): Pool => {
    const pool = wholes.get(capacity) ?? { capacity: capacity.whole };
    wholes.set(capacity, pool);
    return pool;
  };
  const entries = entriesOf(new Map([...ofTypes].map(([type, all]) => [type, all.map(wholeOf)])), turn);
  return [...ofTypes].map(([type, capacities]) => {
    const entry = entries.get(type) ?? 0;
    const lane = entryOfType(type);
    const concurrency = leastOf(capacities);
    // As many as hold all of it, however much it has: lanes keep their places in it.
    const cells = Math.max(1, Math.ceil(concurrency / PERMITS_PER_CELL));
    const grant = granted.get(laneKey(lane));
    return { lane, concurrency, weight: 1, closed: false, pools: false, cells, capacities, entry, grant };
  });
}
