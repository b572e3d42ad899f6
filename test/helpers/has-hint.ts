import type { TaskRow } from '@sluice/contracts';
import type { Permit } from '../../core/ports/permit-store.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { createHintIndex, type Home } from '../../sim/checks/hint-index.ts';
import { observed } from '../../sim/observed.ts';
import type { World, WorldDeps } from './world.ts';

export interface WatchedWorld {
  /** The world's ports, watched. Faults go around these, so that what is watched is what really happened. */
  readonly deps: WorldDeps;
  /** Rows that are neither terminal nor named by any hint that will act on them as they are now. */
  readonly withoutHint: () => readonly TaskRow[];
  /** The homes of the hints that will act on a row as it is now. */
  readonly hintsOf: (row: TaskRow) => readonly Home[];
  readonly permits: () => readonly Permit[];
  /** Lanes with an item in their backlog that no flag speaks for. */
  readonly silentBacklogs: () => readonly string[];
}

/**
 * Checks what must hold of hints (`HasHint` in the specification): every task that is not terminal has a hint, durable,
 * that will act on its row as it is now.
 * @param changed is called after each call that may have broken it
 */
export function watchHints(world: World, changed: (at: string, answer: unknown) => void = () => {}): WatchedWorld {
  const index = createHintIndex();
  world.queue.messages.watch(index.watcher);
  return {
    deps: observed(world.deps, (at, args, answer) => {
      index.applied(at, args, answer);
      changed(at, answer);
    }),
    hintsOf: (row) => index.homesOf(row),
    withoutHint: () => world.tasks.rows().filter((row) => !isTerminal(row.state) && !index.hasHint(row)),
    permits: index.permits,
    silentBacklogs: index.silentBacklogs,
  };
}
