import { PRIORITIES, type AdmissionDocument, type AdmissionState, type AdmittedTenant } from '@sluice/contracts';
import { quotasSet, type ControlRound, type ControlStep } from '../control/round.ts';
import type { Routing } from '../hints/place.ts';
import type { AdmissionStore } from '../ports/admission-store.ts';
import type { QueueWatch } from '../ports/queue-watch.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { refusalOf, type AdmissionBounds } from './bounds.ts';
import { measureWaiting, type TenantWaiting, type WaitingDeps } from './measure-waiting.ts';
import { mergeReports, REPORT_FRESH_MS, type MergedReports } from './merge.ts';
import { isPressureAsked, pressureOf, type Depth } from './pressure.ts';
import { refusalsFor } from './refuse.ts';
import { SAMPLE_RULES } from './sample-and-hold.ts';

export interface AdmissionStepDeps extends WaitingDeps {
  readonly admissions: AdmissionStore;
  readonly quotas: Pick<QuotaStore, 'get'>;
  readonly telemetry: Telemetry;
  /** What a tenant may submit for whom nothing else is said. */
  readonly commonBounds: AdmissionBounds;
  readonly watch: Pick<QueueWatch, 'depths'>;
  readonly routing: Routing;
}

/** ms between two rounds that load causes, at least. */
const PAUSE_MS = 4_000;
/** Tenants that the document names at most. */
const TENANTS = 200;
const AT_ONCE = 25;

/**
 * The step of control that puts together what environments of submit told, measures backlogs that are bounded, and writes
 * who is refused what. Two at once write the same, more or less, and the later one stays. Where nothing is told, bounded or
 * refused, nothing is written.
 */
export function admissionStep(deps: AdmissionStepDeps): ControlStep {
  return { name: 'admission', run: (round) => run(deps, round) };
}

async function run(deps: AdmissionStepDeps, { now, minute, told }: ControlRound): Promise<void> {
  const set = quotasSet(told);
  if (!minute && set.length === 0 && !told.some(({ kind }) => kind === 'admission')) return;
  const before = await deps.admissions.state();
  // Nobody tells again of a quota that was set.
  if (before && now - before.at < PAUSE_MS && set.length === 0) return;
  const [reports, noted] = await Promise.all([deps.admissions.reports(now - REPORT_FRESH_MS), deps.backlog.lanes()]);
  const merged = mergeReports(reports, now);
  const tenants = new Set([
    ...set,
    ...merged.tenants.slice(0, 2 * TENANTS).map(({ tenant }) => tenant),
    ...noted.map(({ lane }) => lane.tenant),
  ]);
  const bounds = await boundsOf(deps, [...tenants]);
  const backlogs = new Map([...bounds].filter(([, { backlog, maxAgeSeconds }]) => (backlog ?? maxAgeSeconds) !== undefined));
  const { waiting, lanes } = await measureWaiting(deps, {
    lanes: noted.map(({ lane }) => lane),
    boundsOf: backlogs,
    first: set,
    before,
    now,
  });
  const { depth, target } = pressureOf(before, merged, isPressureAsked(before, merged) ? await depthOf(deps, now) : undefined);
  const document = documentOf({ now, merged, target, bounds, waiting, set });
  if (target !== undefined) deps.telemetry.count('admission.pressed', undefined);
  const state: AdmissionState = {
    v: 1,
    at: now,
    pressed: target !== undefined,
    environments: merged.environments,
    lanes,
    waiting: [...waiting],
    ...(depth && { depth }),
  };
  // Nothing to say, and nothing was said before: an idle platform writes nothing.
  const idle = ({ environments, pressed, waiting: measured }: AdmissionState): boolean =>
    environments === 0 && !pressed && measured.length === 0;
  if (idle(state) && (!before || idle(before)) && set.length === 0) return;
  await deps.admissions.putDocument(document);
  await deps.admissions.putState(state);
}

async function boundsOf(deps: AdmissionStepDeps, tenants: readonly string[]): Promise<Map<string, AdmissionBounds>> {
  const bounds = new Map<string, AdmissionBounds>();
  await sideBySide(tenants, AT_ONCE, async (tenant) => {
    bounds.set(tenant, { ...deps.commonBounds, ...(await deps.quotas.get(tenant))?.quota });
  });
  return bounds;
}

