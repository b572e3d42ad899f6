import { ENTRY_TENANT } from '@sluice/contracts';
import { ENTRY_RULES, type LaneRules } from '../limits/lane-rules.ts';
import type { Lane, Permit } from '../ports/permit-store.ts';
import { acquirePermits, type AcquireDeps, type Acquired, type AcquireOptions } from './acquire.ts';
import { roomIn, type KnownCell } from './cells.ts';

/** What lanes of a type without a share draw on together. It has cells as a lane has. */
export function entryOfType(type: string): Lane {
  return { tenant: ENTRY_TENANT, type };
}

/** Where the permit of an attempt is: in its lane, or in what is kept for newcomers. */
export function homeOf({ tenant, type }: Lane, entry: boolean | undefined): Lane {
  return entry ? entryOfType(type) : { tenant, type };
}

/** Whether a lane may draw on what is kept for newcomers. One with rates may not: its share comes within seconds, its pace holds meanwhile. */
export function mayEnter(rules: LaneRules, first: KnownCell | undefined): boolean {
  return rules.divided === true && !rules.rates && (first?.share?.share ?? 0) === 0 && !first?.share?.closed;
}

export interface AcquiredSomewhere {
  readonly cells: Acquired;
  /** Which of them are of what is kept for newcomers. */
  readonly entered: ReadonlySet<number>;
}

/**
 * Takes permits of a lane, and for what a lane without a share has no room for, of what is kept for newcomers: one call
 * more, of such lanes alone. Retries wait for the share.
 */
export async function acquireOrEnter(
  deps: AcquireDeps,
  lane: Lane,
  rules: LaneRules,
  permits: readonly Permit[],
  options: AcquireOptions = {},
): Promise<AcquiredSomewhere> {
  const cells = await acquirePermits(deps, lane, rules, permits, options);
  const left = permits.flatMap((permit, i) => (cells[i] === undefined && options.again?.[i] !== 'retry' ? [{ permit, i }] : []));
  if (left.length === 0 || !rules.divided) return { cells, entered: new Set() };
  if (!mayEnter(rules, deps.views?.cell(lane, 0) ?? (await deps.permits.read(lane, 0)))) return { cells, entered: new Set() };
  const taken = await acquirePermits(
    deps,
    entryOfType(lane.type),
    ENTRY_RULES,
    left.map(({ permit }) => permit),
  );
  const all = [...cells];
  const entered = new Set<number>();
  left.forEach(({ i }, n) => {
    if (typeof taken[n] !== 'number') return;
    all[i] = taken[n];
    entered.add(i);
  });
  return { cells: all, entered };
}

/** Permits that newcomers to a type may take now, as the first cell says it: a guess that saves a look at a backlog. */
export async function roomToEnter({ permits, clock }: Pick<AcquireDeps, 'permits' | 'clock'>, type: string): Promise<number> {
  return roomIn(ENTRY_RULES, 0, await permits.read(entryOfType(type), 0), clock.now());
}
