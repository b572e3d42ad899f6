import { styleText } from 'node:util';
import type { HostLogEntry } from '../../local/host.ts';

export interface LogFormatOptions {
  /** Whether calls, runs of functions, and what the platform's functions say below a warning are shown too. */
  readonly verbose: boolean;
  readonly colour: boolean;
  /** Whether a function is the platform's own, and no handler of tasks. */
  readonly isPlatform: (functionName: string) => boolean;
  /** What people know a function by. */
  readonly titleOf: (functionName: string) => string;
}

/** Turns an entry of the host's log into the lines that are shown of it. */
export type LogFormat = (entry: HostLogEntry) => string[];

type Style = Parameters<typeof styleText>[0];
type Fields = Readonly<Record<string, unknown>>;

/** The colour of each step; one that is not named has none. */
const STEP_STYLES: Readonly<Record<string, Style>> = {
  accepted: 'cyan',
  started: 'blue',
  succeeded: 'green',
  'late success': 'green',
  parked: 'yellow',
  retrying: 'yellow',
  throttled: 'yellow',
  undone: 'yellow',
  lost: 'yellow',
  cancelling: 'magenta',
  cancelled: 'magenta',
  failed: 'red',
  expired: 'red',
  refused: 'red',
  deduplicated: 'dim',
};
const LEVEL_STYLES: Readonly<Record<string, Style>> = { warn: 'yellow', error: 'red', debug: 'dim' };

/** Columns of a task's line: tenant, type, id, step. They grow with what comes, up to their most, and never shrink. */
const FIRST_WIDTHS = [8, 10, 12, 8];
const MOST_WIDTHS = [16, 20, 36, 12];

/** What a line of JSON says beside the message that is not worth a column; some are the line's own identity. */
const COMMON_FIELDS = new Set([
  'level',
  'message',
  'time',
  'timestamp',
  'service',
  'sampling_rate',
  'xray_trace_id',
  'cold_start',
  'function_arn',
  'function_memory_size',
  'function_name',
  'function_request_id',
  'tenant_id',
]);
const TASK_FIELDS = new Set([...COMMON_FIELDS, 'step', 'tenant', 'task', 'type', 'uid', 'fence', 'attempt', 'mode']);

/** A frame of the host, not of a function. */
const RUNTIME_FRAME = /local\/lambda\/node-runtime\.mjs|python_runtime\.py/;

/** Lines of a stack that are shown. */
const STACK_LINES = 12;

export function createLogFormat(options: LogFormatOptions): LogFormat {
  const widths = [...FIRST_WIDTHS];
  const paint = (style: Style | undefined, text: string): string =>
    options.colour && style !== undefined && text !== '' ? styleText(style, text, { validateStream: false }) : text;
  const timed = (at: number, rest: string): string => `${paint('dim', timeOf(at))} ${rest}`;

  const taskLine = (at: number, fields: Fields, word: string, style: Style | undefined, details: string): string => {
    const cells = [fields['tenant'], fields['type'], fields['task'], word].map(textOf);
    const padded = cells.map((cell, n) => {
      widths[n] = Math.min(Math.max(widths[n] ?? 0, cell.length), MOST_WIDTHS[n] ?? 0);
      return cell.padEnd(widths[n] ?? 0);
    });
    padded[3] = paint(style, padded[3] ?? '');
    return timed(at, `${padded.join(' ')} ${details}`.trimEnd());
  };

  const noteLine = (at: number, level: string, from: string, details: string): string =>
    timed(at, `${paint(LEVEL_STYLES[level], level.padEnd(5))} ${paint('dim', from)} ${details}`);

  /** What a function printed as one object of JSON. */
  const ofFields = ({ time, functionName = '' }: HostLogEntry, fields: Fields): string[] => {
    // Embedded metrics are for CloudWatch.
    if ('_aws' in fields) return [];
    const level = textOf(fields['level']).toLowerCase();
    const message = textOf(fields['message']);
    const isPlatform = options.isPlatform(functionName);
    if (isPlatform && message === 'task' && typeof fields['step'] === 'string') {
      const step = fields['step'];
      return [taskLine(time, fields, step, STEP_STYLES[step], detailsOf(step, fields, time))];
    }
    if (isPlatform && !options.verbose && !isProblem(level)) return [];
    const isOfTask = !isPlatform && typeof fields['tenant'] === 'string' && typeof fields['task'] === 'string';
    const { text, stack } = restOf(fields, isOfTask ? TASK_FIELDS : COMMON_FIELDS);
    const details = [message, text].filter((part) => part !== '').join(' ');
    const line = isOfTask
      ? taskLine(time, fields, level, LEVEL_STYLES[level], details)
      : noteLine(time, level === '' ? 'info' : level, options.titleOf(functionName), details);
    return [line, ...stack];
  };

  const ofOutput = (entry: HostLogEntry): string[] => {
    const { time, functionName = '', stream, message } = entry;
    return message.split('\n').flatMap((line) => {
      const fields = line.startsWith('{') ? fieldsOf(line) : undefined;
      if (fields !== undefined) return ofFields(entry, fields);
      if (line.trim() === '') return [];
      // Plain text of the platform is Node.js's own, such as a warning about a deprecated call.
      if (options.isPlatform(functionName) && !options.verbose && stream !== 'stderr') return [];
      return [noteLine(time, 'info', options.titleOf(functionName), printable(line, options.colour))];
    });
  };

  return (entry) => {
    const { time, level, source, functionName, stream, message } = entry;
    if (level === 'debug' && !options.verbose) return [];
    if (stream !== undefined) return ofOutput(entry);
    const from = functionName === undefined ? source : options.titleOf(functionName);
    if (source === 'inspector') return [noteLine(time, 'info', from, `inspector at ${message}`)];
    const failure = source === 'lambda' && level === 'error' ? fieldsOf(message) : undefined;
    if (failure === undefined) return [noteLine(time, level, from, printable(message, false))];
    const { text, stack } = failureOf(failure);
    return [noteLine(time, level, from, text), ...stack];
  };
}

