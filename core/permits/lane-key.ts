import type { Lane } from '../ports/permit-store.ts';

/** A lane as the key of a map: no tenant's name holds a `#`. */
export function laneKey({ tenant, type }: Lane): string {
  return `${tenant}#${type}`;
}
