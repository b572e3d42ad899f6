import { COSTS_COUNTS } from '../checks/exact.ts';
import { edit, type Mutant } from './mutant.ts';

const PROMOTE = 'core/routing/promote.ts';
const SETTLE = 'core/settle/decide.ts';

/** Mistakes in what the explorer's small world has not: queues that come and go, preemption, redrives. Random runs find them. */
export const POLICIES: readonly Mutant[] = [
  {
    name: 'routed-too-early',
    why: 'hints go to a dedicated queue that is still being made',
    edits: edit(
      'core/routing/route.ts',
      "entry.tenant === tenant && entry.state === 'active'",
      "entry.tenant === tenant && entry.state !== 'closing'",
    ),
    seeds: 60,
  },
  {
    name: 'close-undrained',
    why: 'a dedicated queue closes while there may be senders that still know it, and before it was seen empty',
    edits: edit(PROMOTE, 'return empty && now - since >= settings.drainMs ? become(', 'return now - since >= 0 ? become('),
    seeds: 60,
  },
  {
    name: 'preempted-counts',
    why: 'an attempt that made room counts as one',
    edits: edit(
      SETTLE,
      "again(outcome, 'free', now, { preempted: (row.preempted ?? 0) + 1 })",
      "again(outcome, 'free', now, { preempted: (row.preempted ?? 0) + 1, attempts: row.attempts + 1 })",
    ),
    seeds: 60,
  },
  {
    name: 'redrive-half',
    why: 'a redrive passes over every second task that it is to redrive',
    edits: edit('core/dead/walk.ts', '|| !fits(filter, row)) continue;', '|| !fits(filter, row) || scanned % 2 === 0) continue;'),
    seeds: 60,
  },
  {
    name: 'failed-uncounted',
    why: 'an end that is a failure is not counted',
    edits: edit(
      'core/settle/settle-outcome.ts',
      'deps.telemetry.count(`task.${row.state}`, row.type);',
      "if (row.state !== 'failed') deps.telemetry.count(`task.${row.state}`, row.type);",
    ),
    seeds: 10,
    without: COSTS_COUNTS,
  },
];
