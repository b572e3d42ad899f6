import { ENTRY_TENANT, type Grant } from '@sluice/contracts';
import type { Lane } from '../ports/permit-store.ts';

/** Where lanes are looked for. */
export interface Places {
  /** Tenants that may have lanes: each may have one of every type. */
  readonly tenants: Iterable<string>;
  readonly types: readonly string[];
  /** Lanes that are known by themselves: with a backlog, or with a share. Their types may be gone. */
  readonly noted: readonly Lane[];
  readonly grants: readonly Grant[];
}

/** The lanes that may be in use, by tenant and type, behind `after`. Nothing is read. */
export function* candidates({ tenants, types, noted, grants }: Places, after: Lane | undefined): Generator<Lane, void, void> {
  const own = new Map<string, Set<string>>();
  for (const { tenant, type } of [...noted, ...grants]) {
    if (tenant === ENTRY_TENANT) continue;
    const found = own.get(tenant) ?? new Set();
    own.set(tenant, found.add(type));
  }
  const all = [...new Set([...tenants, ...own.keys()])].filter((tenant) => !after || tenant >= after.tenant).sort();
  for (const tenant of all) {
    const ofTenant = [...new Set([...types, ...(own.get(tenant) ?? [])])].sort();
    for (const type of ofTenant) if (!after || tenant > after.tenant || type > after.type) yield { tenant, type };
  }
}
