import { breakerKey, type Breaker, type TaskTypeSpec } from '@sluice/contracts';
import { newBreaker } from '../../core/breakers/decide.ts';
import { FAULT_KINDS, type ClientCall, type ExploreConfig } from './config.ts';
import { T0 } from './world.ts';

function type(name: string, over: Partial<TaskTypeSpec> = {}): TaskTypeSpec {
  return {
    v: 1,
    type: name,
    handler: { kind: 'lambda', arn: `arn:aws:lambda:us-east-1:000000000000:function:${name}:sluice` },
    start: 'event',
    timeoutSeconds: 10,
    concurrency: 1,
    // What is counted of attempts would make a new world of each.
    adaptive: false,
    retry: { maxAttempts: 2, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 },
    dedupWindowSeconds: 86_400,
    ...over,
  };
}

const ONCE = { maxAttempts: 1, minDelaySeconds: 1, maxDelaySeconds: 1, factor: 1 };
/** Far enough for a bucket. */
const FAR = { maxAttempts: 2, minDelaySeconds: 1_200, maxDelaySeconds: 1_200, factor: 1 };
/** It let nothing pass for a while, and lets the first probe pass soon. */
const OPEN: Breaker = {
  ...newBreaker(breakerKey('w'), T0 - 30_000),
  seq: 1,
  state: 'open',
  opening: 1,
  openedAt: T0 - 30_000,
  pauseMs: 45_000,
  probeAt: T0 + 15_000,
};
const submit = (id: string, of: string, more: Partial<{ delaySeconds: number; expiresSeconds: number }> = {}): ClientCall => ({
  call: 'submit',
  tasks: [{ id, type: of, ...more }],
});

const WAIT = { start: 'wait' } as const;
const event = [type('e')];
const wait = [type('w', WAIT)];
const BASE = { workers: 2, faults: 1, kinds: FAULT_KINDS, throttles: 0, endings: ['ok', 'err'] } as const;
const t = [[submit('t', 'e')]];
const w = [[submit('t', 'w')]];

/** The row of a submission is written when its hint has been dropped for want of it. */
const LATE_ROW = [
  ...['client 1 submits', 'queue.send', 'is SLOW', 'dispatch receives', 'permits.acquire'],
  ...['tasks.update', 'tasks.update', 'tasks.update', 'tasks.update', 'tasks.get', 'permits.release', 'queue.giveBack'],
  ...[
    's pass',
    'dispatch receives',
    'tasks.get',
    'queue.giveBack',
    's pass',
    'dispatch receives',
    'tasks.get',
    'queue.remove',
    'tasks.insert',
  ],
];

/** `u` waits in the backlog for `t`, is drained and fails, and its item is about to go. */
const DRAINED = [
  ...['client 1 submits', 'queue.send', 'tasks.insert', 'dispatch receives', 'permits.acquire', 'tasks.update', 'starter.start'],
  ...['client 2 submits', 'queue.send', 'tasks.insert', 'dispatch receives', 'permits.acquire'],
  ...['backlog.register', 'backlog.put', 'permits.raise', 'queue.remove'],
  ...[
    'the handler of t (fence 1) ends: ok',
    'tasks.update',
    'permits.release',
    'permits.read',
    'backlog.first',
    'permits.acquire',
    'queue.send',
    'tasks.update',
    'starter.start',
    'permits.read',
    'the handler of u (fence 1) ends: err',
    'tasks.putAttempt',
    'queue.send',
    'tasks.update',
    'permits.release',
    'is SLOW before backlog.remove',
  ],
];

