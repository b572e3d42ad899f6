import type { Dedicated, DedicatedState, RoutingDocument, Suspect } from '@sluice/contracts';
import type { BusyQueue, DedicatedFacts, Observation } from './observe.ts';
import type { RoutingSettings } from './settings.ts';

/** Tenants that keep shared queues busy, by the messages that they are estimated to have in them, the most first. */
export function hotTenants(busy: readonly BusyQueue[], settings: RoutingSettings): readonly string[] {
  const load = new Map<string, number>();
  for (const { byTenant, seen, visible } of busy) {
    if (visible < settings.busyDepth || seen === 0) continue;
    for (const [tenant, messages] of byTenant) {
      const share = messages / seen;
      if (share >= settings.busyShare) load.set(tenant, (load.get(tenant) ?? 0) + share * visible);
    }
  }
  return [...load].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([tenant]) => tenant);
}

/** Who was found hot in this reading too, the hottest first: whoever was not is forgotten. */
export function nextSuspects(suspects: readonly Suspect[], hot: readonly string[], max: number, now: number): readonly Suspect[] {
  return hot.slice(0, max).map((tenant) => {
    const known = suspects.find((suspect) => suspect.tenant === tenant);
    return known ? { ...known, seen: known.seen + 1 } : { tenant, since: now, seen: 1 };
  });
}

/**
 * The dedicated queues after one round. Pure: each state follows from what was recorded before and what was seen since.
 *
 * - `creating` → `active` when its queues and event sources work; → `closing` when they can't be made. Nobody was routed
 *   to it before it is `active`.
 * - `active` → `draining` when it was idle for long enough, or when fewer are allowed by now. → `active` again when its
 *   tenant is hot meanwhile.
 * - `draining` → `closing` when nobody can send to it any more, and it was empty for long enough.
 * - `closing` → gone when nothing is left of it. Its generation is never given again.
 */
export function nextDedicated(
  document: RoutingDocument,
  suspects: readonly Suspect[],
  observed: Observation,
  settings: RoutingSettings,
  now: number,
): Pick<RoutingDocument, 'dedicated' | 'generations'> {
  const sure = suspects.filter((s) => s.seen >= settings.promoteReadings && now - s.since >= settings.promoteAfterMs);
  const kept = document.dedicated.flatMap((entry, place) => {
    if (entry.state === 'active' && place >= settings.maxDedicated) return stateOf(entry, 'draining', now);
    const hot = sure.some(({ tenant }) => tenant === entry.tenant);
    return next(entry, observed.dedicated.get(entry.generation) ?? {}, hot, settings, now) ?? [];
  });
  let { generations } = document;
  const known = new Set(document.dedicated.map(({ tenant }) => tenant));
  for (const { tenant } of sure) {
    if (known.has(tenant) || kept.length >= settings.maxDedicated) continue;
    generations += 1;
    kept.push({ tenant, generation: generations, state: 'creating', since: now });
  }
  return { dedicated: kept, generations };
}

function next(entry: Dedicated, facts: DedicatedFacts, hot: boolean, settings: RoutingSettings, now: number): Dedicated | undefined {
  const { state, since } = entry;
  const become = (to: DedicatedState): Dedicated => stateOf(entry, to, now);
  switch (state) {
    case 'creating':
      if (facts.ready === true) return become('active');
      return now - since >= settings.giveUpMs ? become('closing') : entry;
    case 'active': {
      if (!facts.depth) return entry;
      const quiet = quietSince(entry, facts.depth.visible + facts.depth.inFlight <= settings.idleDepth, now);
      return quiet.quietSince !== undefined && now - quiet.quietSince >= settings.demoteAfterMs ? become('draining') : quiet;
    }
    case 'draining': {
      if (hot && settings.maxDedicated > 0) return become('active');
      if (!facts.depth) return entry;
      const { visible, inFlight, delayed } = facts.depth;
      const quiet = quietSince(entry, visible + inFlight + delayed === 0, now);
      const empty = quiet.quietSince !== undefined && now - quiet.quietSince >= settings.emptyMs;
      return empty && now - since >= settings.drainMs ? become('closing') : quiet;
    }
    case 'closing':
      return facts.gone === true ? undefined : entry;
  }
}

function stateOf({ tenant, generation }: Dedicated, state: DedicatedState, since: number): Dedicated {
  return { tenant, generation, state, since };
}

/** Since when a reading has found it so, in every round. Equal to the entry where nothing changes. */
export function quietSince<T extends { readonly quietSince?: number | undefined }>(entry: T, quiet: boolean, now: number): T {
  if (quiet) return entry.quietSince === undefined ? { ...entry, quietSince: now } : entry;
  if (entry.quietSince === undefined) return entry;
  const { quietSince: _, ...loud } = entry;
  return loud as T;
}
