import { PRIORITIES, type Depths, type Priority } from '@sluice/contracts';
import { chooseQueue, createSentCounts, type SentCounts } from '../../../core/routing/choose.ts';
import { shuffleShard } from '../../../core/routing/shuffle-shard.ts';
import type { Chance } from '../engine/chance.ts';
import type { World } from '../engine/world.ts';
import { EventSource } from '../model/event-source.ts';
import { PARAMETERS } from '../parameters.ts';

const { cacheMs, control, environments } = PARAMETERS;

export interface ShardRules {
  readonly shards: number;
  readonly shardsPerTenant: number;
  /** Invocations at once of each queue. @default Lambda's */
  readonly maxConcurrency?: number | undefined;
}

/** An environment's knowledge of the depths of queues. */
interface Environment {
  readonly sent: SentCounts;
  depths: Depths | undefined;
  readAt: number;
}

/** The queues of the shared pool, one for each class and shard, and how a tenant's messages find theirs. */
export class ShardQueues {
  readonly sources: readonly (readonly EventSource[])[];
  readonly #world: World;
  readonly #rules: ShardRules;
  readonly #chance: Chance;
  readonly #shards = new Map<number, readonly number[]>();
  readonly #environments: Environment[];
  #depths: Depths | undefined;

  constructor(world: World, rules: ShardRules, work: (source: EventSource, messages: readonly number[]) => number | undefined) {
    this.#world = world;
    this.#rules = rules;
    this.#chance = world.chance('routing');
    const { shards, maxConcurrency } = rules;
    this.sources = PRIORITIES.map(() =>
      Array.from({ length: shards }, () => {
        const source: EventSource = new EventSource(world, {
          work: (messages) => work(source, messages),
          ...(maxConcurrency !== undefined && { most: maxConcurrency }),
        });
        return source;
      }),
    );
    this.#environments = Array.from({ length: environments }, () => ({ sent: createSentCounts(), depths: undefined, readAt: -Infinity }));
    // As a platform that has run for a while: its depths are known.
    this.#measure();
    world.every(control.everyMs, () => this.#measure(), control.everyMs);
  }

  /** Sends to one of the tenant's shard queues of that class, the shorter the likelier. */
  send(message: number, tenant: number, rank: number, delayMs = 0): void {
    const shards = this.shardsOf(tenant);
    const environment = this.#environments[this.#chance.below(environments)]!;
    const { now } = this.#world;
    if (now - environment.readAt > cacheMs) Object.assign(environment, { depths: this.#depths, readAt: now });
    const { depths, sent } = environment;
    const priority = PRIORITIES[rank]!;
    const fraction = this.#chance.fraction();
    const shard = depths ? choose(shards, depths, priority, sent, now, fraction) : shards[Math.floor(fraction * shards.length)]!;
    if (depths) sent.add(depths.at, priority, shard);
    this.sources[rank]![shard]!.send(message, delayMs);
  }

  shardsOf(tenant: number): readonly number[] {
    let shards = this.#shards.get(tenant);
    if (!shards) this.#shards.set(tenant, (shards = shuffleShard(nameOf(tenant), this.#rules.shards, this.#rules.shardsPerTenant)));
    return shards;
  }

  /** Messages that were received, each time that one was. */
  get received(): number {
    return this.sources.flat().reduce((sum, source) => sum + source.received, 0);
  }

  get depth(): number {
    return this.sources.flat().reduce((sum, source) => sum + source.depth, 0);
  }

  #measure(): void {
    const of = (rank: number): number[] => this.sources[rank]!.map(({ depth }) => depth);
    this.#depths = { at: this.#world.now, high: of(0), normal: of(1), low: of(2) };
  }
}

function choose(shards: readonly number[], depths: Depths, priority: Priority, sent: SentCounts, now: number, fraction: number): number {
  const candidates = shards.map((shard) => ({
    shard,
    depth: depths[priority][shard] ?? 0,
    sent: sent.since(depths.at, priority, shard),
  }));
  return chooseQueue(candidates, now - depths.at, fraction) ?? 0;
}

export function nameOf(tenant: number): string {
  return `tenant-${tenant}`;
}
