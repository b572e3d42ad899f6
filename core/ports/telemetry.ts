/** What is counted. Dimensions grow with task types, never with tenants; tenants are fields of log lines. */
export interface Telemetry {
  readonly count: (name: string, type: string | undefined, n?: number) => void;
  /** A line for an operator; the fields always include the tenant and task where there is one. */
  readonly log: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void;
}
