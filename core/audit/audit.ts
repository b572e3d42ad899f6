import type { TaskRow } from '@sluice/contracts';
import { placeHints, type PlaceDeps } from '../hints/place.ts';
import type { BacklogStore } from '../ports/backlog-store.ts';
import type { TaskStore } from '../ports/task-store.ts';
import type { Telemetry } from '../ports/telemetry.ts';
import type { Timer } from '../ports/timer.ts';
import type { TypeRegistry } from '../ports/type-registry.ts';
import { hintOf, isTerminal } from '../tasks/state.ts';

export interface AuditDeps extends PlaceDeps {
  readonly tasks: TaskStore;
  readonly backlog: BacklogStore;
  readonly types: TypeRegistry;
  readonly timer: Timer;
  readonly telemetry: Telemetry;
}

export interface AuditOptions {
  /** ms: a task counts as forgotten when what it waits for is this long past. Default a day. */
  readonly olderThanMs?: number;
  /** Parallel parts of the scan. Default 2. */
  readonly segments?: number;
  /** ms between two pages of one part, so that the scan leaves the table to its users. Default 100. */
  readonly paceMs?: number;
  /** ms: when the invocation ends. */
  readonly deadline: number;
}

export interface AuditReport {
  readonly scanned: number;
  /** Tasks that nobody had looked at; each has been hinted. Anything but 0 is a purged queue or a bug. */
  readonly found: number;
  /** False when time ran out before the end of the table. */
  readonly complete: boolean;
}

const DAY_MS = 86_400_000;

/** Looks at every row, and hints those that are not terminal and that nobody has looked at for a day. */
export async function audit(deps: AuditDeps, options: AuditOptions): Promise<AuditReport> {
  const segments = options.segments ?? 2;
  const parts = await Promise.all(Array.from({ length: segments }, (_, segment) => auditSegment(deps, options, segment, segments)));
  const report = {
    scanned: parts.reduce((sum, p) => sum + p.scanned, 0),
    found: parts.reduce((sum, p) => sum + p.found, 0),
    complete: parts.every((p) => p.complete),
  };
  deps.telemetry.count('audit.found', undefined, report.found);
  deps.telemetry.count('audit.incomplete', undefined, report.complete ? 0 : 1);
  deps.telemetry.log(report.found > 0 || !report.complete ? 'error' : 'info', 'audit', { ...report });
  return report;
}

async function auditSegment(deps: AuditDeps, options: AuditOptions, segment: number, segments: number): Promise<AuditReport> {
  let scanned = 0;
  let found = 0;
  let from: string | undefined;
  do {
    if (deps.clock.now() > options.deadline) return { scanned, found, complete: false };
    const page = await deps.tasks.scan(segment, segments, from);
    scanned += page.rows.length;
    const before = deps.clock.now() - (options.olderThanMs ?? DAY_MS);
    for (const row of page.rows) if (await isForgotten(deps, row, before)) found += await hintAgain(deps, row);
    from = page.next;
    if (from !== undefined) await deps.timer.sleep(options.paceMs ?? 100);
  } while (from !== undefined);
  return { scanned, found, complete: true };
}

/** Its time is long past, its type is deployed, and it does not rest in its lane's backlog either. */
async function isForgotten(deps: AuditDeps, row: TaskRow, before: number): Promise<boolean> {
  const hint = hintOf(row, deps.clock.now());
  if (isTerminal(row.state) || hint.at > before || !(await deps.types.get(row.type))) return false;
  return !(await deps.backlog.has({ tenant: row.tenant, type: row.type }, hint));
}

async function hintAgain(deps: AuditDeps, row: TaskRow): Promise<number> {
  const now = deps.clock.now();
  const [durable] = await placeHints(deps, [{ tenant: row.tenant, task: hintOf(row, now) }]);
  deps.telemetry.log('error', 'a task that nobody had looked at', {
    tenant: row.tenant,
    task: row.id,
    uid: row.uid,
    hinted: durable === true,
  });
  return 1;
}
