import { FAULT_KINDS, type FaultKind } from './proxy/kinds.ts';
import { nameOf, type CallSite } from './sites/scan.ts';
import type { Exercise } from './exercises/exercise.ts';

/** What an exercise came to when it ran without a fault. */
export interface Recording {
  readonly exercise: Exercise;
  /** Calls about it, by call site. */
  readonly named: ReadonlyMap<string, number>;
  /** Calls that name nobody, made while it was the only one. */
  readonly nameless: ReadonlyMap<string, number>;
  /** Call sites at which it makes faults of its own. */
  readonly ownFaults: readonly string[];
}

/** A call of an exercise. */
export interface Place {
  readonly exercise: Exercise;
  /** Which of its calls at this site. */
  readonly nth: number;
  /** Its calls at this site name nobody: any call is taken. */
  readonly nameless: boolean;
}

/** One fault at one call site. */
export interface PlannedRun {
  readonly site: CallSite;
  readonly kind: FaultKind;
  /** The call that it is made at. */
  readonly place: Place;
  /** Others of the same site, for the case that things go in another order and the call does not come. */
  readonly others: readonly Place[];
}

/** Calls of one site in one exercise that are told apart. */
const MOST_CALLS = 3;

interface Candidate {
  readonly exercise: Exercise;
  readonly calls: number;
  readonly nameless: boolean;
}

/** Kinds that each call site has: nothing was done, it was done and nobody knows, and its process died with it. */
const ALWAYS: readonly FaultKind[] = ['fail', 'unanswered', 'kill-after'];
const IN_TURNS = FAULT_KINDS.filter((kind) => !ALWAYS.includes(kind));

/** How much is to be run. */
export interface Extent {
  /** Kinds of every call site. @default those that each site has, and one of the others in turns */
  readonly kinds?: readonly FaultKind[] | undefined;
  /** Each fault at each place of its call site. */
  readonly everyPlace: boolean;
  /** A sample: one kind at each call site, another in each turn, and a kill of each function. @default no sample */
  readonly turn?: number | undefined;
}

/** The kinds of fault that the nth call site has. */
export function kindsOf(n: number): readonly FaultKind[] {
  return [...ALWAYS, ...IN_TURNS.slice(n % IN_TURNS.length, (n % IN_TURNS.length) + 1)];
}

/**
 * The kinds of a sample, by the sites' places in the list: after as many turns as there are kinds, each site has had them all.
 * A function that would not be killed is killed at one of its sites.
 */
export function kindsOfTurn(sites: readonly Pick<CallSite, 'fn'>[], turn: number): readonly (readonly FaultKind[])[] {
  const kinds = sites.map((_, n) => FAULT_KINDS[(n + turn) % FAULT_KINDS.length] ?? 'fail');
  const killed = new Map<number, FaultKind>();
  for (const fn of new Set(sites.map((site) => site.fn))) {
    const own = sites.flatMap((site, n) => (site.fn === fn ? [n] : []));
    if (!own.some((n) => kinds[n]?.startsWith('kill'))) killed.set(own[turn % own.length] ?? 0, 'kill-after');
  }
  return kinds.map((kind, n) => [kind, ...(killed.has(n) ? (['kill-after'] as const) : [])]);
}

/**
 * Runs for each call site, one of each of its kinds of fault. Where several exercises come to a site, or one comes to it
 * several times, the kinds take turns among them, so that each kind meets another part of the protocol.
 */
export function planRuns(all: readonly CallSite[], recordings: readonly Recording[], { kinds, everyPlace, turn }: Extent): PlannedRun[] {
  const candidates = new Map(all.map((site) => [site, candidatesOf(nameOf(site), recordings)]));
  const sites = turn === undefined ? all : all.filter((site) => candidates.get(site)?.length);
  const sampled = turn === undefined ? undefined : kindsOfTurn(sites, turn);
  return sites.flatMap((site, n) => {
    const places = (candidates.get(site) ?? []).flatMap(({ exercise, calls, nameless }) =>
      Array.from({ length: Math.min(calls, MOST_CALLS) }, (_, call): Place => ({ exercise, nth: call + 1, nameless })),
    );
    return (kinds ?? sampled?.[n] ?? kindsOf(n)).flatMap((kind, k) => {
      const first = (n + k + (turn ?? 0)) % Math.max(1, places.length);
      const turned = [...places.slice(first), ...places.slice(0, first)];
      return turned
        .slice(0, everyPlace ? turned.length : 1)
        .map((place) => ({ site, kind, place, others: turned.filter((other) => other !== place) }));
    });
  });
}

/**
 * Exercises that come to a site: quick ones, those whose calls can be told from others', and those that are about the
 * function, if there are any.
 */
function candidatesOf(site: string, recordings: readonly Recording[]): readonly Candidate[] {
  const all = recordings.flatMap(({ exercise, named, nameless, ownFaults }): Candidate[] => {
    if (ownFaults.includes(site)) return [];
    const [byName, byNone] = [named.get(site), nameless.get(site)];
    if (byName !== undefined) return [{ exercise, calls: byName, nameless: false }];
    return byNone === undefined ? [] : [{ exercise, calls: 1, nameless: true }];
  });
  const fn = site.split(':')[0] ?? '';
  const isAbout = ({ exercise }: Candidate): boolean => exercise.ticks?.includes(fn) === true || exercise.calls?.includes(fn) === true;
  return [
    (candidate: Candidate) => candidate.exercise.slow !== true,
    (candidate: Candidate) => !candidate.nameless || isAbout(candidate),
    isAbout,
  ].reduce((best, isBetter) => (best.some(isBetter) ? best.filter(isBetter) : best), all);
}
