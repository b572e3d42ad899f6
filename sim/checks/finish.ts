import type { Services } from '../services.ts';
import type { End } from './end.ts';
import { isExact } from './exact.ts';
import { checkFeatures } from './features.ts';
import { nameOf, type Checks, type Violation } from './checks.ts';

const TOLD = ['failed', 'expired', 'cancelled'] as const;

/** What must hold once all is over: nothing is lost, nothing is held, nothing is silent. */
export async function checkEnd(end: End): Promise<readonly Violation[]> {
  const { services, checks, now, struck } = end;
  const found: Violation[] = [];
  const violated = (kind: Violation['kind'], what: string): void => void found.push({ kind, what });
  for (const row of checks.waiting()) violated('stuck', `${nameOf(row)} is ${row.state}, seq ${row.seq}`);
  for (const [uid, { tenant, id }] of checks.accepted) {
    if (!checks.ends.has(uid) && !checks.rows.has(uid)) violated('lost', `${tenant}/${id}/${uid} was accepted and is nowhere`);
  }
  for (const permit of checks.index.permits()) {
    if (permit.expiry > now) violated('permitLeaks', `the permit ${permit.nonce} is held at the end`);
  }
  for (const lane of checks.index.silentBacklogs()) violated('stuck', `items in the backlog of ${lane} that nobody will look at`);
  const told = new Set(services.events.events().map(({ eventId }) => eventId));
  for (const [uid, row] of checks.ends) {
    // What told of it may have been purged.
    if (row.state !== 'succeeded' && !checks.purged.has(uid) && !told.has(`${uid}:${row.state}`))
      violated('silence', `${nameOf(row)} ${row.state} untold`);
    if (row.state === 'failed' && row.reason === undefined) violated('silence', `${nameOf(row)} failed without a reason`);
  }
  const exact = isExact(struck);
  for (const state of TOLD) {
    const ended = [...checks.ends.values()].filter((row) => row.state === state).length;
    const counted = services.telemetry.total(`task.${state}`);
    if (counted > ended || (exact && counted < ended)) violated('silence', `${ended} tasks ${state}, ${counted} counted`);
  }
  checks.refusals.end();
  await checkStore(services, checks, violated);
  await checkFeatures(end, violated);
  return found;
}

/** What the checks heard is what is stored, and a tenant's list is what it submitted. */
async function checkStore(services: Services, checks: Checks, violated: (kind: Violation['kind'], what: string) => void): Promise<void> {
  for (const row of services.tasks.rows()) {
    const heard = checks.rows.get(row.uid);
    if (heard?.seq !== row.seq || heard.state !== row.state) violated('other', `${nameOf(row)} is not as it was heard of`);
  }
  for (const row of services.tasks.archived()) {
    if (!checks.ends.has(row.uid)) violated('lost', `${nameOf(row)} was put aside before it had ended`);
  }
  for (const { lane } of await services.backlog.lanes()) {
    const left = await services.backlog.first(lane, 1_000);
    for (const task of left) {
      const row = checks.rows.get(task.uid);
      if (row && !checks.ends.has(row.uid)) violated('stuck', `${nameOf(row)} rests in a backlog at the end`);
    }
  }
}
