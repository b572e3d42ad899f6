import type { Profile } from '../faults.ts';
import { edit, type Mutant } from './mutant.ts';

const DIVIDE = 'core/control/rates/divide-rates.ts';
const RESTS = 'core/control/rates/rests.ts';
const ACQUIRE = 'core/permits/acquire.ts';
const SHARE = 'core/limits/rate-share.ts';
const CAPACITIES = 'core/control/divide-capacities.ts';
const RATED: Partial<Profile> = { rates: true, divides: false, admits: false, redeploys: false, purges: false };
/** The reference bucket is exact where clocks are right. */
const RIGHT: Partial<Profile> = { ...RATED, skewMs: 0 };

/** Mistakes of rates, which the random simulation finds. */
export const RATES: readonly Mutant[] = [
  {
    name: 'rates-raised-first',
    why: 'parts of a rate are raised before others are lowered',
    edits: [
      {
        file: DIVIDE,
        find: 'const lowered = await lowerAll(round, lanes, lowerings(targets));',
        replace: 'const lower = lowerings(targets);\n  const lowered: ReadonlyMap<RatedLane, Lowered> = new Map();',
      },
      {
        file: DIVIDE,
        find: 'lowered.get(window.of)?.has.get(window.perSeconds) ?? window.has;\n  const raise =',
        replace: 'lower.get(window) ?? window.has;\n  const raise =',
      },
      {
        file: DIVIDE,
        find: '    to: raise.get(window) ?? hasNow(window),',
        replace: '    to: raise.get(window) ?? window.has,',
      },
      {
        file: DIVIDE,
        find: '  await forget(round, found, rates);\n  return',
        replace: '  await lowerAll(round, lanes, lower);\n  await forget(round, found, rates);\n  return',
      },
    ],
    seeds: 60,
    profile: RATED,
  },
  {
    name: 'rates-noted-last',
    why: 'what a lane has of a rate is noted after its cell was raised',
    edits: [
      {
        file: DIVIDE,
        find: '  await round.note(round.divisions.putRates(lane.lane, grantOf(lane, limits)));\n',
        replace: '',
      },
      {
        file: DIVIDE,
        find: '  if (!answer) round.telemetry.log(',
        replace: '  await round.note(round.divisions.putRates(lane.lane, grantOf(lane, limits)));\n  if (!answer) round.telemetry.log(',
      },
    ],
    seeds: 60,
    profile: RATED,
  },
  {
    name: 'rest-is-full',
    why: 'what nobody has of a rate is no bucket: it is full at any time, also when it has just been given back',
    edits: [
      {
        file: SHARE,
        find: 'tokens: Math.min(least, tokens + (least * Math.max(0, ms)) / (perSeconds * 1_000)) };',
        replace: 'tokens: least };',
      },
      { file: RESTS, find: 'tokens: rest.tokens + tokens });', replace: 'tokens: rest.free + limit });' },
    ],
    seeds: 60,
    profile: RIGHT,
  },
  {
    name: 'raised-full',
    why: 'a part that is raised brings as many starts as its limit grows by, whether or not there are any',
    edits: edit(SHARE, 'windowOf(to, tokens + brought, nowMs)', 'windowOf(to, tokens + limit - window.limit, nowMs)'),
    seeds: 60,
    profile: RIGHT,
  },
  {
    name: 'tokens-after',
    why: 'tokens are taken after the permits, and nobody waits for the answer',
    edits: [
      { file: ACQUIRE, find: '      ...(steps.length > 0 && { rates: steps }),\n', replace: '' },
      { file: ACQUIRE, find: '...(mayBeRated && !seen.rateShare && { unrated: true }),', replace: '' },
      { file: ACQUIRE, find: 'const paced = cell !== 0 && isPaced(', replace: 'const paced = isPaced(' },
      {
        file: ACQUIRE,
        find: 'const held = paced ? await spendRates(deps, lane, rules, cell, choice.ask) : undefined;',
        replace:
          'const held: Answer["held"] = undefined;\n      if (paced) void spendRates(deps, lane, rules, cell, choice.ask).catch(() => undefined);',
      },
    ],
    seeds: 60,
    profile: RATED,
  },
  {
    name: 'pace-after-share',
    why: 'a lane is given its share of attempts before its part of the rate, and starts without one',
    edits: [
      { file: CAPACITIES, find: '    const hastened = await divideRates(this.#rateRound(), world, standings);\n', replace: '' },
      {
        file: CAPACITIES,
        find: '    const raised = await this.#raise(after);\n',
        replace:
          '    const raised = await this.#raise(after);\n    const hastened = await divideRates(this.#rateRound(), world, standings);\n',
      },
    ],
    seeds: 60,
    profile: RATED,
  },
  {
    name: 'unpaced-entry',
    why: 'a lane without a part of the rate draws on the entry pool, at any pace',
    edits: edit(
      'core/control/world.ts',
      'const pooled = new Map([...ofTypes].filter(([type]) => !isRatedType(world, type)));',
      'const pooled = ofTypes;',
    ),
    seeds: 60,
    profile: RATED,
  },
  {
    name: 'lease-not-outlasted',
    why: 'a round gives its lease back while a note of its own may be written yet',
    edits: edit(CAPACITIES, 'if (division.knowsNotes()) again =', 'again ='),
    seeds: 110,
    profile: RIGHT,
  },
];
