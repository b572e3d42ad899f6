import type { admissionBoundsSchema } from '@sluice/contracts';
import { Token, type Duration } from 'aws-cdk-lib';
import type * as z from 'zod';

/** What a tenant may submit whose quota says nothing else. Beyond it a submission is answered 429. */
export interface AdmissionProps {
  /**
   * Tasks a second, more than 0.
   * @default - only what the platform can take
   */
  readonly rate?: number;
  /**
   * Tasks that may come at once beyond the rate, 1 or more.
   * @default - what the rate gives in 5 seconds, at least 10
   */
  readonly burst?: number;
  /**
   * Tasks that may wait for permits, over all types, 1 or more.
   * @default - as many as there are
   */
  readonly backlog?: number;
  /**
   * How long the oldest of them may have waited, 1 second or more.
   * @default - as long as it takes
   */
  readonly maxAge?: Duration;
}

export type AdmissionRules = z.input<typeof admissionBoundsSchema>;

/** @throws for what is out of its range, or known only at deploy time */
export function admissionRules({ rate, burst, backlog, maxAge }: AdmissionProps): AdmissionRules {
  const maxAgeSeconds = maxAge?.toSeconds();
  check('rate', rate, (value) => value > 0, 'a number of tasks a second, more than 0');
  check('burst', burst, (value) => value >= 1, 'a number of tasks, 1 or more');
  check('backlog', backlog, (value) => Number.isInteger(value) && value >= 1, 'a whole number of tasks, 1 or more');
  check('maxAge', maxAgeSeconds, (value) => value >= 1, 'a time of 1 second or more');
  if (burst !== undefined && rate === undefined)
    throw new Error('TaskPlatform admission.burst: it says nothing without a rate; give `rate` too');
  return {
    ...(rate !== undefined && { rate }),
    ...(burst !== undefined && { burst }),
    ...(backlog !== undefined && { backlog }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
  };
}

function check(prop: string, value: number | undefined, isAllowed: (value: number) => boolean, allowed: string): void {
  if (value === undefined) return;
  const unknown = Token.isUnresolved(value);
  if (!unknown && Number.isFinite(value) && isAllowed(value)) return;
  throw new Error(`TaskPlatform admission.${prop}: ${allowed}; given ${unknown ? 'a value that is known only at deploy time' : value}`);
}
