import type { RedriveRecord } from '@sluice/contracts';

/** The redrives of tenants. Every method throws when its answer is unknown (the call may have been applied). */
export interface RedriveStore {
  /** Reads consistently. */
  readonly get: (tenant: string, id: string) => Promise<RedriveRecord | undefined>;
  /** Writes one on condition that there is none of its id. @returns whether it did */
  readonly insert: (record: RedriveRecord) => Promise<boolean>;
  /** Writes one in place of the version before its own. @returns whether it did */
  readonly replace: (record: RedriveRecord) => Promise<boolean>;
  /** Up to `limit`, the newest (the greatest id) first, read consistently: those whose id is less than `before`, where it is given. */
  readonly list: (tenant: string, limit: number, before?: string) => Promise<readonly RedriveRecord[]>;
}
