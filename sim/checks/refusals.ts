import { ADMISSION_CODES, type SluiceError } from '@sluice/contracts';
import { MAX_WAIT_SECONDS } from '../../core/admission/bounds.ts';

/** ms after the last fault at which each tenant has one task more. */
export const CALM_MS = 90_000;
/** ms after the last fault in which who comes by then, and back as told, gets in: twice the longest wait, and a round of control. */
const ADMITTED_WITHIN_MS = CALM_MS + 2 * MAX_WAIT_SECONDS * 1_000 + 60_000;

interface RefusalCheckDeps {
  readonly now: () => number;
  readonly violated: (kind: 'stuck' | 'other' | 'silence', what: string) => void;
  /** What there is of a task: a row, or a hint. */
  readonly leftOf: (tenant: string, id: string) => string | undefined;
}

interface Asked {
  readonly tenant: string;
  readonly id: string;
  /** Each answer was a refusal. */
  clean: boolean;
}

/** A refusal is told, leaves nothing behind, and does not last. */
export function createRefusalChecks({ now, violated, leftOf }: RefusalCheckDeps) {
  const asked = new Map<string, Asked>();
  /** Whoever comes until it is let in. */
  const waiting = new Set<string>();
  let calmAt = Infinity;

  const of = (tenant: string, id: string): Asked => {
    const key = `${tenant}/${id}`;
    const known = asked.get(key) ?? { tenant, id, clean: true };
    asked.set(key, known);
    return known;
  };
  const checkNothing = ({ tenant, id, clean }: Asked): void => {
    const left = clean ? leftOf(tenant, id) : undefined;
    if (left !== undefined) violated('other', `${tenant}/${id} was refused, and there is ${left} of it`);
  };

  return {
    calm: (): void => void (calmAt = now()),
    /** A client wants it in, and comes until it is. */
    wants: (tenant: string, id: string): void => {
      of(tenant, id);
      waiting.add(`${tenant}/${id}`);
    },
    /** It comes no more. */
    leaves: (tenant: string, id: string): void => void waiting.delete(`${tenant}/${id}`),
    /** @returns seconds after which to come again */
    refused: (tenant: string, id: string, { code, status, details }: SluiceError): number => {
      const seconds = details?.['retryAfterSeconds'];
      checkNothing(of(tenant, id));
      if (status !== 429 || !(ADMISSION_CODES as readonly string[]).includes(code))
        violated('silence', `${tenant}/${id} is refused as ${code}`);
      if (typeof seconds === 'number' && Number.isInteger(seconds) && seconds >= 1 && seconds <= MAX_WAIT_SECONDS) return seconds;
      violated('silence', `${tenant}/${id} is refused (${code}), to come again after ${String(seconds)} s`);
      return 1;
    },
    /** Nobody knows what became of it. */
    unknown: (tenant: string, id: string): void => void (of(tenant, id).clean = false),
    admitted: (tenant: string, id: string): void => {
      of(tenant, id).clean = false;
      const was = waiting.delete(`${tenant}/${id}`);
      if (was && now() - calmAt > ADMITTED_WITHIN_MS)
        violated('stuck', `${tenant}/${id} was let in ${Math.round((now() - calmAt) / 1000)} s after the last fault`);
    },
    /** Those that are not in yet. */
    waiting: (): ReadonlySet<string> => waiting,
    /** What was refused each time is nowhere. */
    end: (): void => asked.forEach(checkNothing),
  };
}
