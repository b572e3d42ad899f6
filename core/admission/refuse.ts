/** A tenant that offers tasks, and its weight (above 0). */
export interface Offer {
  readonly tenant: string;
  readonly offered: number;
  /** @default 1 */
  readonly weight?: number;
}

/** What a tenant is refused of. */
export interface Refusal {
  readonly tenant: string;
  /** Part of its tasks that is refused, above 0 and at most 1. */
  readonly part: number;
}

export interface Refusals {
  /** Tasks a second of weight 1 up to which nobody is refused. */
  readonly level: number;
  readonly refusals: readonly Refusal[];
  /** Tasks a second that come beyond the target all the same. */
  readonly beyond: number;
}

/**
 * Whom to refuse how much, so that no more than `target` tasks a second are admitted of all that is offered: every tenant
 * may have its fair share, the level λ times its weight, and those above are refused with the probability that their
 * excess is of what they offer. λ is that of weighted max-min fairness (D. Bertsekas and R. Gallager, "Data Networks",
 * 6.5.2): Σ min(xᵢ, λ wᵢ) over the tenants known, and all that others offer, come to the target. So who offers less than
 * the level is untouched, whatever the others do, and only what is above it is refused.
 *
 * Tenants that are not known are small ones; they are never refused, and so the level is never below `floor`, or a tenant
 * would be better off unknown. Where all excess is not enough, `beyond` says what is left to what lies further out.
 *
 * An estimate that is wrong by a part ε of a tenant's offer moves its own probability by ε and the admitted sum by ε times
 * its offer; another tenant is refused only if its own estimate is above the level.
 *
 * @param offered tasks a second of all tenants together, the known ones included
 */
export function refusalsFor(known: readonly Offer[], offered: number, target: number, floor: number): Refusals {
  const others = Math.max(0, offered - known.reduce((sum, offer) => sum + offer.offered, 0));
  const level = Math.max(floor, levelOf(known, target - others));
  const refusals = known.flatMap((offer): Refusal[] => {
    const excess = offer.offered - level * weightOf(offer);
    return excess > 0 ? [{ tenant: offer.tenant, part: excess / offer.offered }] : [];
  });
  const admitted = others + known.reduce((sum, offer) => sum + Math.min(offer.offered, level * weightOf(offer)), 0);
  return { level, refusals, beyond: Math.max(0, admitted - target) };
}

function weightOf({ weight = 1 }: Offer): number {
  return weight;
}

/** Water filling: the level at which the offers, cut off at it, sum up to the room; Infinity where all of them fit. */
function levelOf(offers: readonly Offer[], room: number): number {
  const sorted = [...offers].sort((a, b) => a.offered / weightOf(a) - b.offered / weightOf(b));
  let left = room;
  let weights = sorted.reduce((sum, offer) => sum + weightOf(offer), 0);
  for (const offer of sorted) {
    const level = left / weights;
    if (offer.offered / weightOf(offer) >= level) return Math.max(0, level);
    left -= offer.offered;
    weights -= weightOf(offer);
  }
  return Infinity;
}
