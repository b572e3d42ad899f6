import type { TaskRow } from '@sluice/contracts';

/** What rows of tasks that have ended have in common, of the size that rows have. */
export function endedRow(tenant: string, n: number, at: number, uid: string) {
  return {
    v: 1,
    tenant,
    id: `order:${n}`,
    uid,
    seq: 2,
    fence: 1,
    priority: 'normal',
    at,
    acceptedAt: at,
    hintedAt: at,
    hash: 'k3b1qOqGJv0nF9wJYkYvGv2hYyZlJ0yXb7m2x8s3u4w',
    payload: { in: 'row', json: `{"order":${n},"name":"Ada Lovelace"}` },
    labels: { team: n % 2 ? 'shop' : 'ledger' },
    lost: 0,
    throttled: 0,
    firstClaimAt: at + 40,
    run: { hint: 0, mode: 'event', claimedAt: at + 40, leaseEnd: at + 150_040, cell: 0, nonce: 'Zm9vYmFy' },
    endedAt: at + 300,
    endedBy: 'record',
  } as const satisfies Partial<TaskRow>;
}
