import { placeLaneHints, type PlaceDeps } from '../hints/place.ts';
import type { Drained } from './work.ts';
import type { Lane } from '../ports/permit-store.ts';
import { laneKey } from '../permits/lane-key.ts';

/** Works off one lane's backlog, or as much of it as there is time for. */
export type Drain = (lane: Lane) => Promise<Drained>;

interface Attended {
  readonly lane: Lane;
  /** Set while it is being worked off. */
  running: Promise<void> | undefined;
  /** Somebody has given back a permit of it since its cells were last read. */
  again: boolean;
}

export interface LanePools {
  /** This invocation waits for attempts of the lane: it goes on with its backlog as they end. */
  readonly attend: (lane: Lane) => void;
  /**
   * A permit of a lane with a backlog has been given back here. @returns whether this invocation goes on with it, so that nobody
   * else need be told.
   */
  readonly goesOn: (lane: Lane) => boolean;
  /** Works a lane off now. */
  readonly drain: (lane: Lane) => Promise<void>;
  /** Resolves when no lane is being worked off any more. */
  readonly idle: () => Promise<void>;
}

/**
 * The lanes that one invocation of dispatch works for. With the `wait` starter it is a pool of workers: a slot that an attempt
 * leaves is filled again out of the lane's backlog, with no message in between, for as long as it has time. How many it runs at
 * once is the lane's limit.
 *
 * @param hasTime whether another round may begin
 */
export function createLanePools(deps: PlaceDeps, drain: Drain, hasTime: () => boolean): LanePools {
  const lanes = new Map<string, Attended>();
  const of = (lane: Lane): Attended => {
    const key = laneKey(lane);
    const known = lanes.get(key) ?? { lane, running: undefined, again: false };
    lanes.set(key, known);
    return known;
  };
  const workOff = async (attended: Attended): Promise<void> => {
    try {
      let drained: Drained = 'left';
      do {
        attended.again = false;
        drained = await drain(attended.lane);
      } while (attended.again && drained === 'left');
      // What this one has no time for, another is told of.
      if (drained === 'late') await placeLaneHints(deps, [attended.lane]);
    } finally {
      attended.running = undefined;
    }
  };
  const begin = (attended: Attended): Promise<void> => (attended.running ??= workOff(attended));

  return {
    attend: (lane) => void of(lane),
    goesOn: (lane) => {
      const attended = lanes.get(laneKey(lane));
      if (!attended || (!attended.running && !hasTime())) return false;
      attended.again = true;
      // Who waits for the lane hears of its failure; here it is left to the minute.
      begin(attended).catch(() => undefined);
      return true;
    },
    drain: (lane) => begin(of(lane)),
    idle: async () => {
      for (;;) {
        const running = [...lanes.values()].flatMap((attended) => attended.running ?? []);
        if (running.length === 0) return;
        await Promise.allSettled(running);
      }
    },
  };
}
