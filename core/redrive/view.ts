import type { Redrive, RedriveRecord } from '@sluice/contracts';

/** A redrive as its tenant sees it. */
export function toRedrive(record: RedriveRecord): Redrive {
  const { id, state, reason, filter, ids, ratePerSecond, limit, canary, waveResult, createdAt, updatedAt, endedAt } = record;
  const { scanned, matched, redriven, skipped, failed } = record;
  return {
    id,
    state,
    ...(reason !== undefined && { reason }),
    ...(filter && { filter }),
    ...(ids && { ids: ids.length }),
    ratePerSecond,
    ...(limit !== undefined && { limit }),
    ...(canary && { canary: { ...canary, ...(waveResult && { result: waveResult }) } }),
    scanned,
    matched,
    redriven,
    skipped,
    failed,
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() }),
  };
}
