import { createHash } from 'node:crypto';
import type { TaskTypeSpec } from '@sluice/contracts';
import { cancelTask } from '../../core/api/cancel-task.ts';
import { retryTask } from '../../core/api/retry-task.ts';
import { dispatch } from '../../core/dispatch/dispatch.ts';
import type { ReceivedHint } from '../../core/ports/hint-queue.ts';
import { settleRecords, type ReceivedRecord } from '../../core/settle/settle-records.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { minuteTick } from '../../core/timers/minute-tick.ts';
import { portsThrough, type PortCall, type Ports } from '../ports.ts';
import { quiet } from '../quiet.ts';
import { TENANT } from './config.ts';

/** What an invocation is started with. Whatever else it learns it learns from the answers to its calls. */
export type Input = { /** Its messages of chance begin with it. */ readonly salt: number } & (
  | { readonly kind: 'submit'; readonly uids: readonly string[]; readonly submissions: readonly unknown[] }
  | { readonly kind: 'dispatch'; readonly received: readonly ReceivedHint[] }
  | { readonly kind: 'settle'; readonly received: readonly (ReceivedRecord & { readonly receipt: string })[] }
  | { readonly kind: 'tick' }
  | { readonly kind: 'cancel'; readonly id: string }
  | { readonly kind: 'retry'; readonly id: string; readonly uids: readonly string[] }
);

export type Answer = { readonly value: unknown } | { readonly error: string };

export interface PendingCall {
  readonly at: string;
  readonly args: readonly unknown[];
}

interface Step {
  readonly call: number;
  readonly answer: Answer;
  /** ms: the time at which it was answered, and so that of all that was done from then on. */
  readonly now: number;
}

/**
 * Where the production code of one invocation stands: what it waits for, after the answers that it has been given. The code
 * is deterministic, for time, chance and all else come by its ports. So its input and the answers say where it is; a place
 * that was reached before is not computed again, and one that was not is reached by running the code anew with the answers.
 */
export interface Continuation {
  readonly number: number;
  readonly input: Input;
  readonly steps: readonly Step[];
  /** Calls that are not answered, by their number. */
  readonly pending: ReadonlyMap<number, PendingCall>;
  /** What it returned, once it has. */
  readonly returned: { readonly value: unknown } | undefined;
  /** Numbers of invocations of whose chance it has heard. */
  readonly salts: ReadonlySet<number>;
}

const SALT = /~(\d+)\./g;

export function saltsIn(text: string): Set<number> {
  return new Set([...text.matchAll(SALT)].map(([, n]) => Number(n)));
}

/** The functions that are explored, with what they know without a call. */
export class Continuations {
  readonly #known = new Map<string, Continuation>();
  readonly #specs: ReadonlyMap<string, TaskTypeSpec>;
  /** Runs of production code: all that this took. */
  runs = 0;

  readonly #hasBreakers: boolean;
  readonly #hasStarts: boolean;

  constructor(types: readonly TaskTypeSpec[], hasBreakers: boolean) {
    this.#hasBreakers = hasBreakers;
    this.#hasStarts = types.some(({ start }) => start === 'auto');
    this.#specs = new Map(types.map((spec) => [spec.type, spec]));
  }

  get size(): number {
    return this.#known.size;
  }

  start(input: Input, now: number): Continuation | Promise<Continuation> {
    return this.#lookUp(`${now}${JSON.stringify(input)}`, input, [{ call: -1, answer: { value: undefined }, now }]);
  }

  next(from: Continuation, call: number, answer: Answer, now: number): Continuation | Promise<Continuation> {
    const step = { call, answer, now };
    return this.#lookUp(`${from.number}|${call}|${now}|${textOf(answer)}`, from.input, [...from.steps, step], from);
  }

