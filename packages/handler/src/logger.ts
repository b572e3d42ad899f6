import { cutTo } from './text.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Writes one JSON object a line, with the task's identity on each. Never throws. */
export interface TaskLog {
  /** @param fields joined to the line; an `Error` among them is told with name, message and stack */
  debug(this: void, message: string, fields?: Record<string, unknown>): void;
  info(this: void, message: string, fields?: Record<string, unknown>): void;
  warn(this: void, message: string, fields?: Record<string, unknown>): void;
  error(this: void, message: string, fields?: Record<string, unknown>): void;
}

/** Bytes of one line: CloudWatch Logs cuts events of more than 256 KB on some paths, so a longer one loses its fields. */
const MAX_LINE_BYTES = 200_000;
const MAX_MESSAGE_BYTES = 16_384;

export interface TaskLogOptions {
  /** Joined to every line, after its own fields: a line cannot pretend to be of another task. */
  readonly identity: Readonly<Record<string, unknown>>;
  /** @default - the environment variable SLUICE_LOG_LEVEL, else `info` */
  readonly level?: LogLevel;
  /** Takes a line without its line end. @default - standard output */
  readonly write?: (line: string) => void;
  /** @default Date.now */
  readonly now?: () => number;
}

/**
 * A logger of its own rather than Powertools': the kit is in every handler's bundle and needs no more than this.
 * It writes to standard output directly, as `console` in Lambda puts words before the JSON.
 */
export function createTaskLog(options: TaskLogOptions): TaskLog {
  const { identity, write = (line) => void process.stdout.write(`${line}\n`), now = Date.now } = options;
  const least = LOG_LEVELS.indexOf(options.level ?? levelFromEnvironment());
  const at = (level: LogLevel) => (message: string, fields?: Record<string, unknown>) => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const head = { level, time: new Date(now()).toISOString(), message: cutTo(message, MAX_MESSAGE_BYTES) };
    write(lineOf(head, fields, identity));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function levelFromEnvironment(): LogLevel {
  const wanted = process.env['SLUICE_LOG_LEVEL']?.toLowerCase();
  return LOG_LEVELS.find((level) => level === wanted) ?? 'info';
}

function lineOf(head: object, fields: Record<string, unknown> | undefined, identity: object): string {
  if (fields) {
    try {
      const line = JSON.stringify({ ...fields, ...head, ...identity }, plain());
      if (Buffer.byteLength(line) <= MAX_LINE_BYTES) return line;
      return JSON.stringify({ ...head, fieldsLost: 'too large', ...identity });
    } catch (error) {
      return JSON.stringify({ ...head, fieldsLost: String(error), ...identity });
    }
  }
  return JSON.stringify({ ...head, ...identity });
}

/** A replacer for what JSON does not know: errors, BigInts, and an object inside itself. */
function plain(): (this: unknown, key: string, value: unknown) => unknown {
  // The way from the root to the value: each object as it was met, and as it was written (an error becomes a copy).
  const way: { readonly met: object; readonly written: object }[] = [];
  return function (_key, value) {
    if (typeof value === 'bigint') return value.toString();
    if (typeof value !== 'object' || value === null) return value;
    // `this` holds the value: what comes after it on the way are branches that are done.
    while (way.length > 0 && way.at(-1)?.written !== this) way.pop();
    if (way.some(({ met }) => met === value)) return '[circular]';
    const written =
      value instanceof Error ? { ...value, name: value.name, message: value.message, stack: value.stack, cause: value.cause } : value;
    way.push({ met: value, written });
    return written;
  };
}
