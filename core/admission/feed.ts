import type { AdmissionDocument, AdmissionReport } from '@sluice/contracts';
import type { AdmissionStore, BoundsStore } from '../ports/admission-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { ControlQueue } from '../ports/control-queue.ts';
import type { Random } from '../ports/random.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { AdmissionBounds } from './bounds.ts';

/** ms after which something is read anew, in the background: while there is load, and while there is none. */
const REFRESH_MS = { loaded: 5_000, calm: 15_000 };
/** ms after which a document says nothing any more: control makes one each minute, and each ten seconds under load. */
const DOCUMENT_KEPT_MS = 90_000;
/** ms after which the bounds of a tenant are not what they were: nobody could read them for so long. */
const BOUNDS_KEPT_MS = 60_000;
/** Tenants whose bounds are kept: some 300 KB. */
const TENANTS = 1_000;

/** What one environment knows of the others, some seconds old. No answer is waited for: what is not known does not bound. */
export interface AdmissionFeed {
  readonly document: (loaded: boolean) => AdmissionDocument | undefined;
  /** Of a tenant that has some. @param ask whether to find out for one of whom nothing is known */
  readonly bounds: (tenant: string, ask: boolean) => AdmissionBounds | undefined;
  readonly report: (report: AdmissionReport) => void;
}

export interface FeedDeps {
  readonly admissions: AdmissionStore;
  readonly bounds: BoundsStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Told when there is something new to put together. */
  readonly control: ControlQueue;
  readonly random: Pick<Random, 'fraction'>;
}

/** ms after which control is told, where it has put nothing together. */
const TELL_MS = 10_000;

interface Known<T> {
  value: T | undefined;
  readAt: number;
  /** A read that has begun and not ended, or failed, is not begun again before this. */
  nextAt: number;
}

export function createAdmissionFeed({ admissions, bounds, clock, telemetry, control, random }: FeedDeps): AdmissionFeed {
  const documents: Known<AdmissionDocument> = newKnown();
  const tenants = new Map<string, Known<AdmissionBounds>>();

  const inBackground = (what: string, call: () => Promise<void>): void => {
    call().catch((error: unknown) => {
      telemetry.count('admission.failed', undefined);
      telemetry.log('warn', `${what} failed; submissions are admitted without it`, { error });
    });
  };

  /** @returns what is known, if it is not older than `keptMs` */
  const current = <T>(
    known: Known<T>,
    what: string,
    read: () => Promise<T | undefined>,
    ms: { readonly fresh: number; readonly kept: number },
  ): T | undefined => {
    const now = clock.now();
    if (now >= Math.max(known.readAt + ms.fresh, known.nextAt)) {
      known.nextAt = now + REFRESH_MS.loaded;
      inBackground(what, async () => {
        known.value = await read();
        known.readAt = now;
      });
    }
    return now - known.readAt > ms.kept ? undefined : known.value;
  };

  return {
    document: (loaded) => {
      const fresh = loaded || documents.value?.tenants.some(({ refuse }) => refuse) ? REFRESH_MS.loaded : REFRESH_MS.calm;
      const document = current(documents, 'reading who is refused', () => admissions.document(), { fresh, kept: DOCUMENT_KEPT_MS });
      return document && clock.now() - document.at <= DOCUMENT_KEPT_MS ? document : undefined;
    },
    bounds: (tenant, ask) => {
      const known = tenants.get(tenant) ?? newKnown<AdmissionBounds>();
      if (!ask && known.value === undefined) return undefined;
      // The one that was asked for longest ago goes first.
      tenants.delete(tenant);
      tenants.set(tenant, known);
      for (const [oldest] of tenants) {
        if (tenants.size <= TENANTS) break;
        tenants.delete(oldest);
      }
      return current(known, 'reading the bounds of a tenant', () => bounds.bounds(tenant), {
        fresh: REFRESH_MS.loaded,
        kept: BOUNDS_KEPT_MS,
      });
    },
    report: (report) =>
      inBackground('telling what was submitted', async () => {
        await admissions.putReport(report);
        const known = documents.value;
        if (known && clock.now() - known.at < TELL_MS) return;
        // One of all those that tell something is enough.
        if (random.fraction() * (known?.environments ?? 1) < 1) await control.tell({ v: 1, kind: 'admission', made: clock.now() });
      }),
  };
}

function newKnown<T>(): Known<T> {
  return { value: undefined, readAt: -Infinity, nextAt: -Infinity };
}
