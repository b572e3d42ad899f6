import type { AdmissionReport } from '@sluice/contracts';
import type { Limited } from './limiter.ts';
import type { Interval } from './sample-and-hold.ts';
import { thin } from './thin.ts';

/** Tenants that one report names: it stays below 1 KB, and so costs one write unit. */
const FLOWS = 20;
/** Of these, tenants with a rate, whose parts of it are divided by what is told. */
const LIMITED = 8;

export interface Seen {
  readonly by: string;
  readonly from: number;
  readonly to: number;
  readonly interval: Interval;
  readonly refused: number;
  readonly messages: number;
  readonly refusals: ReadonlyMap<string, number>;
  readonly limited: readonly Limited[];
}

/** What an environment tells of an interval: of tenants with a rate the largest, of all others so that sums stay unbiased. */
export function reportOf({ by, from, to, interval, refused, messages, refusals, limited }: Seen, fraction: number): AdmissionReport {
  const exact = limited.slice(0, LIMITED);
  const names = new Set(exact.map(({ tenant }) => tenant));
  const others = interval.flows.filter(({ tenant }) => !names.has(tenant));
  const thinned = thin(
    others.map(({ tasks }) => tasks),
    FLOWS - exact.length,
    fraction,
  );
  const row = ({ tenant, tasks }: Limited, factor: number): [string, number, number] => [
    tenant,
    rounded(tasks * factor),
    rounded((refusals.get(tenant) ?? 0) * factor),
  ];
  const rows = (drawn: boolean) =>
    thinned.flatMap(({ index, factor }) => {
      const flow = others[index];
      return flow && (factor !== 1) === drawn ? [row(flow, factor)] : [];
    });
  const sampled = rows(true);
  return {
    v: 1,
    by,
    from,
    to,
    tasks: interval.tasks,
    refused,
    messages,
    flows: [...exact.map((flow) => row(flow, 1)), ...rows(false)],
    ...(sampled.length > 0 && { sampled }),
    ...(exact.length > 0 && { limited: exact.map(({ tenant }) => tenant) }),
  };
}

/** Three digits are more than the estimates are good for. */
function rounded(tasks: number): number {
  return tasks < 1_000 ? Math.round(tasks * 10) / 10 : Math.round(tasks);
}
