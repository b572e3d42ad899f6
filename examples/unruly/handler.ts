import type { Envelope } from '@sluice/contracts';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every way to behave, the good one first. */
export const BEHAVIOURS = [
  'ok',
  'slow',
  'throw-once',
  'throw',
  'throw-string',
  'fatal',
  'throttle-once',
  'exit',
  'exit-unless',
  'hang',
  'oom',
  'huge',
  'circular',
  'chatty',
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

interface Payload {
  readonly do: Behaviour;
  /** Milliseconds that `slow` takes. @default 1000 */
  readonly ms?: number;
  /** What `exit-unless` asks: it lives only where this answers with a status of success. */
  readonly url?: string;
  /** Comes back with the result. */
  readonly key?: string;
}

/** Bytes that `huge` returns, above Lambda's 6 MB, and that `chatty` prints. */
const HUGE_BYTES = 7 * 1_048_576;
const CHATTY_BYTES = 100 * 1_048_576;

/** `oom` gives up at this multiple of the function's memory: a host without a limit shall live. */
const OOM_FACTOR = 3;

/**
 * A handler that misbehaves as it is told, for demonstrations and tests. It is a plain Lambda function without the
 * kit, so its errors go to Sluice as Lambda reports them. What it does only once it decides from its envelope: an
 * environment's memory says nothing about a task.
 */
export async function handler({ payload, sluice }: Envelope): Promise<unknown> {
  const { do: behaviour, ms = 1_000, url = '', key } = (payload ?? {}) as Payload;
  const first = sluice.attempt === 1;
  switch (behaviour) {
    case 'ok':
      break;
    case 'slow':
      await sleep(ms);
      break;
    case 'throw-once':
      if (first) throw new Error('the first attempt fails');
      break;
    case 'throw':
      throw new Error('every attempt fails');
    case 'throw-string':
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the misbehaviour that is asked for
      throw 'not an error, a string';
    case 'fatal':
      throw named('FatalError', 'no attempt can succeed');
    case 'throttle-once':
      if (!sluice.throttled) throw named('ThrottledError', 'slow down');
      break;
    case 'exit':
      return process.exit(1);
    case 'exit-unless':
      if (!(await isWell(url))) return process.exit(1);
      break;
    case 'hang':
      await hang();
      break;
    case 'oom':
      fillMemory();
      break;
    case 'huge':
      return 'x'.repeat(HUGE_BYTES);
    case 'circular':
      return circular();
    case 'chatty':
      print(CHATTY_BYTES);
      break;
    default:
      throw named('FatalError', `do must be one of ${BEHAVIOURS.join(', ')}; it is ${String(behaviour satisfies never)}`);
  }
  const { attempt, fence } = sluice;
  return { did: behaviour, attempt, fence, ...(key !== undefined && { key }) };
}

async function isWell(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

/** Never resolves. The timer keeps the process alive: Node ends one that waits for nothing. */
function hang(): Promise<never> {
  return new Promise(() => setInterval(() => undefined, 60_000));
}

function circular(): unknown {
  const ring: Record<string, unknown> = {};
  return Object.assign(ring, { ring });
}

function print(bytes: number): void {
  const line = 'x'.repeat(65_535);
  for (let n = 0; n < bytes; n += line.length + 1) console.log(line);
}

/** On the JavaScript heap, not in buffers: a heap limit does not see those. */
function fillMemory(): never {
  const limitMb = Number(process.env['AWS_LAMBDA_FUNCTION_MEMORY_SIZE'] ?? 128) * OOM_FACTOR;
  const hoard: number[][] = [];
  while (hoard.length < limitMb) hoard.push(new Array<number>(131_072).fill(hoard.length + 0.5));
  throw new Error(`${limitMb} MB were taken and nobody minded`);
}