/** The questions. Those of docs/spec/*.cfg are among them; each kind of fault is asked for in several. */
export const CONFIGS: readonly ExploreConfig[] = [
  { ...BASE, name: 'event', what: 'one task by event, no fault', types: event, clients: t, faults: 0, workers: 3 },
  { ...BASE, name: 'event-crash', what: 'crashes', types: event, clients: t, kinds: ['crash'] },
  {
    ...BASE,
    name: 'event-once',
    what: 'crashes and repeats, one attempt',
    types: [type('e', { retry: ONCE })],
    clients: t,
    kinds: ['crash', 'again'],
  },
  { ...BASE, name: 'event-slow', what: 'somebody takes long', types: event, clients: t, kinds: ['slow', 'late'], endings: ['err'] },
  {
    ...BASE,
    name: 'event-calls',
    what: 'calls that fail or whose answers are lost',
    types: event,
    clients: t,
    kinds: ['fail', 'ambiguous'],
  },
  { ...BASE, name: 'event-twice', what: 'an event runs twice', types: event, clients: t, kinds: ['twice'] },
  {
    ...BASE,
    name: 'event-again',
    what: 'messages come again, room for two',
    types: [type('e', { concurrency: 2 })],
    clients: t,
    kinds: ['again'],
  },
  {
    ...BASE,
    name: 'event-lost',
    what: 'nothing is heard of a run',
    types: event,
    clients: t,
    kinds: ['vanish'],
    endings: ['ok'],
    chains: true,
  },
  {
    ...BASE,
    name: 'wide-slow',
    what: 'somebody takes long, room for two',
    types: [type('e', { concurrency: 2 })],
    clients: t,
    kinds: ['slow'],
    endings: ['err'],
  },
  {
    ...BASE,
    name: 'long',
    what: 'a handler that may run for minutes',
    types: [type('e', { timeoutSeconds: 300 })],
    clients: t,
    kinds: ['crash'],
    endings: ['ok'],
  },
  {
    ...BASE,
    name: 'wait',
    what: 'one task by wait, crashes and repeats',
    types: wait,
    clients: w,
    kinds: ['crash', 'again', 'vanish'],
    workers: 3,
  },
  { ...BASE, name: 'wait-once', what: 'one attempt', types: [type('w', { ...WAIT, retry: ONCE })], clients: w, kinds: ['crash', 'again'] },
  { ...BASE, name: 'wait-wide', what: 'room for two', types: [type('w', { ...WAIT, concurrency: 2 })], clients: w, kinds: ['crash'] },
  { ...BASE, name: 'wait-slow', what: 'somebody takes long', types: wait, clients: w, kinds: ['slow', 'late'] },
  { ...BASE, name: 'wait-calls', what: 'calls that fail or whose answers are lost', types: wait, clients: w, kinds: ['fail', 'ambiguous'] },
  {
    ...BASE,
    name: 'throttle',
    what: '429s and throttled outcomes by event',
    types: event,
    clients: t,
    kinds: ['crash'],
    throttles: 1,
    endings: ['ok'],
  },
  {
    ...BASE,
    name: 'throttle-wait',
    what: '429s and throttled outcomes by wait',
    types: wait,
    clients: w,
    kinds: ['crash'],
    throttles: 2,
    endings: ['ok'],
  },
  {
    ...BASE,
    name: 'lanes',
    what: 'two tasks in a lane of one',
    types: event,
    clients: [[submit('t', 'e')], [submit('u', 'e')]],
    faults: 0,
    endings: ['ok'],
  },
  {
    ...BASE,
    name: 'lanes-wait',
    what: 'two tasks in a lane of one, by wait',
    types: wait,
    clients: [[submit('t', 'w')], [submit('u', 'w')]],
    kinds: ['crash'],
    endings: ['ok'],
    states: 60_000,
  },
  {
    ...BASE,
    name: 'free',
    what: 'a failed id is submitted again',
    types: [type('w', { ...WAIT, retry: ONCE })],
    clients: [[submit('t', 'w'), { ...submit('t', 'w'), once: 'ended' }]],
    kinds: ['crash'],
    endings: ['err'],
  },
  {
    ...BASE,
    name: 'repeat',
    what: 'a submission takes long and is repeated, one more fault',
    types: wait,
    clients: [[submit('t', 'w'), submit('t', 'w')]],
    kinds: ['crash', 'slow'],
    faults: 2,
    endings: ['ok'],
    script: LATE_ROW,
    states: 60_000,
  },
  {
    ...BASE,
    name: 'cancel',
    what: 'cancelled at any time',
    types: wait,
    clients: [w[0] ?? [], [{ call: 'cancel', id: 't', once: 'accepted' }]],
    kinds: ['crash'],
  },
  {
    ...BASE,
    name: 'ask',
    what: 'a running task is asked to stop',
    types: event,
    clients: [t[0] ?? [], [{ call: 'cancel', id: 't', once: 'accepted' }]],
    kinds: ['vanish'],
    endings: ['ok'],
    states: 60_000,
  },
  {
    ...BASE,
    name: 'expire',
    what: 'what has not started in time expires',
    types: wait,
    clients: [[submit('t', 'w', { expiresSeconds: 100 })]],
    kinds: ['crash'],
  },
  {
    ...BASE,
    name: 'retry',
    what: 'a task that has failed is retried',
    types: [type('w', { ...WAIT, retry: ONCE })],
    clients: [[submit('t', 'w'), { call: 'retry', id: 't', once: 'ended' }]],
    kinds: ['crash'],
  },
  {
    ...BASE,
    name: 'budget',
    what: 'two retries, a budget of one a minute',
    types: [type('w', { ...WAIT, concurrency: 2, retryBudget: { percent: 0, perMinute: 1 } })],
    clients: [[submit('t', 'w')], [submit('u', 'w')]],
    workers: 1,
    faults: 0,
    endings: ['err'],
  },
  {
    ...BASE,
    name: 'breaker',
    what: 'two tasks behind a breaker that is open',
    types: [type('w', { ...WAIT, concurrency: 2 })],
    clients: [[submit('t', 'w')], [submit('u', 'w')]],
    workers: 1,
    faults: 0,
    endings: ['ok'],
    crashes: 1,
    breaker: OPEN,
  },
  { ...BASE, name: 'far', what: 'a retry waits in a bucket', types: [type('w', { ...WAIT, retry: FAR })], clients: w, kinds: ['crash'] },
  {
    ...BASE,
    name: 'far-slow',
    what: 'a put into a bucket takes longer than its margin',
    types: [type('w', { ...WAIT, retry: FAR })],
    clients: w,
    kinds: ['slow'],
    endings: ['err'],
    endless: true,
  },
  {
    ...BASE,
    name: 'drain-slow',
    what: 'somebody who has drained a backlog takes long before the item goes',
    types: wait,
    clients: [[submit('t', 'w')], [submit('u', 'w')], [submit('v', 'w')]],
    workers: 3,
    kinds: ['slow'],
    endings: ['err', 'ok'],
    script: DRAINED,
    states: 20_000,
  },
  {
    ...BASE,
    name: 'crowd',
    what: 'four tasks in a lane of one, by chance',
    types: wait,
    clients: [[submit('t', 'w')], [submit('u', 'w')], [submit('v', 'w')], [submit('x', 'w')]],
    workers: 3,
    faults: 0,
    walks: 4_000,
  },
];
