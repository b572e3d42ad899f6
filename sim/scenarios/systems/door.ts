import { conforming, burstOf, rateHere, refusalOf, retryAfterSeconds, type AdmissionBounds } from '../../../core/admission/bounds.ts';
import { mergeReports, type MergedReports } from '../../../core/admission/merge.ts';
import { drainedOf, PRESSURE_RULES, targetOf, type Depth } from '../../../core/admission/pressure.ts';
import { refusalsFor } from '../../../core/admission/refuse.ts';
import { createSampler, type Sampler } from '../../../core/admission/sample-and-hold.ts';
import type { AdmissionReport } from '@sluice/contracts';
import type { Chance } from '../engine/chance.ts';
import type { World } from '../engine/world.ts';
import type { Entrance } from '../model/arrivals.ts';
import { PARAMETERS } from '../parameters.ts';
import { nameOf } from './shard-queues.ts';

const { cacheMs, environments, admission } = PARAMETERS;

export interface DoorRules {
  readonly bounds?: (tenant: number) => AdmissionBounds;
  /** Whether tenants that press the shared queues are refused. */
  readonly pressure: boolean;
  /** Messages in the shared queues. */
  readonly depth: () => number;
  /** What waits in a tenant's backlogs. */
  readonly waiting: (tenant: number) => { readonly tasks: number; readonly oldestSeconds: number; readonly startedEver: number };
}

/** What a tenant is refused now. */
interface Refused {
  readonly part: number;
  readonly waitSeconds: number;
}

interface Environment {
  readonly sampler: Sampler;
  readonly name: string;
  readonly tats: Map<number, number>;
  readonly refused: Map<string, number>;
  from: number;
  tasks: number;
  refusedTasks: number;
  known: ReadonlyMap<string, Refused>;
  readAt: number;
  report: AdmissionReport | undefined;
}

/** Admission by the policies of core/admission: environments sample, control merges what they report and says whom to refuse. */
export class Door implements Entrance {
  readonly #world: World;
  readonly #rules: DoorRules;
  readonly #chance: Chance;
  readonly #environments: Environment[];
  #document: ReadonlyMap<string, Refused> = new Map();
  #merged: MergedReports | undefined;
  #offered = new Map<string, number>();
  #depth: (Depth & { drained?: number | undefined }) | undefined;
  #pressed = false;
  readonly #started = new Map<string, number>();

  constructor(world: World, rules: DoorRules) {
    this.#world = world;
    this.#rules = rules;
    this.#chance = world.chance('admission');
    const { fraction } = this.#chance;
    this.#environments = Array.from({ length: environments }, (_, n) => ({
      sampler: createSampler(fraction),
      name: `environment-${n}`,
      tats: new Map(),
      refused: new Map(),
      from: 0,
      tasks: 0,
      refusedTasks: 0,
      known: new Map(),
      readAt: -Infinity,
      report: undefined,
    }));
    world.every(admission.reportMs, () => this.#environments.forEach((environment) => this.#report(environment)), admission.reportMs);
    world.every(admission.documentMs, () => this.#decide(), admission.documentMs);
  }

  admit(tenant: number, tasks: number): { accepted: number; retryAfterMs: number } {
    const { now } = this.#world;
    const environment = this.#environments[this.#chance.below(environments)]!;
    if (now - environment.readAt > cacheMs) Object.assign(environment, { known: this.#document, readAt: now });
    const name = nameOf(tenant);
    environment.sampler.add(name, tasks);
    environment.tasks += tasks;
    const bounded = this.#byRate(environment, tenant, name, tasks);
    const told = environment.known.get(name);
    let { admitted } = bounded;
    if (told) {
      let passed = 0;
      for (let n = 0; n < admitted; n++) if (this.#chance.fraction() >= told.part) passed += 1;
      admitted = passed;
    }
    const refused = tasks - admitted;
    if (refused > 0) {
      environment.refusedTasks += refused;
      environment.refused.set(name, (environment.refused.get(name) ?? 0) + refused);
    }
    const seconds = Math.max(bounded.waitMs / 1000, told?.waitSeconds ?? 0);
    return { accepted: admitted, retryAfterMs: 1000 * retryAfterSeconds(seconds, this.#chance.fraction()) };
  }

  #byRate(environment: Environment, tenant: number, name: string, tasks: number): { admitted: number; waitMs: number } {
    const bounds = this.#rules.bounds?.(tenant);
    if (bounds?.rate === undefined) return { admitted: tasks, waitMs: 0 };
    const { now } = this.#world;
    const seconds = Math.max(1, (now - environment.from) / 1000);
    const here = environment.sampler.estimate(name) / seconds;
    const rate = rateHere(bounds.rate, here, this.#offered.get(name));
    const { admitted, tat, waitMs } = conforming(environment.tats.get(tenant), now, { rate, burst: burstOf(bounds) }, tasks);
    environment.tats.set(tenant, tat);
    return { admitted, waitMs: admitted < tasks ? waitMs : 0 };
  }

  #report(environment: Environment): void {
    const { now } = this.#world;
    const { name: by, from, tasks, refusedTasks: refused } = environment;
    const flows = environment.sampler
      .close()
      .flows.slice(0, 1_000)
      .map(({ tenant, tasks: n }): [string, number, number] => [tenant, n, environment.refused.get(tenant) ?? 0]);
    environment.report = { v: 1, by, from, to: now, tasks, refused, flows };
    environment.refused.clear();
    Object.assign(environment, { from: now, tasks: 0, refusedTasks: 0 });
  }

  #decide(): void {
    const { now } = this.#world;
    this.#merged = mergeReports(
      this.#environments.flatMap(({ report }) => report ?? []),
      now,
    );
    this.#offered = new Map(this.#merged.tenants.map(({ tenant, offered }) => [tenant, offered]));
    const refusals = new Map<string, Refused>();
    if (this.#rules.pressure) this.#byPressure(this.#merged, refusals);
    if (this.#rules.bounds) for (const { tenant, offered } of this.#merged.tenants) this.#byBacklog(tenant, offered, refusals);
    this.#document = refusals;
  }

  #byPressure({ tenants, offered, refused }: MergedReports, refusals: Map<string, Refused>): void {
    const { now } = this.#world;
    const after = { at: now, waiting: this.#rules.depth() };
    const drained = drainedOf(this.#depth, after, offered - refused);
    this.#depth = { ...after, drained };
    const target = targetOf({ waiting: after.waiting, drained, pressed: this.#pressed });
    this.#pressed = target !== undefined;
    if (target === undefined || drained === undefined) return;
    const { refusals: found } = refusalsFor(tenants, offered, target, admission.floorPerSecond);
    const waitSeconds = Math.max(1, after.waiting / Math.max(1, drained) - PRESSURE_RULES.waitSeconds / 2);
    for (const { tenant, part } of found) refusals.set(tenant, { part, waitSeconds });
  }

  #byBacklog(name: string, offered: number, refusals: Map<string, Refused>): void {
    const tenant = Number(name.slice(name.indexOf('-') + 1));
    const bounds = this.#rules.bounds?.(tenant);
    if (!bounds) return;
    const { tasks, oldestSeconds, startedEver } = this.#rules.waiting(tenant);
    const drained = (startedEver - (this.#started.get(name) ?? 0)) / (admission.documentMs / 1000);
    this.#started.set(name, startedEver);
    const found = refusalOf({ tasks, oldestSeconds, drained, offered }, bounds);
    const known = refusals.get(name);
    if (found && found.part > (known?.part ?? 0)) refusals.set(name, found);
  }
}
