/** One line (or one write) of a function's output, or a note of the host itself. */
export interface HostLogEntry {
  /** Milliseconds since the epoch. */
  time: number;
  /** `debug` entries are made only when the host was asked for them: one for each call and invocation. */
  level: 'debug' | 'info' | 'warn' | 'error';
  /** The part of the host that speaks: `lambda`, `sqs`, `scheduler`, `deployment`, … */
  source: string;
  message: string;
  functionName?: string;
  requestId?: string;
  /** Set for what a function printed. */
  stream?: 'stdout' | 'stderr';
}

export type LogSink = (entry: Omit<HostLogEntry, 'time'>) => void;

/** A sink that stamps the time and survives a listener that throws. */
export function createLogSink(onLog: ((entry: HostLogEntry) => void) | undefined): LogSink {
  return (entry) => {
    try {
      onLog?.({ time: Date.now(), ...entry });
    } catch {
      // A broken listener must not break an invocation.
    }
  };
}
