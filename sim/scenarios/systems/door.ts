import type { AdmissionDocument, AdmissionReport } from '@sluice/contracts';
import { createAdmission, type Admission } from '../../../core/admission/admission.ts';
import type { AdmissionBounds } from '../../../core/admission/bounds.ts';
import { documentOf } from '../../../core/admission/control-step.ts';
import type { TenantWaiting } from '../../../core/admission/measure-waiting.ts';
import { mergeReports } from '../../../core/admission/merge.ts';
import { isPressureAsked, pressureOf, type Pressure, type PressureRules } from '../../../core/admission/pressure.ts';
import type { Chance } from '../engine/chance.ts';
import type { World } from '../engine/world.ts';
import type { Entrance } from '../model/arrivals.ts';
import { PARAMETERS } from '../parameters.ts';
import { nameOf } from './shard-queues.ts';

const { cacheMs, environments, control } = PARAMETERS;

export interface DoorRules {
  /** What a tenant may submit. @default no bounds */
  readonly bounds?: AdmissionBounds;
  /** When the shared queues count as pressed. @default the platform's */
  readonly pressure?: PressureRules | undefined;
  /** Messages in the shared queues. */
  readonly depth: () => number;
  /** What waits in a tenant's backlogs, and how much of it was started, ever. */
  readonly waiting: (tenant: number) => { readonly tasks: number; readonly oldestSeconds: number; readonly started: number };
}

interface Environment {
  readonly admission: Admission;
  document: AdmissionDocument | undefined;
  readAt: number;
}

/**
 * Admission by the policies of core/admission: every environment samples and refuses by what it knows, and control merges
 * what they report. The document is a few seconds old in each, as in production.
 */
export class Door implements Entrance {
  /** Decisions under which a tenant was refused for what the shared queues hold. */
  pressed = 0;
  readonly #world: World;
  readonly #rules: DoorRules;
  readonly #chance: Chance;
  readonly #environments: Environment[];
  readonly #reports = new Map<string, AdmissionReport>();
  #document: AdmissionDocument | undefined;
  #before: Pressure | undefined;
  readonly #started = new Map<string, { readonly at: number; readonly started: number }>();

  constructor(world: World, rules: DoorRules) {
    this.#world = world;
    this.#rules = rules;
    this.#chance = world.chance('admission');
    this.#environments = Array.from({ length: environments }, (_, n) => this.#environment(n));
    // Under load reports are messages to control, which acts on them every few seconds.
    world.every(control.newsMs, () => (this.#document = this.#decide()), control.newsMs);
  }

  admit(tenant: number, tasks: number): { accepted: number; retryAfterMs: number } {
    const { admission } = this.#environments[this.#chance.below(environments)]!;
    const { admitted, refused } = admission.admit(nameOf(tenant), tasks);
    const seconds = Math.max(0, ...refused.map(({ error }) => Number(error.details?.['retryAfterSeconds'] ?? 0)));
    return { accepted: admitted, retryAfterMs: 1000 * seconds };
  }

  /** Tasks a second that are to be admitted while the platform is pressed; 0 while it is not. */
  get target(): number {
    return this.#document?.target ?? 0;
  }

  #environment(n: number): Environment {
    const { fraction } = this.#chance;
    const environment: Environment = {
      document: undefined,
      readAt: -Infinity,
      admission: createAdmission({
        clock: { now: () => this.#world.now },
        random: { fraction, ulid: () => '', nonce: () => `environment-${n}` },
        telemetry: { count: () => undefined, measure: () => undefined, log: () => undefined },
        feed: {
          look: () => undefined,
          document: () => {
            const { now } = this.#world;
            if (now - environment.readAt > cacheMs) Object.assign(environment, { document: this.#document, readAt: now });
            return environment.document;
          },
          bounds: () => this.#rules.bounds,
          report: (report) => void this.#reports.set(report.by, report),
        },
        ...(this.#rules.bounds && { bounds: this.#rules.bounds }),
      }),
    };
    return environment;
  }

  #decide(): AdmissionDocument {
    const { now } = this.#world;
    const merged = mergeReports([...this.#reports.values()], now);
    const found = isPressureAsked(this.#before, merged) ? { at: now, waiting: this.#rules.depth() } : undefined;
    const { depth, target } = pressureOf(this.#before, merged, found, this.#rules.pressure);
    this.#before = { depth, pressed: target !== undefined };
    const waiting = merged.tenants.map(({ tenant }) => this.#waitingOf(tenant));
    const bounds = new Map(merged.tenants.map(({ tenant }) => [tenant, this.#rules.bounds ?? {}]));
    const document = documentOf({ now, merged, target, bounds, waiting });
    if (document.tenants.some(({ refuse }) => refuse?.code === 'throttled')) this.pressed += 1;
    return document;
  }

  #waitingOf(tenant: string): TenantWaiting {
    const { now } = this.#world;
    const { tasks, oldestSeconds, started } = this.#rules.waiting(Number(tenant.slice(tenant.indexOf('-') + 1)));
    const last = this.#started.get(tenant);
    this.#started.set(tenant, { at: now, started });
    const drained = last && now > last.at ? (1000 * (started - last.started)) / (now - last.at) : 0;
    return { tenant, at: now, tasks, oldestAt: now - 1000 * oldestSeconds, drained };
  }
}
