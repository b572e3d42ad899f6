import type { Depths, Priority, RoutingDocument } from '@sluice/contracts';
import { isNoticeable } from './choose.ts';
import { nextMoved, type Pool } from './move.ts';
import type { Observation } from './observe.ts';
import { hotTenants, nextDedicated, nextSuspects } from './promote.ts';
import { CALM_PART, type RoutingSettings } from './settings.ts';

export const NO_ROUTING: RoutingDocument = { v: 1, version: 0, generations: 0, dedicated: [], moved: [], suspects: [] };

/** Suspects that are remembered, for each queue set that may be made. */
const SUSPECTS = 2;

/**
 * The routing document after one round of control, of the next version; the same object when nothing has changed, as
 * while all queues are calm: then nothing is written.
 */
export function nextDocument(
  document: RoutingDocument,
  observed: Observation,
  pool: Pool,
  settings: RoutingSettings,
  now: number,
): RoutingDocument {
  const hot = hotTenants(observed.busy, settings);
  const suspects = nextSuspects(document.suspects, hot, SUSPECTS * settings.maxDedicated, now);
  const { dedicated, generations } = nextDedicated(document, suspects, observed, settings, now);
  const own = new Set(dedicated.filter(({ state }) => state === 'active').map(({ tenant }) => tenant));
  const moved = nextMoved(document.moved, own, observed, pool, settings, now);
  const depths = depthsOf(observed, pool, now);
  const told = isNoticeable(depths, settings.busyDepth * CALM_PART) ? { depths } : {};
  const next: RoutingDocument = {
    v: 1,
    version: document.version + 1,
    generations,
    dedicated: [...dedicated],
    moved: [...moved],
    // Whoever has got queues is no suspect any more.
    suspects: suspects.filter(({ tenant }) => !dedicated.some((entry) => entry.tenant === tenant && entry.state !== 'draining')),
    ...told,
  };
  return isSame(document, next) ? document : next;
}

function depthsOf(observed: Observation, { shards }: Pool, at: number): Depths {
  const visible = (priority: Priority): number[] =>
    Array.from({ length: shards }, (_, shard) => observed.shared[priority][shard]?.visible ?? 0);
  return { at, high: visible('high'), normal: visible('normal'), low: visible('low') };
}

function isSame(a: RoutingDocument, b: RoutingDocument): boolean {
  return JSON.stringify({ ...a, version: 0 }) === JSON.stringify({ ...b, version: 0 });
}
