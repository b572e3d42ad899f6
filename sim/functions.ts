import { audit as auditRows, type AuditReport } from '../core/audit/audit.ts';
import { dispatch as workOff } from '../core/dispatch/dispatch.ts';
import type { NotedLanes } from '../core/dispatch/park.ts';
import type { ReceivedHint } from '../core/ports/hint-queue.ts';
import { minuteTick } from '../core/timers/minute-tick.ts';
import type { Ports } from './ports.ts';

/** The functions of the platform. */
export type FunctionName =
  | 'submit'
  | 'cancel'
  | 'retry'
  | 'list'
  | 'schedules'
  | 'redrives'
  | 'dispatch'
  | 'settle'
  | 'timers'
  | 'routing'
  | 'starts'
  | 'control'
  | 'audit'
  | 'attempt'
  | 'system';

/** Seconds that each may run, as the construct library sets it; what is called by HTTP may run less than its caller waits. */
export const TIMEOUT_SECONDS: Readonly<Record<FunctionName, number>> = {
  submit: 25,
  cancel: 29,
  retry: 29,
  list: 29,
  schedules: 29,
  redrives: 29,
  dispatch: 180,
  settle: 60,
  timers: 300,
  routing: 120,
  starts: 120,
  control: 120,
  audit: 900,
  attempt: 29,
  system: 60,
};

/** What timers and the audit keep back for their answer, ms. */
const MARGIN_MS = 15_000;

/** As the handler of dispatch calls it. @returns the messages that stay */
export function dispatch(ports: Ports, received: readonly ReceivedHint[], noted: NotedLanes): Promise<readonly string[]> {
  return workOff(ports, received, { noted, deadline: ports.clock.now() + TIMEOUT_SECONDS.dispatch * 1000 });
}

export function tick(ports: Ports): Promise<void> {
  return minuteTick(ports, ports.clock.now() + TIMEOUT_SECONDS.timers * 1000 - MARGIN_MS);
}

/** @param olderThanMs a task counts as forgotten when what it waits for is this long past */
export function audit(ports: Ports, olderThanMs?: number): Promise<AuditReport> {
  const deadline = ports.clock.now() + TIMEOUT_SECONDS.audit * 1000 - MARGIN_MS;
  return auditRows(ports, { deadline, ...(olderThanMs !== undefined && { olderThanMs }) });
}
