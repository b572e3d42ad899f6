import { createRecent } from './recent.ts';
import { burstOf, conforming, rateHere, type AdmissionBounds } from './bounds.ts';

/** A tenant with a rate, and the tasks that it submitted here in an interval. */
export interface Limited {
  readonly tenant: string;
  readonly tasks: number;
}

/** The rates of tenants in one environment. */
export interface Limiter {
  readonly take: (
    tenant: string,
    now: number,
    bounds: AdmissionBounds & { readonly rate: number },
    tasks: {
      readonly wanted: number;
      /** With those that were refused for another reason. */
      readonly offered: number;
      /** Tasks a second that the tenant offers over all environments, as known. */
      readonly merged: number | undefined;
    },
  ) => { readonly admitted: number; readonly waitMs: number };
  /** Whether some tenant used a good part of its rate in this interval. */
  readonly busy: () => boolean;
  /** Ends an interval of so many ms. @returns the tenants with a rate, counted exactly, the largest first */
  readonly close: (ms: number) => readonly Limited[];
}

interface State {
  tat: number | undefined;
  /** In this interval, exact. */
  tasks: number;
  /** Tasks a second in the last one. */
  here: number;
}

/** Tenants with a rate that are kept, those that came last. One that is forgotten has its burst anew. */
const TENANTS = 1_000;
/** Part of a rate, used in seconds, that is worth telling. */
const BUSY = { part: 0.5, seconds: 5 };

/** @param most tenants that are kept, those that came last */
export function createLimiter(most = TENANTS): Limiter {
  const states = createRecent<State>(most);
  let busy = false;

  const stateOf = (tenant: string): State => {
    const found = states.get(tenant);
    if (found) return found;
    const state: State = { tat: undefined, tasks: 0, here: 0 };
    states.set(tenant, state);
    return state;
  };

  return {
    take: (tenant, now, bounds, { wanted, offered, merged }) => {
      const state = stateOf(tenant);
      state.tasks += offered;
      busy ||= state.tasks >= Math.max(2, BUSY.part * BUSY.seconds * bounds.rate);
      const rate = rateHere(bounds.rate, state.here, merged);
      const burst = Math.max(1, burstOf(bounds) * (rate / bounds.rate));
      const answer = conforming(state.tat, now, { rate, burst }, wanted);
      state.tat = answer.tat;
      return answer;
    },
    busy: () => busy,
    close: (ms) => {
      busy = false;
      const all = states.entries().flatMap(([tenant, state]) => (state.tasks > 0 ? [{ tenant, tasks: state.tasks }] : []));
      for (const [, state] of states.entries()) {
        state.here = ms > 0 ? (1000 * state.tasks) / ms : state.here;
        state.tasks = 0;
      }
      return all.sort((a, b) => b.tasks - a.tasks);
    },
  };
}