/** Messages of all shared queues together; `undefined` where one did not answer. */
async function depthOf({ watch, routing }: AdmissionStepDeps, now: number): Promise<Depth | undefined> {
  const shards = Array.from({ length: routing.shards }, (_, shard) => shard);
  const depths = await watch.depths(PRIORITIES.flatMap((priority) => shards.map((shard) => ({ priority, shard }))));
  const waiting = depths.reduce((sum, depth) => sum + (depth?.visible ?? NaN), 0);
  return Number.isNaN(waiting) ? undefined : { at: now, waiting };
}

interface Known {
  readonly now: number;
  readonly merged: MergedReports;
  readonly target: number | undefined;
  readonly bounds: ReadonlyMap<string, AdmissionBounds>;
  readonly waiting: readonly TenantWaiting[];
  /** Tenants whose quotas were set just now: their rates are told, whatever they submit. */
  readonly set?: readonly string[];
}

/** Decides who is refused what, from what is known. Of two reasons the one that refuses more counts. */
export function documentOf({ now, merged, target, bounds, waiting, set = [] }: Known): AdmissionDocument {
  const refuse = new Map<string, NonNullable<AdmittedTenant['refuse']>>();
  const offeredBy = new Map(merged.tenants.map(({ tenant, offered }) => [tenant, offered]));
  const add = (tenant: string, refusal: NonNullable<AdmittedTenant['refuse']>): void => {
    if (refusal.part > (refuse.get(tenant)?.part ?? 0)) refuse.set(tenant, refusal);
  };
  for (const { tenant, tasks, oldestAt, drained = 0 } of waiting) {
    const oldestSeconds = oldestAt === undefined ? 0 : (now - oldestAt) / 1000;
    const refusal = refusalOf({ tasks, oldestSeconds, drained, offered: offeredBy.get(tenant) ?? 0 }, bounds.get(tenant) ?? {});
    if (refusal) add(tenant, refusal);
  }
  if (target !== undefined) {
    const floor = SAMPLE_RULES.share * merged.offered;
    const known = merged.tenants
      .filter(({ seen }) => seen >= floor)
      .map(({ tenant, seen }) => ({ tenant, offered: seen, weight: bounds.get(tenant)?.weight ?? 1 }));
    for (const { tenant, part } of refusalsFor(known, merged.offered, target, floor).refusals) {
      // As long as the excess of this interval takes to be worked off at the level that the tenant has.
      add(tenant, { code: 'throttled', part, waitSeconds: Math.max(1, (10 * part) / (1 - Math.min(part, 0.95))) });
    }
  }
  const rates = new Map(merged.tenants.map((rate) => [rate.tenant, rate]));
  const limited = set.filter((tenant) => bounds.get(tenant)?.rate !== undefined);
  const names = new Set([...limited, ...refuse.keys(), ...merged.limited, ...rates.keys()]);
  const tenants = [...names].slice(0, TENANTS).map((tenant): AdmittedTenant => {
    const { offered = 0, refused = 0 } = rates.get(tenant) ?? {};
    const refusal = refuse.get(tenant);
    const { rate, burst } = bounds.get(tenant) ?? {};
    return {
      tenant,
      offered: round(offered),
      refused: round(refused),
      ...(rate !== undefined && { rate }),
      ...(burst !== undefined && { burst }),
      ...(refusal && { refuse: { ...refusal, part: part4(refusal.part), waitSeconds: round(refusal.waitSeconds) } }),
    };
  });
  return {
    v: 1,
    at: now,
    environments: merged.environments,
    offered: round(merged.offered),
    refused: round(merged.refused),
    ...(target !== undefined && { target: round(target) }),
    tenants: tenants.sort((a, b) => b.offered - a.offered),
  };
}

const round = (amount: number): number => Math.round(amount * 10) / 10;
/** Never 0, which would be no refusal. */
const part4 = (part: number): number => Math.max(0.0001, Math.round(part * 10_000) / 10_000);
