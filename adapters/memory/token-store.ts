import type { PrincipalRecord, TokenRecord } from '@sluice/contracts';
import { tokenIdOf } from '../../core/auth/token-record.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';

/** Tokens and principals in maps. */
export function createMemoryTokenStore(): TokenStore {
  const tokens = new Map<string, TokenRecord>();
  const directory = new Map<string, TokenRecord>();
  const tenants = new Set<string>();
  const principals = new Map<string, PrincipalRecord>();
  return {
    find: async (hash) => structuredClone(tokens.get(hash)),
    put: async (record) => {
      tokens.set(record.hash, structuredClone(record));
    },
    remove: async (hash) => {
      tokens.delete(hash);
    },
    noted: async (tenant) => structuredClone([...directory.values()].filter((record) => record.tenant === tenant)),
    lookUp: async (tenant, id) => structuredClone(directory.get(entryOf(tenant, id))),
    note: async (record) => {
      tenants.add(record.tenant);
      directory.set(entryOf(record.tenant, tokenIdOf(record.hash)), structuredClone(record));
    },
    tenants: async () => [...tenants],
    forget: async (tenant, id) => {
      directory.delete(entryOf(tenant, id));
    },
    renew: async (record) => {
      const entry = entryOf(record.tenant, tokenIdOf(record.hash));
      if (tokens.has(record.hash)) tokens.set(record.hash, structuredClone(record));
      if (directory.has(entry)) directory.set(entry, structuredClone(record));
    },
    findPrincipal: async (arn) => structuredClone(principals.get(arn)),
    putPrincipal: async (record) => {
      principals.set(record.arn, structuredClone(record));
    },
  };
}

function entryOf(tenant: string, id: string): string {
  return `${tenant}#${id}`;
}
