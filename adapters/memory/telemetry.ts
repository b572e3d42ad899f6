import type { Telemetry } from '../../core/ports/telemetry.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

export interface MemoryTelemetry extends Telemetry {
  /** The sum of a count, for one type or for all. */
  readonly total: (name: string, type?: string) => number;
  /** The measured values of a name, for one type or for all, in their order. */
  readonly measured: (name: string, type?: string) => readonly number[];
  readonly lines: () => readonly LogLine[];
}

/** Keeps counts and log lines. */
export function createMemoryTelemetry(): MemoryTelemetry {
  const counts: { name: string; type: string | undefined; n: number }[] = [];
  const values: { name: string; type: string | undefined; value: number }[] = [];
  const lines: LogLine[] = [];
  return {
    count: (name, type, n = 1) => {
      const known = counts.find((count) => count.name === name && count.type === type);
      if (known) known.n += n;
      else counts.push({ name, type, n });
    },
    measure: (name, type, value) => void values.push({ name, type, value }),
    log: (level, message, fields) => {
      lines.push({ level, message, fields: { ...fields } });
    },
    total: (name, type) =>
      counts.filter((count) => count.name === name && (type === undefined || count.type === type)).reduce((sum, count) => sum + count.n, 0),
    measured: (name, type) => values.filter((v) => v.name === name && (type === undefined || v.type === type)).map((v) => v.value),
    lines: () => [...lines],
  };
}
