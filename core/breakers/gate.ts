import { breakerKey, type BreakerCanary } from '@sluice/contracts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { Lane } from '../ports/permit-store.ts';
import { changeBreaker, PROBE_TRIES, type BreakerDeps } from './change.ts';
import { admit, isShut, onProbeUndone } from './decide.ts';

/** What a caller may have: without a store nothing is ever held. */
export type GateDeps = Omit<BreakerDeps, 'breakers'> & { readonly breakers?: BreakerStore };

/** Whether a type's breaker lets attempts pass: all, none, or a few as probes. By what is known, so that it costs no call. */
export async function gateOf({ breakers, clock }: GateDeps, type: string, ahead = 0): Promise<'open' | 'shut' | 'probing'> {
  const known = breakers && (await breakers.known(breakerKey(type)));
  if (!known || known.state === 'closed') return 'open';
  return isShut(known, clock.now() + ahead) ? 'shut' : 'probing';
}

export interface Passed<W> {
  readonly pass: readonly W[];
  readonly held: readonly W[];
  readonly canary?: BreakerCanary;
}

/** Asks the type's breaker which of a lane's attempts may start. On the happy path it costs no call. */
export async function passGate<W extends { readonly task: { readonly uid: string; readonly again?: unknown } }>(
  deps: GateDeps,
  lane: Lane,
  works: readonly W[],
  until: number,
): Promise<Passed<W>> {
  const { breakers } = deps;
  if (!breakers) return { pass: works, held: [] };
  const gate = await gateOf(deps, lane.type);
  if (gate === 'open') return { pass: works, held: [] };
  if (gate === 'shut') return { pass: [], held: works };
  // What has not failed yet says more of the type than what has.
  const wanted = works.toSorted((a, b) => Number(a.task.again !== undefined) - Number(b.task.again !== undefined));
  const admission = { tenant: lane.tenant, uids: wanted.map(({ task }) => task.uid), until };
  const { answer, written } = await changeBreaker({ ...deps, breakers }, breakerKey(lane.type), (b, now) => admit(b, admission, now));
  if (answer === 'all') return { pass: works, held: [] };
  const uids = new Set(written ? answer.uids : []);
  return { pass: works.filter((w) => uids.has(w.task.uid)), held: works.filter((w) => !uids.has(w.task.uid)), canary: answer.canary };
}

/** Gives the places of probes back that never ran. Best effort: they count as lost when their time is over. */
export async function undoProbes(deps: GateDeps, canary: BreakerCanary | undefined, uids: readonly string[]): Promise<void> {
  const { breakers } = deps;
  if (!breakers || !canary || uids.length === 0) return;
  try {
    await changeBreaker({ ...deps, breakers }, canary.breaker, (b) => onProbeUndone(b, uids, canary.opening), PROBE_TRIES);
  } catch (error) {
    deps.telemetry.log('warn', 'probes not given back', { breaker: canary.breaker, error });
  }
}
