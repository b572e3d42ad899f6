import type { AdmissionReport } from '@sluice/contracts';

/** ms after its end in which a report counts: an environment under load writes the next one in half of it. */
export const REPORT_FRESH_MS = 15_000;

/** Of one tenant, tasks a second over all environments. */
export interface Rate {
  readonly tenant: string;
  readonly offered: number;
  readonly refused: number;
  /** Of what is offered, what was seen rather than drawn by lot for others: nobody is refused for the rest. */
  readonly seen: number;
}

export interface MergedReports {
  /** Environments that told something. */
  readonly environments: number;
  /** Tasks a second, exact but for environments that tell nothing because little comes by them. */
  readonly offered: number;
  readonly refused: number;
  /** Messages a second that the admitted ones were sent in. */
  readonly messages: number;
  /** The largest first. */
  readonly tenants: readonly Rate[];
  /** Tenants that have a rate. */
  readonly limited: ReadonlySet<string>;
}

/**
 * What all environments saw together, from the latest report of each. Reports are unbiased tenant by tenant, so their sums
 * are; their errors are independent, so the standard error of a sum over n environments grows with √n while the sum
 * grows with n.
 */
export function mergeReports(reports: readonly AdmissionReport[], now: number): MergedReports {
  const latest = new Map<string, AdmissionReport>();
  for (const report of reports) {
    if (now - report.to > REPORT_FRESH_MS || report.to <= report.from) continue;
    if ((latest.get(report.by)?.to ?? -Infinity) < report.to) latest.set(report.by, report);
  }
  const tenants = new Map<string, { offered: number; refused: number; seen: number }>();
  let offered = 0;
  let refused = 0;
  let messages = 0;
  for (const report of latest.values()) {
    const seconds = (report.to - report.from) / 1000;
    offered += report.tasks / seconds;
    refused += report.refused / seconds;
    messages += (report.messages ?? report.tasks - report.refused) / seconds;
    const add = (tenant: string, tasks: number, not: number, seen: number): void => {
      const sum = tenants.get(tenant) ?? { offered: 0, refused: 0, seen: 0 };
      tenants.set(tenant, {
        offered: sum.offered + tasks / seconds,
        refused: sum.refused + not / seconds,
        seen: sum.seen + seen / seconds,
      });
    };
    for (const [tenant, tasks, not] of report.flows) add(tenant, tasks, not, tasks);
    for (const [tenant, tasks, not] of report.sampled ?? []) add(tenant, tasks, not, 0);
  }
  return {
    limited: new Set([...latest.values()].flatMap(({ limited = [] }) => limited)),
    environments: latest.size,
    offered,
    refused,
    messages,
    tenants: [...tenants].map(([tenant, rate]) => ({ tenant, ...rate })).sort((a, b) => b.offered - a.offered),
  };
}
