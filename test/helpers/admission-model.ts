import type { QuotaRecord } from '@sluice/contracts';
import {
  createMemoryAdmissionStore,
  createMemoryBacklogStore,
  createMemoryClock,
  createMemoryControlQueue,
  createMemoryPermitStore,
  createMemoryRandom,
  createMemoryTelemetry,
  createMemoryTypeRegistry,
} from '../../adapters/memory/index.ts';
import { createAdmission, type Admission } from '../../core/admission/admission.ts';
import type { AdmissionBounds } from '../../core/admission/bounds.ts';
import { admissionStep } from '../../core/admission/control-step.ts';
import { createAdmissionFeed } from '../../core/admission/feed.ts';
import { T0 } from './samples.ts';

export interface ModelConfig {
  readonly environments: number;
  /** Tasks a second of each tenant, at a time in seconds. */
  readonly offers: (second: number) => readonly (readonly [tenant: string, perSecond: number])[];
  /** Tasks that come in one call. @default 1 */
  readonly batch?: (tenant: string) => number;
  /** Tasks a second that the shared queues give off. */
  readonly drained: number;
  readonly bounds?: Readonly<Record<string, AdmissionBounds>>;
  readonly commonBounds?: AdmissionBounds;
  readonly seconds: number;
  readonly seed?: number;
  /** ms between rounds of control at the most. @default the minute, and when told */
  readonly measureFrom?: number;
}

export interface ModelResult {
  readonly offered: ReadonlyMap<string, number>;
  readonly refused: ReadonlyMap<string, number>;
  /** Tasks in the shared queues at the end of each second. */
  readonly waiting: readonly number[];
  /** Tasks that each second admitted. */
  readonly admitted: readonly number[];
  readonly calls: { readonly reports: number; readonly documents: number; readonly bounds: number; readonly told: number };
}

/** Many environments of submit, each with the real gate, control's real step, and shared queues that give off so many a second. */
export async function runModel(config: ModelConfig): Promise<ModelResult> {
  const clock = createMemoryClock(T0);
  const random = createMemoryRandom(config.seed ?? 1);
  const telemetry = createMemoryTelemetry();
  const store = createMemoryAdmissionStore();
  const control = createMemoryControlQueue();
  const calls = { reports: 0, documents: 0, bounds: 0, told: 0 };
  const admissions: typeof store = {
    ...store,
    putReport: (report) => {
      calls.reports += 1;
      return store.putReport(report);
    },
    document: () => {
      calls.documents += 1;
      return store.document();
    },
  };
  const stored = {
    get: async (tenant: string): Promise<QuotaRecord | undefined> => {
      const quota = config.bounds?.[tenant];
      return quota && { v: 1, tenant, quota, updatedAt: T0 };
    },
  };
  const quotas: typeof stored = {
    get: (tenant) => {
      calls.bounds += 1;
      return stored.get(tenant);
    },
  };
  const timer = { sleep: () => new Promise<void>(() => undefined) };
  const gates: Admission[] = Array.from({ length: config.environments }, () => {
    const feed = createAdmissionFeed({ admissions, quotas, clock, timer, telemetry, control, random });
    return createAdmission({ feed, clock, random, telemetry, ...(config.commonBounds && { bounds: config.commonBounds }) });
  });
  let depth = 0;
  const step = admissionStep({
    admissions: store,
    quotas: stored,
    telemetry,
    backlog: createMemoryBacklogStore(),
    permits: createMemoryPermitStore(),
    types: createMemoryTypeRegistry([]),
    commonBounds: config.commonBounds ?? {},
    routing: { shards: 1, shardsPerTenant: 1 },
    watch: {
      depths: async (queues) => queues.map(({ priority }) => ({ visible: priority === 'normal' ? depth : 0, inFlight: 0, delayed: 0 })),
    },
  });
  const offered = new Map<string, number>();
  const refused = new Map<string, number>();
  const waiting: number[] = [];
  const admitted: number[] = [];
  const STEPS = 10;
  const late: (() => Promise<void>)[] = [];
  for (let second = 0; second < config.seconds; second++) {
    let into = 0;
    const counts = second >= (config.measureFrom ?? 0);
    for (let part = 0; part < STEPS; part++) {
      for (const [tenant, perSecond] of config.offers(second)) {
        const size = config.batch?.(tenant) ?? 1;
        const mean = perSecond / STEPS / size;
        for (let n = poisson(mean, random.fraction); n > 0; n--) {
          const gate = gates[Math.floor(random.fraction() * gates.length)];
          await gate?.ready(tenant, size);
          const answer = gate?.admit(tenant, size);
          into += answer?.admitted ?? 0;
          if (!counts) continue;
          offered.set(tenant, (offered.get(tenant) ?? 0) + size);
          refused.set(tenant, (refused.get(tenant) ?? 0) + size - (answer?.admitted ?? 0));
        }
      }
      clock.advance(1000 / STEPS);
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    depth = Math.max(0, depth + into - config.drained);
    waiting.push(depth);
    admitted.push(into);
    const told = control.take();
    calls.told += told.length;
    const minute = second % 60 === 59;
    const now = clock.now();
    if (minute || told.length > 0) late.push(() => step.run({ now, deadline: now + 60_000, minute, told }));
    await late.shift()?.();
  }
  return { offered, refused, waiting, admitted, calls };
}

/** Knuth's way, and a normal one for large means. */
function poisson(mean: number, fraction: () => number): number {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - fraction())) * Math.cos(2 * Math.PI * fraction());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const limit = Math.exp(-mean);
  let n = 0;
  for (let product = fraction(); product > limit; product *= fraction()) n += 1;
  return n;
}
