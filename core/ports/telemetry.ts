import type { CountName, MeasureName } from '@sluice/contracts';

/** What is counted. Dimensions grow with task types, never with tenants; tenants are fields of log lines. */
export interface Telemetry {
  /** Only names of types that are deployed, or were: a name that a caller made up would be a series of its own. */
  readonly count: (name: CountName, type: string | undefined, n?: number) => void;
  /** One value of a distribution, in the unit that `METRICS` says: its percentiles, maximum and sum are looked at. */
  readonly measure: (name: MeasureName, type: string | undefined, value: number) => void;
  /**
   * A line for an operator; the fields always include the tenant and task where there is one. `debug` is for whoever
   * develops: a platform in production does not write it.
   */
  readonly log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}
