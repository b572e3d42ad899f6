import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';
import type { TokenStore } from '../../core/ports/token-store.ts';

/** Tokens and principals in maps. */
export function createMemoryTokenStore(): TokenStore {
  const tokens = new Map<string, TokenRecord>();
  const principals = new Map<string, PrincipalRecord>();
  return {
    find: async (hash) => structuredClone(tokens.get(hash)),
    put: async (record) => {
      tokens.set(record.hash, structuredClone(record));
    },
    remove: async (hash) => {
      tokens.delete(hash);
    },
    findPrincipal: async (arn) => structuredClone(principals.get(arn)),
    putPrincipal: async (record) => {
      principals.set(record.arn, structuredClone(record));
    },
  };
}
