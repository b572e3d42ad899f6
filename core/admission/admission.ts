import { SluiceError, type AdmissionCode, type AdmissionDocument, type AdmittedTenant } from '@sluice/contracts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { retryAfterSeconds, type AdmissionBounds } from './bounds.ts';
import { TASKS_PER_MESSAGE } from '../hints/place.ts';
import type { AdmissionFeed } from './feed.ts';
import { createLimiter } from './limiter.ts';
import { reportOf } from './report.ts';
import { createSampler } from './sample-and-hold.ts';
import { createSurgeGuard } from './surge.ts';

/** Tasks that are refused for one reason, and the error that says so. */
export interface Refused {
  readonly tasks: number;
  readonly error: SluiceError;
}

/** What becomes of tasks that come together: so many are admitted, the others refused. */
export interface Admitted {
  readonly admitted: number;
  readonly refused: readonly Refused[];
}

/** The gate of one environment of submit. Decides at once, from what is in memory. */
export interface Admission {
  /** Before it decides: what has become too old is waited for, for a moment; `undefined` where nothing is. */
  readonly ready: (tenant: string, tasks: number) => Promise<unknown> | undefined;
  readonly admit: (tenant: string, tasks: number) => Admitted;
}

export interface AdmissionDeps {
  readonly feed: AdmissionFeed;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** What a tenant may submit for whom nothing else is said. @default no bounds */
  readonly bounds?: AdmissionBounds;
}

/** ms of an interval, and how long nothing may come until what was counted before is too old to be told. */
const INTERVAL_MS = 5_000;
const IDLE_MS = 15_000;
/** Tasks in an interval from which on an environment has something to tell. Below it submitting costs no call more. */
const LOAD = 100;
/** The same for one that has told nothing yet, in its first second: a flood is not to be waited for. */
const FLOOD = { tasks: 500, ms: 1_000 };
/** Tasks of a tenant in an interval from which on its bounds are asked for. */
const NOTABLE = 20;
/** Tasks of a tenant in an interval from which on it may be one that surges. */
const LARGE = 50;

/**
 * Admits tasks, as far as their tenant is within its bounds and its share of a pressed system. It counts who submits, tells
 * it every few seconds under load, and hears what control makes of all that is told. What is not known does not refuse. Memory is bounded: see {@link createSampler} and {@link createLimiter}.
 */
export function createAdmission({ feed, clock, random, telemetry, bounds: common = {} }: AdmissionDeps): Admission {
  const by = random.nonce();
  const sampler = createSampler(random.fraction);
  const limiter = createLimiter();
  const guard = createSurgeGuard();
  const refusals = new Map<string, number>();
  let indexed: { readonly document: AdmissionDocument; readonly byTenant: ReadonlyMap<string, AdmittedTenant> } | undefined;
  let refused = 0;
  let messages = 0;
  let from = clock.now();
  let last = from;
  let hasTold = false;

  const close = (now: number, tell: boolean): void => {
    const interval = sampler.close();
    const limited = limiter.close(now - from);
    guard.close(now - from);
    if (tell) feed.report(reportOf({ by, from, to: now, interval, refused, messages, refusals, limited }, random.fraction()));
    hasTold = tell;
    refusals.clear();
    refused = 0;
    messages = 0;
    from = now;
  };

  const tick = (now: number): void => {
    if (now - last > IDLE_MS) close(now, false);
    last = now;
    const passed = now - from;
    const loaded = sampler.volume() >= LOAD || refused > 0 || limiter.busy();
    if (passed >= INTERVAL_MS) close(now, loaded);
    else if (!hasTold && passed >= FLOOD.ms && sampler.volume() >= FLOOD.tasks) close(now, true);
  };

  const knownOf = (document: AdmissionDocument | undefined, tenant: string): AdmittedTenant | undefined => {
    if (!document) return undefined;
    if (indexed?.document !== document) {
      indexed = { document, byTenant: new Map(document.tenants.map((each) => [each.tenant, each])) };
    }
    return indexed.byTenant.get(tenant);
  };

  const refuse = (tenant: string, tasks: number, code: AdmissionCode, seconds: number): Refused => {
    refused += tasks;
    // One line for each tenant and interval.
    if (!refusals.has(tenant)) telemetry.log('info', 'submissions are refused', { tenant, code });
    refusals.set(tenant, (refusals.get(tenant) ?? 0) + tasks);
    telemetry.count(`admission.${code}`, undefined, tasks);
    const retryAfter = retryAfterSeconds(seconds, random.fraction());
    return {
      tasks,
      error: new SluiceError(code, `${WHY[code]}; submit it again after ${retryAfter} s`, { details: { retryAfterSeconds: retryAfter } }),
    };
  };

  return {
    ready: (tenant, tasks) => feed.look(tenant, sampler.estimate(tenant) + tasks >= NOTABLE),

    admit: (tenant, tasks) => {
      const now = clock.now();
      tick(now);
      sampler.add(tenant, tasks);
      const document = feed.document();
      const known = knownOf(document, tenant);
      const own = feed.bounds(tenant) ?? (known?.rate === undefined ? undefined : known);
      const { rate, burst } = { ...common, ...own };

      const gone: Refused[] = [];
      let left = tasks;
      if (known?.refuse) {
        const { code, part, waitSeconds } = known.refuse;
        const not = Math.min(left, Math.floor(left * part + random.fraction()));
        if (not > 0) gone.push(refuse(tenant, not, code, waitSeconds));
        left -= not;
      }
      if (rate !== undefined) {
        const { admitted, waitMs } = limiter.take(tenant, now, { rate, burst }, { wanted: left, offered: tasks, merged: known?.offered });
        if (admitted < left) gone.push(refuse(tenant, left - admitted, 'rate_limited', waitMs / 1000));
        left = admitted;
      }
      if (sampler.estimate(tenant) >= LARGE) {
        const { admitted, waitMs } = guard.take(tenant, now, { tasks: left, environments: document?.environments, merged: known });
        if (admitted < left) gone.push(refuse(tenant, left - admitted, 'throttled', waitMs / 1000));
        left = admitted;
      }
      messages += Math.ceil(left / TASKS_PER_MESSAGE);
      return { admitted: left, refused: gone };
    },
  };
}

const WHY: Readonly<Record<AdmissionCode, string>> = {
  rate_limited: 'the tenant submits more tasks a second than it may',
  backlog_full: 'the tenant has as many tasks waiting as it may',
  backlog_too_old: 'the oldest waiting task of the tenant is older than it may be',
  throttled: 'the tenant submits more than its fair share of what the platform takes now',
};
