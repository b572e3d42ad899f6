import { isSystemName, SYSTEM_TYPES, type TaskRow } from '@sluice/contracts';
import type { Services } from '../services.ts';
import type { Checks } from './checks.ts';

/** What only some runs do, so that a report shows that it was done. */
export const SEEN = [
  'deliveries',
  'delivered',
  'fires',
  'occurrences',
  'redriven',
  'quarantined',
  'excused',
  'breakers',
  'retriesHeld',
  'ratesHeld',
  'promoted',
  'demoted',
  'preempted',
  'autoByEvent',
  'autoByWait',
  'toWait',
  'toEvent',
  'paced',
  'rateLimited',
  'backlogFull',
] as const;
export type Seen = Readonly<Record<(typeof SEEN)[number], number>>;

/** Types that choose how they are started. */
const AUTO: ReadonlySet<string> = new Set(['wide', 'single']);
const isAutoEnd = ({ type }: TaskRow): boolean => AUTO.has(type);

export function seenIn({ telemetry }: Services, { ends, rates }: Checks): Seen {
  const rows = [...ends.values()];
  const count = (of: (row: (typeof rows)[number]) => boolean) => rows.filter(of).length;
  return {
    deliveries: count(({ type }) => type === SYSTEM_TYPES.notify),
    delivered: count(({ type, state }) => type === SYSTEM_TYPES.notify && state === 'succeeded'),
    fires: count(({ type }) => type === SYSTEM_TYPES.fire),
    occurrences: count(({ id, type }) => id.includes('@') && !isSystemName(type)),
    redriven: count(({ redrive }) => redrive !== undefined),
    quarantined: count(({ reason }) => reason === 'quarantined'),
    excused: telemetry.total('breaker.excused'),
    breakers: telemetry.total('breaker.opened'),
    retriesHeld: telemetry.total('retry.held'),
    ratesHeld: telemetry.total('rate.held'),
    promoted: telemetry.total('routing.promoted'),
    demoted: telemetry.total('routing.demoted'),
    preempted: count(({ preempted }) => (preempted ?? 0) > 0),
    autoByEvent: count((row) => isAutoEnd(row) && row.run?.mode === 'event'),
    autoByWait: count((row) => isAutoEnd(row) && row.run?.mode === 'wait'),
    toWait: telemetry.total('start.to_wait'),
    toEvent: telemetry.total('start.to_event'),
    paced: rates.paced(),
    rateLimited: telemetry.total('admission.rate_limited'),
    backlogFull: telemetry.total('admission.backlog_full'),
  };
}
