import { ENTRY_TENANT, type Grant, type Quota } from '@sluice/contracts';
import { chunks, placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { DivisionStore } from '../ports/division-store.ts';
import type { Lane } from '../ports/permit-store.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { ResourceRegistry, TypeRegistry } from '../ports/type-registry.ts';
import { quotaPages } from '../quotas/quota-pages.ts';
import { divideRates, type RateRound } from './rates/divide-rates.ts';
import { cellShares, ledgerOf, raises, shrinks, type Move } from './moves.ts';
import { entryOfLane } from '../limits/entry.ts';
import type { ControlRound, ControlStep } from './round.ts';
import { toldToEnter } from './told-to-enter.ts';
import { survey, type SurveyDeps } from './survey.ts';
import { sumOf, takenBy, targetsOf, type Standing, type Target } from './targets.ts';
import { dividedLanes, leastOf, type World } from './world.ts';

export interface DivideDeps extends PlaceDeps, SurveyDeps {
  readonly types: TypeRegistry & ResourceRegistry;
  readonly quotas: QuotaStore;
  readonly divisions: DivisionStore;
  readonly control: ControlQueue;
  readonly telemetry: Telemetry;
}

/** One round at a time divides. Its lease outlives any call that it has begun, and is made longer while it works. */
export const LEASE_MS = 60_000;
/** No write is begun later than that before the lease ends: each call gives up after 16 s. */
const MARGIN_MS = 20_000;
/** Whose turn it is where a capacity has less than one for each changes so often. */
const TURN_MS = 60_000;
const AT_ONCE = 25;
/** A round that found another at work asks for the next one so much later, s. */
const LATER_SECONDS = 5;
/** What was lowered because others need it is given on so much later, s: by then attempts have ended. */
export const SOON_SECONDS = 3;
/** Rounds that the minute's asks for while lanes want more than there is, s: what is given up is then soon given on. */
const LOOK_AGAIN_SECONDS = [10, 20, 30, 40, 50];

/** Divides the capacities of types and resources, and the caps of tenants, among the lanes that have work. */
export function divideStep(deps: DivideDeps): ControlStep {
  return { name: 'divide', run: (round) => divideCapacities(deps, round) };
}

/**
 * One round at a time: where another is at work, that one is asked to go again, for this one's reason.
 * @throws when something is not known to be written; the next round looks at everything anew
 */
export async function divideCapacities(deps: DivideDeps, round: ControlRound): Promise<void> {
  const holder = deps.random.nonce();
  for (;;) {
    const now = deps.clock.now();
    const number = await deps.divisions.begin(holder, now, now + LEASE_MS);
    if (number === undefined) return askLater(deps, round);
    const division = new Division(deps, holder, number, now + LEASE_MS);
    let again = false;
    try {
      await division.run(round);
    } finally {
      // A note that was not answered may be written yet, over those of the next round: the lease runs out after that.
      if (division.knowsNotes()) again = await deps.divisions.end(holder);
    }
    if (!again || deps.clock.now() + LEASE_MS > round.deadline) return;
  }
}

class Division {
  readonly #deps: DivideDeps;
  readonly #holder: string;
  readonly #version: number;
  #leaseEnd: number;
  #knowsNotes = true;

  constructor(deps: DivideDeps, holder: string, number: number, leaseEnd: number) {
    this.#deps = deps;
    this.#holder = holder;
    // A cell may be written twice in a round, and takes only what is newer.
    this.#version = 2 * number;
    this.#leaseEnd = leaseEnd;
  }

  /** Whether it is known what became of each note that was written. */
  knowsNotes(): boolean {
    return this.#knowsNotes;
  }

  async run({ minute, told }: ControlRound): Promise<void> {
    const world = await this.#look(told);
    const { lanes, freed, missing } = dividedLanes(world);
    for (const { type, resource } of missing) {
      this.#deps.telemetry.count('resource.missing', type);
      this.#deps.telemetry.log('error', 'a resource is not deployed: its lanes wait', { type, resource });
    }
    await this.#each(freed, (grant) => this.#free(grant));
    const standings = await survey(this.#deps, world, lanes);
    const hastened = await divideRates(this.#rateRound(), world, standings);
    if (lanes.length === 0) return;
    const targets = targetsOf(standings, world.quotas, world.turn);
    const lowering = shrinks(targets);
    const after = await this.#shrink(targets, lowering);
    const raised = await this.#raise(after);
    await this.#noteRest(after.filter(({ standing }) => !raised.has(standing)));
    await placeLaneHints(this.#deps, [
      ...[...raised].filter(({ entry, demand, held }) => entry === undefined && demand > sumOf(held)).map(({ lane }) => lane),
      ...toldToEnter(after, world.turn),
      ...hastened.filter((lane) => ![...raised].some((standing) => standing.lane === lane)),
    ]);
    // Of those that it asked for itself none asks again: they would become ever more.
    const isNews = minute || told.some(({ kind, ...of }) => kind === 'divide' && 'tenant' in of);
    await this.#lookAgain(after, raised, isNews && lowering.length > 0, minute);
  }

  #rateRound(): RateRound {
    const keepLease = () => this.#keepLease();
    return {
      ...this.#deps,
      version: this.#version,
      keepLease,
      each: (all, run) => this.#each(all, run),
      note: (written) => this.#note(written),
    };
  }

  async #lookAgain(targets: readonly Target[], raised: ReadonlySet<Standing>, hasLowered: boolean, minute: boolean): Promise<void> {
    const below = targets.filter(({ standing, needed }) => needed > sumOf(standing.shares) && !raised.has(standing));
    const wanting = below.length > 0 || targets.some(({ standing, needed }) => standing.demand > needed);
    const message = { v: 1, kind: 'divide', made: this.#deps.clock.now() } as const;
    const after = [...(hasLowered && below.length > 0 ? [SOON_SECONDS] : []), ...(minute && wanting ? LOOK_AGAIN_SECONDS : [])];
    await Promise.all(after.map((seconds) => this.#deps.control.tell(message, seconds)));
  }

  async #look(told: ControlRound['told']): Promise<World> {
    const { types, quotas, divisions, backlog, clock } = this.#deps;
    const [names, resources, grants, noted, all, rests] = await Promise.all([
      types.names(),
      types.resources(),
      divisions.grants(),
      backlog.lanes(),
      allQuotas(quotas),
      divisions.rateRests(),
    ]);
    // What is left of a rate is written before any of it is given away.
    const rated = rests.length > 0 ? await divisions.rateGrants() : [];
    const specs = await Promise.all(names.map((name) => types.get(name)));
    const named = told.flatMap((message): Lane[] =>
      message.kind === 'divide' && message.tenant !== undefined && message.type !== undefined
        ? [{ tenant: message.tenant, type: message.type }]
        : [],
    );
    return {
      types: new Map(specs.flatMap((spec) => (spec ? [[spec.type, spec] as const] : []))),
      resources,
      quotas: all,
      grants,
      rates: { grants: rated, rests },
      working: [...noted.map(({ lane }) => lane), ...named],
      turn: Math.floor(clock.now() / TURN_MS),
    };
  }

  /** @returns the targets, with how their lanes stand afterwards */
  async #shrink(targets: readonly Target[], lowering: readonly Move[]): Promise<readonly Target[]> {
    const after = new Map<Standing, Standing>();
    await this.#each(lowering, async (move) => void after.set(move.standing, await this.#lower(move)));
    return targets.map((target) => ({ ...target, standing: after.get(target.standing) ?? target.standing }));
  }

  async #lower({ standing, to }: Move): Promise<Standing> {
    const shares = cellShares(to, standing);
    const held = [...standing.held];
    for (let cell = standing.shares.length - 1; cell >= 0; cell--) {
      const share = shares[cell] ?? 0;
      if (cell > 0 && share >= (standing.shares[cell] ?? 0)) continue;
      held[cell] = await this.#write(standing, cell, Math.min(share, standing.shares[cell] ?? 0), shares.length, 0);
    }
    const lowered = standing.shares.map((share, cell) => Math.min(share, shares[cell] ?? 0));
    const now = { ...standing, shares: lowered, held, stale: false };
    await this.#put(now);
    return now;
  }

  /** @returns those that were raised */
  async #raise(targets: readonly Target[]): Promise<ReadonlySet<Standing>> {
    const ledger = ledgerOf(targets.map(({ standing }) => standing));
    const raised = new Set<Standing>();
    const moves: Move[] = [];
    for (const { standing, needed, share } of raises(targets)) {
      const has = sumOf(standing.shares);
      const to = needed > has ? Math.min(share, has + ledger.room(standing.capacities)) : has;
      if (to === has && !standing.stale) continue;
      const shares = cellShares(to, standing);
      ledger.take(standing.capacities, takenBy(shares, standing.held) - takenBy(standing.shares, standing.held));
      moves.push({ standing, to });
      if (to > has || standing.stale) raised.add(standing);
    }
    await this.#each(moves, async ({ standing, to }) => {
      const shares = cellShares(to, standing);
      await this.#put({ ...standing, shares });
      for (let cell = shares.length - 1; cell >= 0; cell--) {
        if (cell > 0 && !standing.stale && shares[cell] === standing.shares[cell]) continue;
        await this.#write(standing, cell, shares[cell] ?? 0, shares.length, 1);
      }
    });
    return raised;
  }

  /** Notes since when a lane has had nothing, and forgets it once it has nothing left to give back. */
  async #noteRest(targets: readonly Target[]): Promise<void> {
    await this.#each(targets, async ({ standing }) => {
      const { lane, grant, shares, held, demand, entry, closed, small, rests } = standing;
      if (entry !== undefined || !grant) return;
      if (small && sumOf(held) === 0 && sumOf(shares) === 0) return this.#note(this.#deps.divisions.remove(lane));
      if (rests && sumOf(shares) === 0 && !closed && demand === 0) return this.#note(this.#deps.divisions.remove(lane));
      // What it still holds without a share counts: it is looked at until that has ended.
      const idles = rests && (sumOf(shares) > 0 || sumOf(held) === 0);
      if (idles !== (grant.idleSince !== undefined)) await this.#put(standing, idles);
    });
  }

  async #free(grant: Grant): Promise<void> {
    for (let cell = Math.max(1, grant.shares.length) - 1; cell >= 0; cell--) {
      await this.#deps.permits.setShare(grant, cell, { version: this.#version });
    }
    await this.#note(this.#deps.divisions.remove(grant));
    // Nobody waits in what was kept for newcomers, and no hint names it.
    if (grant.tenant !== ENTRY_TENANT) await placeLaneHints(this.#deps, [grant]);
  }

  async #put({ lane, shares, held, closed, grant: before }: Standing, rests = false): Promise<void> {
    const idleSince = rests ? (before?.idleSince ?? this.#deps.clock.now()) : undefined;
    const grant: Grant = {
      v: 1,
      ...lane,
      shares: [...kept(shares, held)],
      ...(closed && { closed }),
      ...(idleSince !== undefined && { idleSince }),
    };
    await this.#note(this.#deps.divisions.put(lane, grant));
  }

  async #note(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      this.#knowsNotes = false;
      throw error;
    }
  }

  /** @returns what the cell holds then @throws when a newer round has written it */
  async #write({ lane, closed, entry, capacities }: Standing, cell: number, share: number, cells: number, phase: 0 | 1): Promise<number> {
    await this.#keepLease();
    const version = this.#version + phase;
    const each = entry === undefined ? {} : { each: entryOfLane(leastOf(capacities)) };
    const answer = await this.#deps.permits.setShare(lane, cell, { version, share, cells, ...each, ...(closed && { closed }) });
    // The same version is this round's own write, repeated.
    if (!answer.set && answer.cell.share?.version !== version) throw new Error('another round of control has taken over');
    return answer.cell.permits.length;
  }

  /** Some at a time, while the lease is surely ours. @throws the first error once all have ended, for the lease is then given back */
  async #each<T>(all: readonly T[], run: (each: T) => Promise<unknown>): Promise<void> {
    for (const part of chunks(all, AT_ONCE)) {
      await this.#keepLease();
      const ends = await Promise.allSettled(part.map(run));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }
  }

  async #keepLease(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now + MARGIN_MS < this.#leaseEnd - LEASE_MS / 3) return;
    const until = now + LEASE_MS;
    if (now >= this.#leaseEnd || !(await this.#deps.divisions.extend(this.#holder, until)))
      throw new Error('another round of control has taken over');
    this.#leaseEnd = until;
  }
}

/** Cells that have something or still hold something. */
function kept(shares: readonly number[], held: readonly number[]): readonly number[] {
  const holding = held.findLastIndex((n) => n > 0);
  return Array.from({ length: Math.max(shares.length, holding + 1) }, (_, cell) => shares[cell] ?? 0);
}

/** The one that is at work goes again, but does not know of which lanes this one was told. */
async function askLater({ control }: DivideDeps, { told }: ControlRound): Promise<void> {
  const lanes = new Map(told.map((message) => [JSON.stringify({ ...message, made: 0 }), message]));
  await Promise.all([...lanes.values()].map((message) => control.tell(message, LATER_SECONDS)));
}

async function allQuotas(quotas: QuotaStore): Promise<ReadonlyMap<string, Quota>> {
  const all = new Map<string, Quota>();
  for await (const page of quotaPages(quotas)) for (const { tenant, quota } of page) all.set(tenant, quota);
  return all;
}
