import type { TaskTypeSpec } from '@sluice/contracts';
import { passGate, undoProbes } from '../breakers/gate.ts';
import { decideBlind } from '../hints/decide.ts';
import { laneRules } from '../limits/lane-rules.ts';
import { acquireOrEnter, homeOf, lineUp } from '../permits/entry.ts';
import type { Shard } from '../ports/hint-queue.ts';
import type { Lane, Permit } from '../ports/permit-store.ts';
import type { Asker } from '../priority/ask.ts';
import { coalesceEffects, type Effects } from '../settle/effects.ts';
import type { Ahead } from './ahead.ts';
import { claimAndStart, placeLeaseHints, type Claim } from './claim.ts';
import { expireBlind, hintAt, hintLater, look } from './look.ts';
import type { LanePools } from './pools.ts';
import { park, type NotedLanes, type ParkReason } from './park.ts';
import { tellControl } from './tell-control.ts';
import { DONE, keep, leaseMs, modeOf, runMs, STAY, type DispatchDeps, type Work, type WorkEnd } from './work.ts';
import { laneKey } from '../permits/lane-key.ts';

/** A type that is not deployed: its tasks wait for it and are counted, they never fail. */
const UNKNOWN_TYPE_MS = 60_000;
/** Seconds after which a hint is received again when a call about it went wrong. */
const FAULT_SECONDS = 5;
/** Time that dispatch needs after its last attempt for settling, ms. */
export const MARGIN_MS = 10_000;

export interface ProcessOptions {
  readonly noted: NotedLanes;
  /** ms: when this invocation of dispatch ends. */
  readonly deadline: number;
  /** The shard that the hints came by. */
  readonly via?: Shard | undefined;
  /** The lanes whose backlog this invocation goes on with. */
  readonly pools?: LanePools;
  /** ms for which this invocation goes on looking at the lane. @default it does not */
  readonly attendMs?: number | undefined;
  /** Who of the lane's claims may run. @default whoever has a permit */
  readonly ahead?: Ahead | undefined;
  /** Permits that each cell is asked for at most, some of them beyond its limit. @default none is */
  readonly most?: ((cell: number) => number) | undefined;
  /** Told of a hint whose attempt has been claimed and is waited for; its lease-end hint is durable. */
  readonly onRun?: (work: Work) => void;
  /** Told when a hint has been dealt with: an attempt that was waited for has ended, and its permit has been given back. */
  readonly onEnd?: (work: Work) => void;
}

/**
 * Works off hinted tasks: looks at the rows of those that need it, takes permits lane by lane, claims and starts, parks
 * what finds its lane full. @returns an end for each; never throws.
 */
export async function processWorks(deps: DispatchDeps, works: readonly Work[], options: ProcessOptions): Promise<readonly WorkEnd[]> {
  const ends = new Map<Work, WorkEnd>();
  const apply = coalesceEffects(deps);
  const lanes = new Map<string, Work[]>();
  await guarded(deps, ends, works, async (work) => {
    const end = await preliminary(deps, work, apply);
    if (end !== 'claim') return void ends.set(work, end);
    const key = laneKey({ tenant: work.tenant, type: work.task.type });
    const list = lanes.get(key);
    if (list) list.push(work);
    else lanes.set(key, [work]);
  });

  const claims: Claim[] = [];
  await Promise.all(
    [...lanes.values()].map(async (lane) => {
      try {
        claims.push(...(await permitsFor(deps, lane, options, ends)));
      } catch (error) {
        fault(deps, ends, lane, error);
      }
    }),
  );
  if (options.onEnd) for (const work of works) if (ends.has(work)) options.onEnd(work);
  await startAll(deps, claims, options, ends, apply);
  return works.map((work) => ends.get(work) ?? keep(FAULT_SECONDS));
}

type Apply = (effects: Effects) => Promise<void>;

/** What can be decided before a permit is taken. */
async function preliminary(deps: DispatchDeps, work: Work, apply: Apply): Promise<WorkEnd | 'claim'> {
  const blind = work.blind ? decideBlind(work.task, deps.clock.now()) : undefined;
  if (blind?.do === 'claim') return 'claim';
  if (blind?.do === 'hint-at') return hintAt(deps, work, blind.at);
  const looked = blind?.do === 'expire' ? await expireBlind(deps, work) : await look(deps, work);
  if (looked === 'claim') return 'claim';
  if (looked.effects) await apply(looked.effects);
  return looked.end;
}

