import type { Aimd, AimdRules, Ends } from './aimd-state.ts';

/**
 * What the time for which attempts are held says of the capacity behind them, where throttles are heard of late: an event
 * that Lambda can't run waits in its queue, and only when it is too old, a minute later, does it say so. Meanwhile those that do
 * run are held for longer than they were.
 *
 * From how many attempts end in a second, and for how long one is held that waits for nothing, follows how many are held when
 * none waits (J. D. C. Little, "A Proof for the Queuing Formula L = λW", 1961). That is what BBR sends at once: the bandwidth
 * times the shortest round trip (N. Cardwell and others, "BBR: Congestion-Based Congestion Control", 2016).
 *
 * Tasks may take longer for reasons of their own. So such times never lower a limit; they say how far throttles lower it,
 * and when it may be raised without waiting to hear of the last step.
 */

/** Successes that say for how long attempts are held. */
const LEAST = 5;
/** ms in which a longer time becomes the usual one. Not soon: a limit that is raised makes attempts wait, and would be raised for it again. */
const USUAL_MS = 3_600_000;
/** Of what a lane was found to need, that part is forgotten with each window of signals. */
const FORGETS = 1 / 16;
/**
 * Attempts held to one that runs, up to which a limit may be raised, and no more than lets all wait for a quarter of the time
 * after which they are too old. Lambda tries an event that waits less and less often: some must wait for one to be tried in time.
 */
const QUEUED = { most: 5, part: 1 / 4 };
/** Times that, from which on so many wait that one which waited in vain is enough to lower the limit to what runs. */
const TOO_MANY = 1.4;
/** Of what a lane needed, what is far less; and the successes that are to be expected where it is not, so that it is no chance. */
const FALLEN = 1 / 3;
const EXPECTED = 12;
/** ms for which it is watched how many attempts end, where what is to be judged is a minute old. */
const WATCHED_MS = 3_000;

/** ms for which successes were held on average since the limit was changed last; `undefined` where there were too few. */
function holdOf(aimd: Aimd, { good, held }: Ends): number | undefined {
  const number = good - aimd.round;
  // A cell of before such times were summed up begins with the next change.
  const known = aimd.round === 0 || aimd.spent > 0;
  return known && number >= LEAST && held > aimd.spent ? (held - aimd.spent) / number : undefined;
}

/** A cell that came while attempts waited knows no other time than with that: the first cell has seen better ones. */
export function withBaseOf(aimd: Aimd, { base = 0 }: Pick<Ends, 'base'>): Aimd {
  return base > 0 && (aimd.base === 0 || base < aimd.base) ? { ...aimd, base } : aimd;
}

/** What a cell knows of such times when its limit changes. */
export function holdTimes(aimd: Aimd, ends: Ends, now: number): Pick<Aimd, 'base' | 'spent' | 'most'> {
  const hold = holdOf(aimd, ends);
  const spent = Math.round(ends.held);
  if (hold === undefined) return { base: aimd.base, spent, most: aimd.most };
  const taken = Math.min(1, Math.max(0, now - aimd.since) / USUAL_MS);
  const base = aimd.base === 0 ? hold : Math.min(hold, aimd.base + taken * (hold - aimd.base));
  const known = { base: Math.max(1, Math.round(base)), spent, most: aimd.most };
  return { ...known, most: mostOf({ ...aimd, ...known }, ends, now) };
}

/** Whether attempts are heard of to be throttled long after they could have run. */
export function isNewsLate({ base, lag }: Aimd, { windowMs }: AimdRules): boolean {
  return base > 0 && lag >= windowMs && lag > 4 * base;
}

/**
 * Whether it is not known yet what the last change brings: not before an attempt that was claimed since could have told; or,
 * where that takes long, before as many end well as if, of a limit of `to`, no more than that waited to one that runs.
 */
export function isBlind(aimd: Aimd, to: number, { good }: Ends, rules: AimdRules, now: number): boolean {
  const ms = now - aimd.since;
  if (ms >= aimd.lag) return false;
  if (!isNewsLate(aimd, rules) || ms < Math.max(WATCHED_MS, 4 * aimd.base)) return true;
  return ((good - aimd.round) / ms) * aimd.base * queued(aimd) < to;
}

function queued({ base, lag }: Aimd): number {
  return Math.max(1, Math.min(QUEUED.most, (QUEUED.part * lag) / base));
}

/** Attempts at once that are held where none waits, by those that ended well in some ms. */
function neededIn({ base }: Pick<Aimd, 'base'>, good: number, ms: number): number {
  return (good / ms) * base;
}

/**
 * What a cell needs of its limit, by what ended since its window of signals began, where that is far less: because far more
 * wait than run, or, as the first cell says for all, far fewer run than did. Of a lane, what its cells need together.
 */
export function kneeOf(aimd: Aimd, ends: Ends, now: number): number | undefined {
  const { ms, good } = lately(aimd, ends, now);
  if (ms < Math.max(WATCHED_MS, aimd.base)) return undefined;
  const needed = neededIn(aimd, good, ms);
  const { cells } = ends;
  if (cells === undefined) return aimd.limit > TOO_MANY * queued(aimd) * needed ? needed : undefined;
  const expected = (aimd.most / cells) * (ms / aimd.base);
  return expected >= EXPECTED && needed * cells <= FALLEN * aimd.most ? needed * cells : undefined;
}

/** {@link Aimd.most}, when another window of signals begins. */
export function mostOf(aimd: Aimd, ends: Ends, now: number): number {
  const { ms, good } = lately(aimd, ends, now);
  if (ends.cells === undefined || aimd.base === 0 || ms < WATCHED_MS) return aimd.most;
  return Math.round(Math.max(neededIn(aimd, good, ms) * ends.cells, aimd.most - FORGETS * aimd.most));
}

/** Since the window of signals began, or the limit was changed. */
function lately(aimd: Aimd, { good }: Ends, now: number): { readonly ms: number; readonly good: number } {
  return aimd.at > aimd.since ? { ms: now - aimd.at, good: good - aimd.good } : { ms: now - aimd.since, good: good - aimd.round };
}

/** Whether the limit was lowered to what {@link kneeOf} says. */
export function isAtKnee({ limit, top, step }: Aimd): boolean {
  return limit === top && step === 0;
}
