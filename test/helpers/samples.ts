import type { DestinationRecord, Envelope, HintedTask, Outcome, Run, TaskRow } from '@sluice/contracts';

export const T0 = Date.UTC(2026, 0, 1);
export const UID = '01JZZZZZZZZZZZZZZZZZZZZZZZ';
export const OTHER_UID = '01K00000000000000000000000';

/** A row that was just accepted. */
export function rowOf(over: Partial<TaskRow> = {}): TaskRow {
  return {
    v: 1,
    tenant: 'a',
    id: 't1',
    uid: UID,
    seq: 0,
    fence: 0,
    type: 'echo',
    priority: 'normal',
    state: 'waiting',
    at: T0,
    acceptedAt: T0,
    hintedAt: T0,
    hash: 'h',
    payload: { in: 'row', json: 'null' },
    attempts: 0,
    lost: 0,
    throttled: 0,
    ...over,
  };
}

export function runOf(over: Partial<Run> = {}): Run {
  return { hint: 1, mode: 'event', claimedAt: T0, leaseEnd: T0 + 150_000, cell: 0, nonce: 'n1', ...over };
}

/** A row whose first attempt runs. */
export function runningRow(over: Partial<TaskRow> = {}): TaskRow {
  return rowOf({ state: 'running', seq: 1, fence: 1, firstClaimAt: T0, run: runOf(), ...over });
}

export function hintedTask(over: Partial<HintedTask> = {}): HintedTask {
  return { id: 't1', uid: UID, seq: 0, at: T0, made: T0, type: 'echo', priority: 'normal', ...over };
}

/** An outcome of the first attempt. */
export function outcomeSample(over: Partial<Outcome> = {}): Outcome {
  return { v: 1, tenant: 'a', id: 't1', uid: UID, type: 'echo', fence: 1, attempt: 1, class: 'succeeded', at: T0 + 1_000, ...over };
}

export function envelopeSample(over: Partial<Envelope['sluice']> = {}): Envelope {
  const sluice = { version: 1, tenant: 'a', task: 't1', uid: UID, type: 'echo', fence: 1, attempt: 1, deadline: T0 + 30_000 } as const;
  return { payload: null, sluice: { ...sluice, ...over } };
}

/** A record as Lambda's on-success destination sends it. */
export function recordSample(over: Partial<DestinationRecord> = {}): DestinationRecord {
  return {
    version: '1.0',
    timestamp: new Date(T0 + 1_000).toISOString(),
    requestContext: { requestId: 'r1', functionArn: 'arn', condition: 'Success', approximateInvokeCount: 1 },
    requestPayload: envelopeSample(),
    responseContext: { statusCode: 200, executedVersion: '1' },
    responsePayload: null,
    ...over,
  };
}
