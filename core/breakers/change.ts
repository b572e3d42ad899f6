import type { Breaker } from '@sluice/contracts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import { newBreaker, type Change } from './decide.ts';
import { typeOfKey } from './keys.ts';

export interface BreakerDeps {
  readonly breakers: BreakerStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** A writer may lose this often against others; each loss is somebody's progress. */
const MAX_TRIES = 5;
/** The same where what is told must not be lost: more than there are probes at once. */
export const PROBE_TRIES = 50;

export interface Changed<T> {
  readonly answer: T;
  /** False when others were quicker each time: what was decided is not written. */
  readonly written: boolean;
}

/** Decides about a breaker as it is now, and writes it. @throws when it is unknown whether it was written */
export async function changeBreaker<T>(
  deps: BreakerDeps,
  key: string,
  decide: (breaker: Breaker, now: number) => Change<T>,
  maxTries = MAX_TRIES,
): Promise<Changed<T>> {
  let stored = await deps.breakers.read(key);
  for (let tries = 1; ; tries++) {
    const now = deps.clock.now();
    const breaker = stored ?? newBreaker(key, now);
    const { next, answer } = decide(breaker, now);
    if (!next) return { answer, written: true };
    const wrote = await deps.breakers.write({ ...next, seq: breaker.seq + 1 });
    if (wrote.applied) {
      tell(deps.telemetry, breaker, next);
      return { answer, written: true };
    }
    if (tries === maxTries) return { answer, written: false };
    stored = wrote.breaker;
  }
}

function tell(telemetry: Telemetry, before: Breaker, after: Breaker): void {
  const { key, state, opening } = after;
  if (before.state === state && before.opening === opening) return;
  const fields = { breaker: key, before: before.state, opening, pauseMs: after.pauseMs };
  if (state === 'open') {
    telemetry.count('breaker.opened', typeOfKey(key));
    telemetry.log(
      before.state === 'closed' ? 'error' : 'warn',
      before.state === 'closed' ? 'breaker opened' : 'breaker stays open',
      fields,
    );
  } else if (state === 'closed') {
    telemetry.count('breaker.closed', typeOfKey(key));
    telemetry.log('warn', 'breaker closed', fields);
  } else {
    telemetry.log('info', 'breaker probes', fields);
  }
}
