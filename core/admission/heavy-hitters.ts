import type { AdmissionDocument, HeavyHitters } from '@sluice/contracts';
import type { AdmissionStore } from '../ports/admission-store.ts';
import type { Clock } from '../ports/clock.ts';

export interface HeavyHitterDeps {
  readonly admissions: Pick<AdmissionStore, 'document'>;
  readonly clock: Clock;
}

/** ms after which what was seen says nothing of now: it is put together each minute while anything is submitted. */
const TOLD_MS = 90_000;

/** Who submits most, as control has put it together last. @throws SluiceError `unavailable` */
export async function heavyHitters({ admissions, clock }: HeavyHitterDeps, limit: number): Promise<HeavyHitters> {
  const document = await admissions.document();
  if (!document || clock.now() - document.at > TOLD_MS) return { offeredPerSecond: 0, refusedPerSecond: 0, pressed: false, tenants: [] };
  return viewOf(document, limit);
}

function viewOf({ at, offered, refused, target, tenants }: AdmissionDocument, limit: number): HeavyHitters {
  return {
    at: new Date(at).toISOString(),
    offeredPerSecond: offered,
    refusedPerSecond: refused,
    pressed: target !== undefined,
    ...(target !== undefined && { targetPerSecond: target }),
    tenants: tenants.slice(0, limit).map((each) => ({
      tenant: each.tenant,
      offeredPerSecond: each.offered,
      refusedPerSecond: each.refused,
      share: offered > 0 ? Math.min(1, Math.round((1_000 * each.offered) / offered) / 1_000) : 0,
      ...(each.refuse && { refusing: { code: each.refuse.code, part: each.refuse.part } }),
    })),
  };
}