/** What a step says beside which task it is of. */
function detailsOf(step: string, fields: Fields, now: number): string {
  const { text } = restOf(fields, new Set([...TASK_FIELDS, 'again', 'error', 'reason', 'code', 'notBefore']));
  const { attempt, fence, again, error, reason, code, notBefore } = fields;
  const run = [
    ...(attempt === undefined ? [] : [`attempt ${textOf(attempt)}`]),
    ...(step === 'started' && fence !== undefined ? [`(fence ${textOf(fence)})`] : []),
  ].join(' ');
  const when = typeof again === 'string' ? `again ${inTime(Date.parse(again) - now)}` : '';
  const after = typeof notBefore === 'number' ? `due ${inTime(notBefore - now)}` : '';
  const why = [code, reason, error].filter((part) => part !== undefined).map(textOf);
  return [run, when, after, why.join(': '), text].filter((part) => part !== '').join(', ');
}

/** What an entry says of something that went wrong, in one line; undefined for any other entry. */
export function problemOf({ level, source, stream, message }: HostLogEntry): string | undefined {
  if (stream === undefined) {
    if (level !== 'warn' && level !== 'error') return undefined;
    const failure = source === 'lambda' ? fieldsOf(message) : undefined;
    return failure === undefined ? printable(message, false) : failureOf(failure).text;
  }
  const fields = message
    .split('\n')
    .map(fieldsOf)
    .find((each) => each !== undefined && isProblem(textOf(each['level'])));
  if (fields === undefined) return undefined;
  return [textOf(fields['message']), restOf(fields, COMMON_FIELDS).text].join(' ').trimEnd();
}

function isProblem(level: string): boolean {
  return /^(warn|error|critical|fatal)/i.test(level);
}

/** The fields of a line that are not known, and the stack of an error among them. */
function restOf(fields: Fields, known: ReadonlySet<string>): { text: string; stack: string[] } {
  const texts: string[] = [];
  let stack: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (known.has(name) || value === undefined || value === null || value === '') continue;
    if (isObject(value) && typeof value['stack'] === 'string') {
      texts.push(`${name}=${quoted(`${textOf(value['name'])}: ${textOf(value['message'])}`)}`);
      stack = stackOf(value['stack'].split('\n').slice(1));
    } else {
      texts.push(`${name}=${quoted(textOf(value))}`);
    }
  }
  return { text: texts.join(' '), stack };
}

/** What Lambda answers for a function that failed. */
function failureOf(failure: Fields): { text: string; stack: string[] } {
  const { errorType, errorMessage, trace, stackTrace } = failure;
  const [message = '', ...rest] = typeof errorMessage === 'string' ? errorMessage.split('\n') : [];
  const frames = [trace, stackTrace].flatMap((lines) => (Array.isArray(lines) ? lines.map(String) : []));
  // The first lines of a trace repeat the message.
  const first = frames.findIndex((line) => /^\s*(at |File )/.test(line));
  const shown = first < 0 ? [] : frames.slice(first).flatMap((line) => line.split('\n'));
  // Below the handler there is only what runs it.
  const end = shown.findIndex((line) => RUNTIME_FRAME.test(line));
  return {
    text: [errorType, message].map((part) => textOf(part)).join(': '),
    stack: stackOf([...rest, ...shown.slice(0, end < 0 ? undefined : end)]),
  };
}

function stackOf(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.trim() !== '')
    .slice(0, STACK_LINES)
    .map((line) => `    ${printable(line.trim(), false)}`);
}

function fieldsOf(line: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As text of one line that cannot command the terminal: ids, labels and errors are written by tenants. */
function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return printable(typeof value === 'string' ? value : JSON.stringify(value), false);
}

const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g;
/** Escapes that only set a colour. */
const COLOURS = /(\u001b\[[\d;]*m)/;

/** Control characters are written out; a handler's own colours may stay. */
function printable(text: string, colours: boolean): string {
  const plain = (part: string): string => part.replace(CONTROLS, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  if (!colours) return plain(text);
  return text
    .split(COLOURS)
    .map((part, n) => (n % 2 === 1 ? part : plain(part)))
    .join('');
}

function quoted(text: string): string {
  return /[\s"]/.test(text) ? JSON.stringify(text) : text;
}

function inTime(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 120) return `in ${seconds.toFixed(1)} s`;
  return seconds < 7200 ? `in ${Math.round(seconds / 60)} min` : `in ${(seconds / 3600).toFixed(1)} h`;
}

/** The time of day here, with milliseconds. */
function timeOf(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
