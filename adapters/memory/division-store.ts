import type { Grant, RateGrant, RateRest } from '@sluice/contracts';
import type { DivisionStore } from '../../core/ports/division-store.ts';
import { laneKey } from '../../core/permits/lane-key.ts';

/** Grants in a map. */
export function createMemoryDivisionStore(): DivisionStore {
  const grants = new Map<string, Grant>();
  const rates = new Map<string, RateGrant>();
  const rests = new Map<string, RateRest>();
  let lease = { holder: '', until: 0, round: 0, again: false };
  return {
    begin: async (holder, now, until) => {
      if (lease.holder !== '' && lease.holder !== holder && lease.until > now) {
        lease = { ...lease, again: true };
        return undefined;
      }
      lease = { holder, until, round: lease.round + 1, again: false };
      return lease.round;
    },
    extend: async (holder, until) => {
      if (lease.holder !== holder) return false;
      lease = { ...lease, until };
      return true;
    },
    end: async (holder) => {
      if (lease.holder !== holder) return false;
      const { again } = lease;
      lease = { ...lease, holder: '', again: false };
      return again;
    },
    grants: async () => structuredClone([...grants.values()]),
    put: async (lane, grant) => void grants.set(laneKey(lane), structuredClone(grant)),
    remove: async (lane) => void grants.delete(laneKey(lane)),
    rateGrants: async () => structuredClone([...rates.values()]),
    putRates: async (lane, grant) => void rates.set(laneKey(lane), structuredClone(grant)),
    removeRates: async (lane) => void rates.delete(laneKey(lane)),
    rateRests: async () => structuredClone([...rests.values()]),
    putRest: async (rest) => void rests.set(rest.resource, structuredClone(rest)),
    removeRest: async (resource) => void rests.delete(resource),
  };
}
