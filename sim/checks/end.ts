import type { FaultKind } from '../faults.ts';
import type { Services } from '../services.ts';
import type { Checks } from './checks.ts';

/** A run that is over, as the checks of its end see it. */
export interface End {
  readonly services: Services;
  readonly checks: Checks;
  readonly now: number;
  readonly struck: ReadonlyMap<FaultKind, number>;
}
