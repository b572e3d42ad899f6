import type { RoutingDocument } from '@sluice/contracts';
import type { SentCounts } from '../routing/choose.ts';

/** What an environment knows of the routing. */
export interface KnownRouting {
  readonly document: RoutingDocument;
  /** What it has sent itself since the depths that the document tells. */
  readonly sent: SentCounts;
}

/** The routing document as readers know it. */
export interface RoutingMap {
  /**
   * As it was some seconds ago; `undefined` while nothing is known that is fresh enough to be used, which is no obstacle.
   * Costs no call on the way of a task.
   */
  readonly known: () => KnownRouting | undefined;
  /**
   * Before it is used for new tasks: what to wait for, for a moment, where it has become too old, as in an environment that
   * nobody used for a while; `undefined` where nothing has to be waited for.
   */
  readonly ready: () => Promise<void> | undefined;
}

/** The routing document as control keeps it. Both throw when their answer is unknown. */
export interface RoutingStore {
  /** Reads consistently. */
  readonly read: () => Promise<RoutingDocument | undefined>;
  /** Writes it on condition that the stored one is of the version before. @returns whether it did */
  readonly write: (document: RoutingDocument) => Promise<boolean>;
}
