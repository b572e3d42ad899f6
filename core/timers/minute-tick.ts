import { gateOf } from '../breakers/gate.ts';
import { tendBreakers } from '../breakers/tend.ts';
import { NOTE_MS } from '../dispatch/park.ts';
import { parseHint } from '../hints/parse.ts';
import { placeHints, placeLaneHints } from '../hints/place.ts';
import { MINUTE_MS, minuteOf } from '../hints/timing.ts';
import { laneRules } from '../limits/lane-rules.ts';
import { hasBacklog, hasRetries } from '../permits/cells.ts';
import { readLane } from '../permits/read-lane.ts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { BacklogLane, BacklogStore } from '../ports/backlog-store.ts';
import type { DeadHints } from '../ports/hint-queue.ts';
import type { Lane, PermitStore } from '../ports/permit-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import type { ScheduleDeps } from '../schedules/arm.ts';
import { repairSchedules } from '../schedules/repair.ts';
import { measureBacklogs } from './measure-backlogs.ts';
import { moveBuckets, type MoveDeps } from './move-buckets.ts';

export interface TickDeps extends MoveDeps, ScheduleDeps {
  readonly breakers?: BreakerStore;
  readonly backlog: BacklogStore;
  readonly permits: PermitStore;
  readonly types: TypeRegistry;
  readonly dead: DeadHints;
  readonly telemetry: Telemetry;
}

const HELD_MINUTES = 5;
/** Dead hints that one minute brings back at most, times ten. */
const DEAD_BATCHES = 100;

/**
 * The minute's work: buckets to queues, a lane hint for each lane with a backlog, dead hints made anew. Each part goes
 * on when another fails. @throws the first failure at the end, so that the invocation counts as an error.
 */
export async function minuteTick(deps: TickDeps, deadline: number): Promise<void> {
  const now = deps.clock.now();
  const parts = await Promise.allSettled([
    moveDue(deps, now, deadline),
    tellLanes(deps, now).then((waiting) => measureBacklogs(deps, waiting, now)),
    reviveDeadHints(deps),
    deps.breakers && tendBreakers({ ...deps, breakers: deps.breakers }),
    repairSchedules(deps, now),
  ]);
  const failure = parts.find((p) => p.status === 'rejected');
  if (failure) throw failure.reason;
}

/** It tells each time how late it is, so that a tick which no longer comes can be missed. */
async function moveDue(deps: TickDeps, now: number, deadline: number): Promise<void> {
  const { moved, lateMs } = await moveBuckets(deps, now, deadline);
  deps.telemetry.count('bucket.moved', undefined, moved);
  deps.telemetry.measure('tick.late', undefined, lateMs / 1000);
}

async function tellLanes(deps: TickDeps, now: number): Promise<readonly Lane[]> {
  const noted = await deps.backlog.lanes();
  const waits = await Promise.all(
    noted.map(async (note) => {
      if (await isWaiting(deps, note.lane)) return true;
      if (now - note.at > NOTE_MS) await forget(deps, note);
      return false;
    }),
  );
  const waiting = noted.flatMap(({ lane }, i) => (waits[i] ? [lane] : []));
  deps.telemetry.count('lanes.waiting', undefined, waiting.length);
  await placeLaneHints(deps, await notHeld(deps, waiting, now));
  return waiting;
}

/** Lanes behind a breaker that lets nothing pass in this minute are told every fifth, for what expires there. */
async function notHeld(deps: TickDeps, lanes: readonly Lane[], now: number): Promise<readonly Lane[]> {
  if (minuteOf(now) % HELD_MINUTES === 0) return lanes;
  const gates = await Promise.all(lanes.map(({ type }) => gateOf(deps, type, MINUTE_MS)));
  return lanes.filter((_, i) => gates[i] !== 'shut');
}

async function isWaiting(deps: TickDeps, lane: Lane): Promise<boolean> {
  const spec = await deps.types.get(lane.type);
  // A lane whose type is gone keeps its backlog until the type is back.
  if (!spec) return false;
  const cells = await readLane(deps, lane, laneRules(spec));
  return cells.some((cell) => hasBacklog(cell) || hasRetries(cell));
}

/**
 * A note that is this old is renewed before the flag is raised again, so none is taken away under a backlog. Items under a
 * flag that is down were put by somebody who died before raising it: their messages have come again, but they would stay.
 * Items of a type that is gone wait for it, and are told each time.
 */
async function forget(deps: TickDeps, note: BacklogLane): Promise<void> {
  const { lane } = note;
  const places = ['permits', 'budget'] as const;
  const firsts = await Promise.all(places.map((place) => deps.backlog.first(lane, 1, place)));
  const left = places.filter((_, i) => firsts[i]?.length);
  if (left.length === 0) await deps.backlog.unregister(note);
  else if (await deps.types.get(lane.type)) await Promise.all(left.map((place) => deps.permits.raise(lane, 0, place)));
  else deps.telemetry.count('type.missing', lane.type);
}

/** What a queue gave up on is hinted again: the redrive of a queue is a backstop, never an end. */
async function reviveDeadHints(deps: TickDeps): Promise<void> {
  for (let batch = 0; batch < DEAD_BATCHES; batch++) {
    const messages = await deps.dead.receive();
    if (messages.length === 0) return;
    const revived: string[] = [];
    for (const { body, receipt } of messages) {
      const hint = parseHint(body);
      // What can't be read stays for its alarm.
      if (!hint) continue;
      if (hint.kind === 'tasks') {
        const durable = await placeHints(
          deps,
          hint.tasks.map((task) => ({ tenant: hint.tenant, task })),
        );
        if (durable.includes(false)) continue;
      }
      revived.push(receipt);
    }
    deps.telemetry.count('hint.revived', undefined, revived.length);
    if (revived.length === 0) return;
    await deps.dead.remove(revived);
  }
}
