import { PRIORITIES, SluiceError, type TaskTypeSpec } from '@sluice/contracts';
import { placeHints, placeLaneHints } from '../hints/place.ts';
import { laneRules, type LaneRules } from '../limits/lane-rules.ts';
import { goesOnAt, retriesLeft, roomIn } from '../permits/cells.ts';
import { raiseFlags } from '../permits/read-lane.ts';
import type { Cell, Lane, Place } from '../ports/permit-store.ts';
import { DEFAULT_BUDGET } from '../retry/budget.ts';
import { roomWanted } from '../priority/preempt.ts';
import { logStep } from '../tasks/step.ts';
import { wakeLane } from '../permits/wake.ts';
import type { DispatchDeps, Work } from './work.ts';
import { laneKey } from '../permits/lane-key.ts';

/** A lane's note among those that the minute looks at is renewed this often, well before it may be taken away. */
const RENEW_MS = 120_000;
/** The minute takes a note away only when it is older than this and the lane's flags are down. */
export const NOTE_MS = 300_000;

/** Which lanes this environment has noted, and when. */
export type NotedLanes = Map<string, number>;

/** Why tasks are put into the backlog. */
export type ParkReason = 'full' | 'budget' | 'rate' | 'breaker';

const COUNTS = { full: 'hint.parked', budget: 'retry.held', rate: 'rate.held', breaker: 'breaker.held' } as const;

/**
 * Puts hints into their lane's backlog: the lane's note, the items, the flag; only after that may their messages go.
 * @throws when it is unknown whether all of it is durable.
 */
export async function park(
  deps: DispatchDeps,
  noted: NotedLanes,
  lane: Lane,
  spec: TaskTypeSpec,
  works: readonly Work[],
  why: ParkReason = 'full',
): Promise<void> {
  const place = why === 'budget' ? 'budget' : 'permits';
  await note(deps, noted, lane);
  await deps.backlog.put(
    lane,
    works.map((w) => w.task),
    place,
  );
  const rules = laneRules(spec);
  const classes = PRIORITIES.filter((priority) => place === 'permits' && works.some(({ task }) => task.priority === priority));
  const wanted = why === 'full' ? roomWanted(spec, works) : 0;
  const cells = await raiseFlags(deps, lane, rules, { place, classes, wanted });
  deps.telemetry.count(COUNTS[why], lane.type, works.length);
  for (const { task } of works) logStep(deps.telemetry, 'parked', { ...lane, id: task.id, uid: task.uid }, { why });
  if (why === 'breaker') return expireInTime(deps, works);
  // What was given back before the flag was up told nobody.
  const now = deps.clock.now();
  const at = goesOnAt(rules, cells[0], now);
  if (at !== undefined) await wakeLane(deps, lane, at, cells[0]);
  else if (mayGoOn(cells, rules, spec, place, now)) await placeLaneHints(deps, [lane]);
}

function mayGoOn(
  cells: readonly Cell[],
  rules: LaneRules,
  { retryBudget = DEFAULT_BUDGET }: TaskTypeSpec,
  place: Place,
  now: number,
): boolean {
  if (!cells.some((cell, i) => roomIn(rules, i, cell, now) > 0)) return false;
  return place === 'permits' || cells.some((cell) => retriesLeft(cell, retryBudget, cells.length, now) > 0);
}

/** Nobody looks into a backlog behind a breaker: a task that may expire there gets a copy of its hint for that time. */
async function expireInTime(deps: DispatchDeps, works: readonly Work[]): Promise<void> {
  const copies = works.flatMap(({ tenant, task }) =>
    task.expiresAt === undefined || task.look ? [] : [{ tenant, task: { ...task, at: task.expiresAt, look: true } }],
  );
  const durable = copies.length > 0 ? await placeHints(deps, copies) : [];
  if (durable.includes(false)) throw new SluiceError('unavailable', 'hints for the expiry of held tasks could not be made');
}

async function note(deps: DispatchDeps, noted: NotedLanes, lane: Lane): Promise<void> {
  const key = laneKey(lane);
  const now = deps.clock.now();
  if (now - (noted.get(key) ?? Number.NEGATIVE_INFINITY) < RENEW_MS) return;
  try {
    await deps.backlog.register(lane, now);
  } catch (cause) {
    throw new SluiceError('unavailable', `lane ${key} could not be noted`, { cause });
  }
  noted.set(key, now);
}
