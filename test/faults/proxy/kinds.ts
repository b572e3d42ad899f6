/**
 * What may happen to a call.
 *
 * | kind | what the service sees | what the function sees |
 * | --- | --- | --- |
 * | `fail` | nothing | a fault of the service, at every try |
 * | `throttle` | nothing | the service's own throttling error, at every try |
 * | `delay` | the call, late | its answer, late |
 * | `duplicate` | the call twice | the second answer |
 * | `cut-before` | the call at the second try | a broken connection, then the answer |
 * | `cut-after` | the call, and again at the second try | a broken connection, then the second answer |
 * | `unanswered` | the call once | a broken connection at every try |
 * | `kill-before` | nothing | nothing: its process is killed |
 * | `kill-after` | the call | nothing: its process is killed before the answer comes |
 */
export const FAULT_KINDS = [
  'fail',
  'throttle',
  'delay',
  'duplicate',
  'cut-before',
  'cut-after',
  'unanswered',
  'kill-before',
  'kill-after',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** `hold` is for scenes alone: the call goes on when the scene says so, or its caller has given it up. */
export type RuleKind = FaultKind | 'hold';

/** What the proxy does with one try of a call. */
export interface Treatment {
  /** How often the service gets it. */
  readonly sent: 0 | 1 | 2;
  readonly delayed: boolean;
  /** Until it is released. */
  readonly held?: boolean;
  readonly answer: 'service' | 'fault' | 'throttle' | 'cut' | 'kill';
}

const PLAIN: Treatment = { sent: 1, delayed: false, answer: 'service' };

/** @param attempt of the same call, the first is 1 */
export function treatmentOf(kind: RuleKind, attempt: number): Treatment {
  const first = attempt === 1;
  switch (kind) {
    case 'fail':
      return { sent: 0, delayed: false, answer: 'fault' };
    case 'throttle':
      return { sent: 0, delayed: false, answer: 'throttle' };
    case 'delay':
      return first ? { ...PLAIN, delayed: true } : PLAIN;
    case 'hold':
      return { ...PLAIN, held: true };
    case 'duplicate':
      return first ? { ...PLAIN, sent: 2 } : PLAIN;
    case 'cut-before':
      return first ? { sent: 0, delayed: false, answer: 'cut' } : PLAIN;
    case 'cut-after':
      return first ? { ...PLAIN, answer: 'cut' } : PLAIN;
    case 'unanswered':
      return { sent: first ? 1 : 0, delayed: false, answer: 'cut' };
    case 'kill-before':
      return first ? { sent: 0, delayed: false, answer: 'kill' } : PLAIN;
    case 'kill-after':
      return first ? { ...PLAIN, answer: 'kill' } : PLAIN;
  }
}
