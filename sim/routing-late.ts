import { ROUTING_KEPT_MS } from '../core/routing/settings.ts';

/** ms by which an environment may be late to know of the routing, all through its life. */
export const ROUTING_LATE = [0, 5_000, 30_000, ROUTING_KEPT_MS] as const;
