import type { ChoiceSource } from '../../sim/choices.ts';
import { CALL_FAULTS, type CallFault } from '../../sim/faults.ts';
import type { FunctionName } from '../../sim/functions.ts';
import { FAULT_IN } from '../../sim/calls.ts';

/** A choice that is not the plain one: the n-th time that it comes up, or each time. */
export interface Want {
  readonly what: string;
  readonly value: number;
  readonly nth?: number;
}

/** Every choice is the plain one but those that are wanted. */
export function forced(...wants: readonly Want[]): ChoiceSource {
  const seen = new Map<string, number>();
  return {
    draw: (_key, n, what) => {
      const nth = (seen.get(what) ?? 0) + 1;
      seen.set(what, nth);
      const want = wants.find((w) => w.what === what && (w.nth ?? nth) === nth);
      return Math.min(want?.value ?? 0, n - 1);
    },
  };
}

/** A fault of a call, the first time that this function makes it. */
export function faultIn(name: FunctionName, at: string, fault: CallFault, nth = 1): Want {
  return { what: `${FAULT_IN}${name}: ${at}`, value: CALL_FAULTS.indexOf(fault), nth };
}

/** Something that has a chance of it, the n-th time that it may happen. */
export function struck(what: string, nth = 1): Want {
  return { what, value: 1, nth };
}
