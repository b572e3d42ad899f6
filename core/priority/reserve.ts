import { PRIORITIES, type Priority } from '@sluice/contracts';

/**
 * Of a lane's limit, what a class leaves free for the classes above it: 5 % for each. A reservation of a few trunks is enough:
 * it bounds how often the class above finds the lane full by a power of its length (trunk reservation, as of telephone
 * networks: Kelly, "Loss networks", 1991). Rounded down, so that lanes of less than 20 (10 for `low`) leave nothing: there
 * a permit is too much of the whole.
 */
const HEADROOM: Readonly<Record<Priority, number>> = { high: 0, normal: 0.05, low: 0.1 };

/** ms after its last start in which a class counts as one that the classes below it leave room for. */
export const SEEN_MS = 300_000;

/** Classes above one, the first served first. */
export function above(priority: Priority): readonly Priority[] {
  return PRIORITIES.slice(0, PRIORITIES.indexOf(priority));
}

/** 0 for the class that is served first. */
export function rankOf(priority: Priority): number {
  return PRIORITIES.indexOf(priority);
}

/**
 * How many attempts of a lane (or one cell of it) may be in flight, of all classes together, once one more of this class has
 * started: `limit − ⌊h × limit⌋`, h = 0 for `high`, 0.05 for `normal`, 0.1 for `low`. At least one, for any limit of at
 * least one. It holds while a class above was seen within {@link SEEN_MS}; before that every class may fill the limit.
 */
export function limitOf(priority: Priority, limit: number): number {
  return limit - Math.floor(HEADROOM[priority] * limit);
}

/**
 * What hints that come by a queue may fill while other classes wait in the lane's backlog. Those of `high` all but 5 % of the
 * limit, at least one permit: that rest goes to the backlog alone, so that `high` can't starve what waits there, however much
 * of it comes. Those of other classes nothing: they would overtake what is above them, and take the turns of what is below.
 */
export function freshLimit(priority: Priority, limit: number): number {
  return priority === 'high' ? limit - Math.max(1, Math.floor(HEADROOM.normal * limit)) : 0;
}