  #lookUp(key: string, input: Input, steps: readonly Step[], from?: Continuation): Continuation | Promise<Continuation> {
    return this.#known.get(key) ?? this.#run(key, input, steps, from);
  }

  async #run(key: string, input: Input, steps: readonly Step[], from: Continuation | undefined): Promise<Continuation> {
    this.runs += 1;
    const calls: (PendingCall & { resolve: (value: unknown) => void; reject: (error: Error) => void })[] = [];
    const unanswered = new Set<number>();
    let now = 0;
    const onCall = ({ at, args, apply }: PortCall): Promise<unknown> => {
      if (AT_ONCE.has(at)) return apply();
      return new Promise((resolve, reject) => {
        unanswered.add(calls.length);
        calls.push({ at, args, resolve, reject });
      });
    };
    let returned: Continuation['returned'];
    const ports = portsThrough(
      this.#ports(input, () => now),
      onCall,
    );
    for (const { call, answer, now: at } of steps) {
      now = at;
      if (call === -1) {
        void callFunction(ports, input, now).then(
          (value) => (returned = { value }),
          (error: unknown) => (returned = { value: { error: String(error) } }),
        );
      } else {
        unanswered.delete(call);
        if ('error' in answer) calls[call]?.reject(new Error(answer.error));
        else calls[call]?.resolve(answer.value);
      }
      await quiet();
    }
    const pending = new Map([...unanswered].flatMap((n) => (calls[n] ? [[n, { at: calls[n].at, args: calls[n].args }] as const] : [])));
    const last = steps.at(-1);
    const heard = last && 'value' in last.answer ? saltsIn(textOf(last.answer)) : [];
    const salts = new Set([...(from?.salts ?? [...saltsIn(JSON.stringify(input)), input.salt]), ...heard]);
    const found: Continuation = { number: this.#known.size, input, steps, pending, returned, salts };
    this.#known.set(key, found);
    return found;
  }

  #ports(input: Input, now: () => number): Ports {
    let names = 0;
    let uids = 'uids' in input ? [...input.uids] : [];
    const never = (what: string) => async (): Promise<never> => {
      throw new Error(`${what} is not explored`);
    };
    const call = async (): Promise<undefined> => undefined;
    return {
      clock: { now },
      // No jitter: the least delay. Names are told apart by the invocation.
      random: {
        fraction: () => 0,
        nonce: () => `~${input.salt}.${++names}`,
        ulid: () => {
          const [uid, ...rest] = uids;
          uids = rest;
          return uid ?? `~${input.salt}.${++names}`;
        },
      },
      hasher: { sha256: (text) => createHash('sha256').update(text).digest('base64url') },
      telemetry: { count: () => {}, measure: () => {}, log: () => {} },
      types: { get: async (type) => this.#specs.get(type), names: async () => [...this.#specs.keys()] },
      timer: { sleep: call },
      routing: { shards: 1, shardsPerTenant: 1 },
      attemptsUrl: 'https://sluice.invalid/attempt',
      queue: { send: never('send'), giveBack: call },
      dead: { receive: async () => [], remove: call },
      buckets: { shards: 1, put: call, read: never('read') as never, cursor: call, advance: never('advance') },
      permits: {
        acquire: never('acquire'),
        release: never('release'),
        read: never('read'),
        raise: never('raise'),
        clear: call,
        // Lanes that find their limit, have rates or share a capacity are not explored.
        preempt: never('preempt'),
        adapt: never('adapt'),
        setShare: never('setShare'),
        setRates: never('setRates'),
        spend: never('spend'),
        count: never('count'),
        lineUp: never('lineUp'),
        called: never('called'),
        wake: never('wake'),
      },
      ...(this.#hasStarts && {
        starts: {
          known: call,
          all: never('all'),
          write: never('write'),
          remove: never('remove'),
          add: never('add'),
          counted: never('counted'),
        },
      }),
      ...(this.#hasBreakers && {
        breakers: { known: call, notClosed: never('notClosed'), read: call, write: never('write') },
      }),
      backlog: {
        put: call,
        first: never('first'),
        remove: call,
        has: never('has'),
        measure: async () => ({ count: 0, more: false, oldestAt: undefined }),
        register: call,
        lanes: never('lanes'),
        unregister: call,
      },
      tasks: {
        get: call,
        insert: never('insert'),
        replace: never('replace'),
        update: never('update'),
        archive: call,
        putAttempt: call,
        keepAttempts: never('keepAttempts'),
        attempts: never('attempts'),
        scan: never('scan'),
      },
      list: { newest: never('newest'), rows: never('rows') },
      values: { put: never('put'), keep: never('keep'), get: never('get'), url: never('url') },
      events: { publish: call },
      starter: { start: never('start') },
      // What these are for is not explored: no schedule, no notification, no redrive is in these worlds.
      schedules: {
        shards: 1,
        get: never('get'),
        put: never('put'),
        remove: never('remove'),
        list: never('list'),
        count: never('count'),
        note: never('note'),
        noted: async () => [],
        forget: never('forget'),
      },
      webhookSecrets: { get: never('get'), put: never('put') },
      notifyRules: { queues: {}, ports: [], hosts: [] },
      deadTasks: { days: never('days'), newest: never('newest'), rows: never('rows') },
      redrives: { get: never('get'), insert: never('insert'), replace: never('replace'), list: never('list') },
    };
  }
}

/** Calls that are no steps: what they answer never changes, or nobody looks at it. */
const AT_ONCE: ReadonlySet<string> = new Set([
  'types.get',
  'types.names',
  'timer.sleep',
  'backlog.measure',
  'dead.receive',
  'schedules.noted',
]);

/** ms that an invocation of each function may take. */
export const TIMEOUTS = { submit: 100_000, dispatch: 180_000, settle: 60_000, tick: 300_000, cancel: 100_000, retry: 100_000 };

async function callFunction(ports: Ports, input: Input, now: number): Promise<unknown> {
  switch (input.kind) {
    case 'submit':
      return (await submitTasks(ports, TENANT, input.submissions)).flatMap((result) => (result.ok ? [result.task.uid] : []));
    case 'dispatch':
      return dispatch(ports, input.received, { noted: new Map(), deadline: now + TIMEOUTS.dispatch });
    case 'settle':
      return settleRecords(ports, input.received);
    case 'tick':
      return minuteTick(ports, now + TIMEOUTS.tick - 15_000);
    case 'cancel':
      return (await cancelTask(ports, TENANT, input.id)).state;
    case 'retry':
      return [(await retryTask(ports, TENANT, input.id)).uid];
  }
}

const texts = new WeakMap<object, string>();

/** The JSON of a value that never changes. */
export function textOf(value: object): string {
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value, (_, v: unknown) => (v === undefined ? null : v));
  texts.set(value, text);
  return text;
}
