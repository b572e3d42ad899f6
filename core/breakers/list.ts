import {
  breakerKey,
  breakerKeySchema,
  resourceBreakerKey,
  SluiceError,
  type Breaker,
  type BreakerList,
  type BreakerListQuery,
  type BreakerView,
} from '@sluice/contracts';
import { together } from '../lanes/summary.ts';
import type { BacklogLane, BacklogStore } from '../ports/backlog-store.ts';
import type { BreakerList as StoredBreakers } from '../ports/breaker-list.ts';
import type { BreakerStore } from '../ports/breaker-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { ResourceRegistry, TypeRegistry } from '../ports/type-registry.ts';
import { sideBySide } from '../tasks/side-by-side.ts';
import { newBreaker } from './decide.ts';
import { breakerView, type Held } from './describe.ts';
import { resourceOfKey, typeOfKey, typesOfBreaker } from './keys.ts';

export interface BreakerViewDeps {
  readonly breakerList: StoredBreakers;
  readonly breakers: Pick<BreakerStore, 'read'>;
  readonly backlog: Pick<BacklogStore, 'lanes' | 'measure'>;
  readonly types: TypeRegistry & ResourceRegistry;
  readonly clock: Clock;
}

/** Lanes that are measured of one breaker, at once, and hints that are counted of each. */
const MEASURED = { list: 20, one: 200 } as const;
const AT_ONCE = 20;
const COUNTED = 200;
const NOTHING: Held = { size: { count: 0, more: false, oldestAt: undefined }, lanes: 0 };

/** The breakers that have seen a crash within a day, or are not closed; those that are not closed first. @throws SluiceError `unavailable` */
export async function listBreakers(deps: BreakerViewDeps, { state }: BreakerListQuery): Promise<BreakerList> {
  const [stored, noted] = await Promise.all([deps.breakerList.all(), deps.backlog.lanes()]);
  const wanted = stored.filter((breaker) => state === undefined || breaker.state === state);
  const isClosed = (breaker: Breaker): number => Number(breaker.state === 'closed');
  const breakers: BreakerView[] = [];
  for (const breaker of wanted.toSorted((a, b) => isClosed(a) - isClosed(b))) {
    breakers.push(breakerView(breaker, await heldBy(deps, breaker, noted, MEASURED.list), deps.clock.now()));
  }
  return { breakers };
}

/**
 * One breaker; that of a task type or a resource which never crashed is closed.
 * @throws SluiceError `bad_request` for what is no breaker, `not_found` for that of what is not deployed, `unavailable`
 */
export async function getBreaker(deps: BreakerViewDeps, key: string): Promise<BreakerView> {
  const parsed = breakerKeySchema.safeParse(key);
  if (!parsed.success) throw new SluiceError('bad_request', `"${key.slice(0, 100)}" is no breaker: ${parsed.error.issues[0]?.message}`);
  const [stored, noted] = await Promise.all([deps.breakers.read(key), deps.backlog.lanes()]);
  if (stored) return breakerView(stored, await heldBy(deps, stored, noted, MEASURED.one), deps.clock.now());
  if (!(await isDeployed(deps, key))) {
    throw new SluiceError(
      'not_found',
      `there is no breaker ${key}; each deployed task type and resource has one, as ${breakerKey('thumbnail')} and ${resourceBreakerKey('stripe-api')}`,
    );
  }
  return breakerView(newBreaker(key, deps.clock.now()), NOTHING, deps.clock.now());
}

async function isDeployed({ types }: BreakerViewDeps, key: string): Promise<boolean> {
  const [type, resource] = [typeOfKey(key), resourceOfKey(key)];
  if (type !== undefined) return (await types.get(type)) !== undefined;
  return resource !== undefined && (await types.resources()).has(resource);
}

/** What rests in the backlogs of the lanes that it holds. Of very many lanes some are measured. */
async function heldBy({ backlog, types }: BreakerViewDeps, breaker: Breaker, noted: readonly BacklogLane[], most: number): Promise<Held> {
  if (breaker.state === 'closed') return NOTHING;
  const held = await typesOfBreaker(types, breaker.key);
  const lanes = noted.filter(({ lane }) => held.has(lane.type));
  const sizes = await sideBySide(lanes.slice(0, most), AT_ONCE, ({ lane }) => backlog.measure(lane, COUNTED));
  const size = together(sizes);
  return { size: { ...size, more: size.more || lanes.length > most }, lanes: lanes.length };
}
