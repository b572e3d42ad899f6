import { LIMITS, type StoredValue } from '@sluice/contracts';
import type { LastingValueStore, ValueKind, ValueStore } from '../ports/value-store.ts';

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

/** Where a JSON text of so many bytes is kept: in its row, in an item of its own, or in S3. */
export function homeOfValue(bytes: number): StoredValue['in'] {
  if (bytes <= LIMITS.inlineBytes) return 'row';
  return bytes <= LIMITS.itemBytes ? 'item' : 's3';
}

/** Whose value it is: a payload belongs to a generation, a result to one attempt of it, so that a late one overwrites nothing. */
export interface ValueOwner {
  readonly tenant: string;
  readonly id: string;
  readonly uid: string;
  readonly fence: number;
}

function nameOf(owner: ValueOwner, kind: ValueKind): string {
  return kind === 'payload' ? owner.uid : `${owner.uid}.${owner.fence}`;
}

/**
 * Makes a value durable, or leaves it to its row.
 * @param until ms: it must be readable at least until then
 */
export async function storeValue(
  values: ValueStore,
  owner: ValueOwner,
  kind: ValueKind,
  json: string,
  until: number,
): Promise<StoredValue> {
  const home = homeOfValue(byteLength(json));
  return home === 'row' ? { in: 'row', json } : values.put(owner.tenant, owner.id, nameOf(owner, kind), kind, json, home, until);
}

/** Makes a value readable until `least` (ms), if it is still there; then until `until`. */
export async function keepValue(
  values: LastingValueStore,
  owner: ValueOwner,
  kind: ValueKind,
  value: StoredValue,
  least: number,
  until: number,
): Promise<void> {
  if (value.in !== 'row') await values.keep(owner.tenant, owner.id, nameOf(owner, kind), kind, value, least, until);
}

/** The JSON text of a row's payload or result. */
export async function readValue(values: ValueStore, owner: ValueOwner, kind: ValueKind, value: StoredValue): Promise<string> {
  return value.in === 'row' ? value.json : values.get(owner.tenant, owner.id, nameOf(owner, kind), kind, value);
}