/** Takes permits for the works of one lane; those that get none are parked. */
async function permitsFor(deps: DispatchDeps, works: readonly Work[], options: ProcessOptions, ends: Map<Work, WorkEnd>): Promise<Claim[]> {
  const first = works[0];
  if (!first) return [];
  const lane: Lane = { tenant: first.tenant, type: first.task.type };
  const spec = await deps.types.get(lane.type);
  if (!spec) {
    deps.telemetry.count('type.missing', lane.type, works.length);
    await guarded(deps, ends, works, async (work) => void ends.set(work, await hintLater(deps, work, UNKNOWN_TYPE_MS)));
    return [];
  }
  const mode = await modeOf(deps, spec);
  if (mode === 'wait' && deps.clock.now() + runMs(spec, mode) + MARGIN_MS > options.deadline) {
    for (const work of works) ends.set(work, STAY);
    return [];
  }
  if (mode === 'wait') options.pools?.attend(lane);
  // One instant for the permit's expiry and the lease's end, fixed before the permit is taken.
  const expiry = deps.clock.now() + leaseMs(spec, mode);
  const { pass, held, canary } = await passGate(deps, lane, works, expiry);
  await parkAll(deps, lane, spec, held, 'breaker', options, ends);
  if (pass.length === 0) return [];
  const wanted = pass.map((): Permit => ({ expiry, nonce: deps.random.nonce() }));
  const again = pass.map(({ task }) => task.again);
  const askers = pass.map(askerOf);
  const rules = laneRules(spec);
  // A probe waits for nobody.
  const ahead = mode === 'wait' && !canary ? options.most : undefined;
  const { attendMs } = options;
  const acquired = await acquireOrEnter(deps, lane, rules, wanted, { again, budget: spec.retryBudget, askers, attendMs, ahead });
  const { cells, permits, entered, full } = acquired;
  const refused = {
    full: pass.filter((_, i) => cells[i] === undefined),
    budget: pass.filter((_, i) => cells[i] === 'budget'),
    rate: pass.filter((_, i) => typeof cells[i] === 'object'),
  };
  await undoProbes(
    deps,
    canary,
    Object.values(refused).flatMap((held) => held.map(({ task }) => task.uid)),
  );
  const rated = refused.rate.length > 0 && deps.views?.cell(lane, 0)?.rateShare !== undefined;
  if (rules.divided && (refused.full.length > 0 || rated)) await tellControl(deps, options.noted, lane);
  await parkAll(deps, lane, spec, refused.full, 'full', options, ends);
  await parkAll(deps, lane, spec, refused.budget, 'budget', options, ends);
  await parkAll(deps, lane, spec, refused.rate, 'rate', options, ends);
  // Once it is in the backlog, so that whoever is told finds it.
  if (full && refused.full.length > 0) await lineUp(deps, lane, rules);
  const claims = pass.flatMap((work, i): Claim[] => {
    const permit = permits[i];
    const cell = cells[i];
    return permit && typeof cell === 'number' ? [{ work, spec, mode, permit, cell, canary, entry: entered.has(i) }] : [];
  });
  return mode === 'wait' && options.ahead ? withTurns(options.ahead, claims, ahead !== undefined) : claims;
}

function withTurns({ took }: Ahead, claims: readonly Claim[], ahead: boolean): Claim[] {
  const turns = took(claims.map(({ work, permit, cell }) => ({ permit, cell, asker: askerOf(work), ahead })));
  return claims.map((claim, i) => ({ ...claim, turn: turns[i] }));
}

function askerOf({ task, source, own = false }: Work): Asker {
  return { priority: task.priority, fresh: source === 'queue', own };
}

async function parkAll(
  deps: DispatchDeps,
  lane: Lane,
  spec: TaskTypeSpec,
  works: readonly Work[],
  why: ParkReason,
  options: ProcessOptions,
  ends: Map<Work, WorkEnd>,
): Promise<void> {
  // An item of the backlog stays where it is, but for a retry that stands in the way of others.
  const stays = ({ source, place }: Work) => source === 'backlog' && (why !== 'budget' || place === 'budget');
  for (const work of works) if (stays(work)) ends.set(work, STAY);
  const moved = works.filter((work) => !stays(work));
  if (moved.length === 0) return;
  try {
    await park(deps, options.noted, lane, spec, moved, why);
    for (const work of moved) ends.set(work, DONE);
  } catch (error) {
    fault(deps, ends, moved, error);
  }
}

async function startAll(
  deps: DispatchDeps,
  claims: readonly Claim[],
  options: ProcessOptions,
  ends: Map<Work, WorkEnd>,
  apply: Apply,
): Promise<void> {
  const hinted = await placeLeaseHints(deps, claims, options.via);
  await Promise.all(
    claims.map(async (claim, i) => {
      const { tenant, task } = claim.work;
      const lane = homeOf({ tenant, type: task.type }, claim.entry);
      try {
        if (hinted[i] !== true) {
          claim.turn?.passOn();
          return await apply({ release: { lane, cell: claim.cell, permit: claim.permit } });
        }
        const isWaited = claim.mode === 'wait' && claim.work.source === 'backlog';
        const { end, effects } = await claimAndStart(deps, claim, () => isWaited && options.onRun?.(claim.work));
        await Promise.all(effects.map(apply));
        ends.set(claim.work, end);
      } catch (error) {
        // Unknown how far it came. Received again, the hint finds its task ended or running, and repeats what is left;
        // at the latest permit and lease run out together.
        fault(deps, ends, [claim.work], error);
      } finally {
        claim.turn?.done();
        options.onEnd?.(claim.work);
      }
    }),
  );
}

async function guarded(
  deps: DispatchDeps,
  ends: Map<Work, WorkEnd>,
  works: readonly Work[],
  run: (work: Work) => Promise<void>,
): Promise<void> {
  await Promise.all(
    works.map(async (work) => {
      try {
        await run(work);
      } catch (error) {
        fault(deps, ends, [work], error);
      }
    }),
  );
}

function fault(deps: DispatchDeps, ends: Map<Work, WorkEnd>, works: readonly Work[], error: unknown): void {
  for (const work of works) ends.set(work, keep(FAULT_SECONDS));
  const first = works[0];
  deps.telemetry.count('dispatch.failed', first?.task.type, works.length);
  deps.telemetry.log('error', 'dispatch failed', { tenant: first?.tenant, task: first?.task.id, error });
}
