import type { LaneHint } from '@sluice/contracts';
import { parseHint } from '../hints/parse.ts';
import { placeHints } from '../hints/place.ts';
import type { ReceivedHint } from '../ports/hint-queue.ts';
import type { Lane } from '../ports/permit-store.ts';
import { tellRuns } from '../starts/run-tally.ts';
import { drainLane } from './drain.ts';
import { againAt } from './look.ts';
import type { NotedLanes } from './park.ts';
import { createLanePools } from './pools.ts';
import { processWorks, type ProcessOptions } from './process.ts';
import { DONE, keep, workOf, type DispatchDeps, type Drained, type Work, type WorkEnd } from './work.ts';
import { laneKey } from '../permits/lane-key.ts';

/** Receives of a message that may follow each other closely, and the longest wait of the later ones, seconds. */
const QUICK_RECEIVES = 4;
const MAX_PATIENCE_SECONDS = 30;

export interface DispatchOptions {
  readonly noted: NotedLanes;
  /** ms: when this invocation ends. */
  readonly deadline: number;
}

/**
 * Works off a batch of hint messages.
 * @returns the messages that stay: received again after a visibility time that has been set where it matters.
 */
export async function dispatch(
  given: DispatchDeps,
  received: readonly ReceivedHint[],
  options: DispatchOptions,
): Promise<readonly string[]> {
  const worksOf = new Map<ReceivedHint, Work[]>();
  const lanes = new Map<string, { hint: LaneHint; from: ReceivedHint[] }>();
  const ends = new Map<ReceivedHint, WorkEnd>();
  for (const message of received) {
    const hint = parseHint(message.body);
    if (hint?.kind === 'tasks') {
      worksOf.set(message, workOf(hint, message.receiveCount));
    } else if (hint?.kind === 'lane') {
      const key = laneKey(hint);
      const same = lanes.get(key);
      if (same) same.from.push(message);
      else lanes.set(key, { hint, from: [message] });
    } else {
      given.telemetry.count('hint.unreadable', undefined);
      given.telemetry.log('error', 'unreadable hint', { messageId: message.messageId, body: message.body.slice(0, 500) });
      ends.set(message, keep(60));
    }
  }

  const hinted = new Set([...lanes.values()].flatMap(({ from }) => from));
  const via = received[0]?.queue.shard;
  const hasTime = () => given.clock.now() < options.deadline;
  const drain = async (lane: Lane): Promise<Drained> => {
    try {
      return await drainLane(deps, lane, processOptions);
    } catch (error) {
      deps.telemetry.count('drain.failed', lane.type);
      deps.telemetry.log('error', 'drain failed', { ...lane, error });
      throw error;
    }
  };
  const pools = createLanePools(given, drain, hasTime);
  const deps: DispatchDeps = { ...given, goesOn: pools.goesOn };
  const processOptions: ProcessOptions = { ...options, via, pools };
  const works = [...worksOf.values()].flat();
  const tasks = processWorks(deps, works, processOptions).then(async (done) => {
    const endOf = new Map(works.map((work, i) => [work, done[i] ?? keep(0)]));
    await Promise.all([...worksOf].map(async ([message, own]) => ends.set(message, await endOfMessage(deps, own, endOf))));
    // At once: the backlogs of these lanes may take minutes.
    await giveBack(
      deps,
      received.filter((message) => !hinted.has(message)),
      ends,
    );
  });
  const drains = [...lanes.values()].map(async ({ hint, from }) => {
    try {
      await pools.drain({ tenant: hint.tenant, type: hint.type });
    } catch {
      for (const message of from) ends.set(message, keep(5));
    }
  });
  await Promise.allSettled([tasks, ...drains]);
  await pools.idle();
  await tasks;
  await tellRuns(deps);
  await giveBack(
    deps,
    received.filter((message) => hinted.has(message)),
    ends,
  );
  return received.filter((message) => ends.get(message)?.hint === 'keep').map(({ messageId }) => messageId);
}

/** Has the messages that stay received again, each after its time. */
async function giveBack(
  { queue }: DispatchDeps,
  messages: readonly ReceivedHint[],
  ends: ReadonlyMap<ReceivedHint, WorkEnd>,
): Promise<void> {
  await Promise.all(
    messages.map(async (message) => {
      const end = ends.get(message);
      if (end?.hint === 'keep') await queue.giveBack(message, Math.max(end.seconds, patience(message)));
    }),
  );
}

/**
 * A message goes when all that it names may go. One that names several goes also when those that stay have got a hint of
 * their own: received again for them, it would hint the others once more each time.
 */
async function endOfMessage(deps: DispatchDeps, works: readonly Work[], endOf: ReadonlyMap<Work, WorkEnd>): Promise<WorkEnd> {
  const kept = works.flatMap((work) => {
    const end = endOf.get(work) ?? keep(0);
    return end.hint === 'keep' ? [{ work, seconds: end.seconds }] : [];
  });
  if (kept.length === 0) return DONE;
  const soonest = keep(Math.min(...kept.map((k) => k.seconds)));
  if (works.length === 1) return soonest;
  const now = deps.clock.now();
  const durable = await placeHints(
    deps,
    kept.map(({ work, seconds }) => againAt(work, now + seconds * 1000)),
  );
  return durable.includes(false) ? soonest : DONE;
}

/** Seconds that a message which keeps coming back waits at least: what it waits for did not happen at once. */
function patience({ receiveCount }: ReceivedHint): number {
  return receiveCount <= QUICK_RECEIVES ? 0 : Math.min(MAX_PATIENCE_SECONDS, 2 ** (receiveCount - QUICK_RECEIVES));
}
