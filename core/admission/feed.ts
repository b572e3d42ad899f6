import type { AdmissionDocument, AdmissionReport, Quota } from '@sluice/contracts';
import { look, newKept, type Kept } from '../kept/kept.ts';
import type { AdmissionStore } from '../ports/admission-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { QuotaStore } from '../ports/quota-store.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Timer } from '../ports/timer.ts';
import type { AdmissionBounds } from './bounds.ts';
import { createRecent } from './recent.ts';

/** ms after which a document says nothing any more: control makes one each minute, and each ten seconds under load. */
const DOCUMENT_KEPT_MS = 90_000;
/** ms after which the bounds of a tenant are not what they were: nobody could read them for so long. */
const BOUNDS_KEPT_MS = 60_000;
/** Tenants whose bounds are kept, those that came last. */
const TENANTS = 500;

type Rate = Pick<AdmissionBounds, 'rate' | 'burst'>;

/** What one environment knows of the others and of operators, some seconds old. What is not known does not bound. */
export interface AdmissionFeed {
  /**
   * Before what is known is used: reads anew what has become old.
   * @param ask whether to find out the bounds of a tenant of whom nothing is known
   * @returns what to wait for, for a moment, where it has become too old; `undefined` where something came lately
   */
  readonly look: (tenant: string, ask: boolean) => Promise<unknown> | undefined;
  readonly document: () => AdmissionDocument | undefined;
  /** The rate of a tenant that has one of its own. */
  readonly bounds: (tenant: string) => Rate | undefined;
  readonly report: (report: AdmissionReport) => void;
}

export interface FeedDeps {
  readonly admissions: AdmissionStore;
  readonly quotas: Pick<QuotaStore, 'get'>;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly telemetry: Telemetry;
  /** Told when there is something new to put together. */
  readonly control: ControlQueue;
  readonly random: Pick<Random, 'fraction'>;
}

/** ms after which control is told, where it has put nothing together. */
const TELL_MS = 10_000;

export function createAdmissionFeed(deps: FeedDeps): AdmissionFeed {
  const { admissions, quotas, clock, telemetry, control, random } = deps;
  const document = newKept<AdmissionDocument>();
  const tenants = createRecent<Kept<Rate>>(TENANTS);

  const failed = (what: string) => (error: unknown) => {
    telemetry.count('admission.failed', undefined);
    telemetry.log('warn', `${what} failed; submissions are admitted without it`, { error });
  };
  const valueOf = <T>({ value, readAt }: Kept<T>, keptMs: number): T | undefined => (clock.now() - readAt > keptMs ? undefined : value);

  const lookForBounds = (tenant: string, ask: boolean): Promise<void> | undefined => {
    const found = tenants.get(tenant);
    if (!ask && found?.value === undefined) return undefined;
    const known = found ?? newKept<Rate>();
    if (!found) tenants.set(tenant, known);
    return look(deps, known, async () => rateIn((await quotas.get(tenant))?.quota), failed('reading the bounds of a tenant'));
  };

  return {
    look: (tenant, ask) => {
      const first = look(deps, document, async () => admissions.document(), failed('reading who is refused'));
      const second = lookForBounds(tenant, ask);
      return first && second ? Promise.all([first, second]) : (first ?? second);
    },
    document: () => {
      const value = valueOf(document, DOCUMENT_KEPT_MS);
      return value && clock.now() - value.at <= DOCUMENT_KEPT_MS ? value : undefined;
    },
    bounds: (tenant) => {
      const found = tenants.get(tenant);
      return found && valueOf(found, BOUNDS_KEPT_MS);
    },
    report: (report) => {
      const tell = async (): Promise<void> => {
        await admissions.putReport(report);
        const { value } = document;
        if (value && clock.now() - value.at < TELL_MS) return;
        // One of all those that tell something is enough.
        if (random.fraction() * (value?.environments ?? 1) < 1) await control.tell({ v: 1, kind: 'admission', made: clock.now() });
      };
      tell().catch(failed('telling what was submitted'));
    },
  };
}

/** Of a quota what is decided by here: all else would be kept in vain. */
function rateIn({ rate, burst }: Quota = {}): Rate | undefined {
  if (rate === undefined && burst === undefined) return undefined;
  return { ...(rate !== undefined && { rate }), ...(burst !== undefined && { burst }) };
}
