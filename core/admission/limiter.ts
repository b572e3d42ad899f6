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
  rate: number;
  /** In this interval, exact. */
  tasks: number;
  /** Tasks a second in the last one. */
  here: number;
}

/** Tenants with a rate that are kept: some 250 KB. */
const TENANTS = 2_000;
/** Part of a rate, used in seconds, that is worth telling. */
const BUSY = { part: 0.5, seconds: 5 };

export function createLimiter(): Limiter {
  const states = new Map<string, State>();
  let busy = false;

  const stateOf = (tenant: string): State => {
    const state = states.get(tenant) ?? { tat: undefined, rate: 0, tasks: 0, here: 0 };
    // The one that was seen longest ago goes first: by then its burst is free again, or there are thousands at their rates.
    states.delete(tenant);
    states.set(tenant, state);
    for (const [oldest] of states) {
      if (states.size <= TENANTS) break;
      states.delete(oldest);
    }
    return state;
  };

  return {
    take: (tenant, now, bounds, { wanted, offered, merged }) => {
      const state = stateOf(tenant);
      state.tasks += offered;
      state.rate = bounds.rate;
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
      const all = [...states].flatMap(([tenant, state]) => (state.tasks > 0 ? [{ tenant, tasks: state.tasks }] : []));
      for (const state of states.values()) {
        state.here = ms > 0 ? (1000 * state.tasks) / ms : state.here;
        state.tasks = 0;
      }
      return all.sort((a, b) => b.tasks - a.tasks);
    },
  };
}
