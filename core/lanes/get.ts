import { PRIORITIES, SluiceError, taskTypeNameSchema, type LaneView, type Priority, type TaskTypeSpec } from '@sluice/contracts';
import { breakersOfType } from '../breakers/keys.ts';
import { ratesOf, hasBacklog, hasRetries, mostCells } from '../permits/cells.ts';
import type { BacklogSize } from '../ports/backlog-store.ts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { Cell, Lane } from '../ports/permit-store.ts';
import { capacitiesOf, givenBy } from './capacities.ts';
import { limitsOf } from './limits.ts';
import type { LaneListDeps } from './list.ts';
import { summaryOf, together, waitingOf } from './summary.ts';
import { budgetOf } from './why.ts';

export type LaneDeps = Pick<LaneListDeps, 'laneReadings' | 'types' | 'divisions' | 'quotas' | 'clock'> & {
  readonly breakers: Pick<BreakerStore, 'read'>;
};

/** Hints that are counted of each class. */
const COUNTED = 1_000;
const NOTHING: BacklogSize = { count: 0, more: false, oldestAt: undefined };

/**
 * One lane, whether it is in use or not.
 * @throws SluiceError `bad_request` for what is no type, `not_found` for one that is not deployed and has no tasks waiting, `unavailable`
 */
export async function getLane(deps: LaneDeps, tenant: string, type: string): Promise<LaneView> {
  const parsed = taskTypeNameSchema.safeParse(type);
  if (!parsed.success) throw new SluiceError('bad_request', `"${type.slice(0, 100)}" is no task type: ${parsed.error.issues[0]?.message}`);
  const lane = { tenant, type };
  const [spec, resources, grants, record, breakers, sizes] = await Promise.all([
    deps.types.get(type),
    deps.types.resources(),
    deps.divisions.grants(),
    deps.quotas.get(tenant),
    breakersOfType(deps.types, type).then((keys) => Promise.all(keys.map((key) => deps.breakers.read(key)))),
    deps.laneReadings.sizes(lane, COUNTED),
  ]);
  const cells = await cellsOf(deps, lane, spec);
  const waiting = together([...Object.values(sizes.permits), ...Object.values(sizes.budget)]);
  if (!spec && waiting.count === 0 && !cells.some((cell) => cell.permits.length > 0 || hasBacklog(cell) || hasRetries(cell))) {
    throw new SluiceError('not_found', `there is no task type ${type}, and nothing of tenant ${tenant} waits for one`);
  }
  const names = await deps.types.names();
  const types = new Map(
    (await Promise.all(names.map((name) => deps.types.get(name)))).flatMap((each): [string, TaskTypeSpec][] =>
      each ? [[each.type, each]] : [],
    ),
  );
  const capacities = capacitiesOf(lane, spec, record?.quota, resources, givenBy(grants, types));
  const now = deps.clock.now();
  const limits = limitsOf(spec, cells, now);
  const { allowed, nextAt } = ratesOf(limits.rules, cells[0], 1, now);
  const parts = limits.rules.divided ? cells[0]?.rateShare?.windows : undefined;
  const classes = PRIORITIES.map((priority): [Priority, LaneView['waiting']] => [
    priority,
    waitingOf(sizes.permits[priority] ?? NOTHING, now),
  ]);
  return {
    ...summaryOf({ lane, spec, cells, breakers, capacities, waiting }, now),
    limits: {
      ...(spec && { concurrency: spec.concurrency }),
      ...(limits.adaptive !== undefined && { adaptive: limits.adaptive }),
      ...(limits.share !== undefined && { share: limits.share }),
      capacities: [...capacities],
      rates: (spec?.rates ?? []).map(({ limit, perSeconds }) => ({ limit, perSeconds })),
      ...(parts && { resourceRates: parts.map(({ limit, perSeconds }) => ({ limit, perSeconds })) }),
      ...(allowed === 0 && !parts?.some(({ limit }) => limit === 0) && { nextStartAt: new Date(nextAt).toISOString() }),
      retries: spec ? budgetOf(limits.inUse, spec.retryBudget, now) : 0,
    },
    waitingByClass: Object.fromEntries(classes) as LaneView['waitingByClass'],
    waitingForBudget: waitingOf(together(Object.values(sizes.budget)), now),
  };
}

/** The first cell says how many there are. */
async function cellsOf({ laneReadings }: LaneDeps, lane: Lane, spec: TaskTypeSpec | undefined): Promise<readonly Cell[]> {
  const [first] = await laneReadings.cells([{ lane, cell: 0 }]);
  if (!first) return [];
  const { rules } = limitsOf(spec, [first], 0);
  const others = Array.from({ length: mostCells(rules, first) - 1 }, (_, n) => ({ lane, cell: n + 1 }));
  return [first, ...(others.length > 0 ? await laneReadings.cells(others) : [])];
}
