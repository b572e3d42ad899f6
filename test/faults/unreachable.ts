import { nameOf, type CallSite } from './sites/scan.ts';

/** Call sites that the scan finds and that no run can come to, with the reason. One that is seen after all fails the tests. */
interface Unreachable {
  readonly why: string;
  readonly fns: readonly string[];
  readonly ports: readonly string[];
  readonly command: string;
}

const RELEASES = ['releaseInCell', 'releasePermits'].map((caller) => `core/permits/release ${caller} permits.release`);
const READ_CELL = 'adapters/aws/permit-cell read GetCommand';
const UPDATE_CELL = 'adapters/aws/permit-cell update UpdateCommand';
const WAIT = 'core/api/wait-for-task';
const ENTRY = 'core/permits/entry';

const INSERT = 'core/submit/put-row putRow tasks.insert';
const PUT_ROW = 'core/submit/put-row putRow tasks.replace';
const DELIVERY = 'core/notify/submit-deliveries insert tasks.insert';
const READ_VALUE = 'core/tasks/values readValue values.get';
const NOTE = 'adapters/aws/dead-days createNoteFailure PutCommand';
const TASK_GET = 'adapters/aws/task-store get GetCommand';

const UNREACHABLE: readonly Unreachable[] = [
  {
    why: 'permits are given back one or more at a time: the read is for a caller that gives back none',
    fns: ['submit', 'api', 'dispatch', 'settle', 'system'],
    ports: RELEASES,
    command: READ_CELL,
  },
  {
    why: 'the same',
    fns: ['api'],
    ports: ['waitForTask permits.release', ...['', ' #2', ' #3'].map((n) => `takePlace permits.release${n}`)].map(
      (call) => `${WAIT} ${call}`,
    ),
    command: READ_CELL,
  },
  {
    why: 'the same',
    fns: ['dispatch'],
    ports: [
      'core/permits/acquire acquireInCell permits.release',
      'core/permits/acquire spendRates permits.release',
      `${ENTRY} enterCell permits.release`,
      `${ENTRY} enterCell permits.release #2`,
      `${ENTRY} overBudget permits.release`,
    ],
    command: READ_CELL,
  },
  {
    why: 'nobody asks for more permits than a cell may hold, and a condition of a full cell is lost to an item, which comes with the answer',
    fns: ['api'],
    ports: [`${WAIT} acquire permits.acquire`],
    command: READ_CELL,
  },
  {
    why: 'the same',
    fns: ['dispatch'],
    ports: ['core/permits/acquire acquireInCell permits.acquire', `${ENTRY} enterCell permits.acquire`],
    command: READ_CELL,
  },
  {
    why: 'cells are never deleted: a change that is refused has found one, which comes with the answer',
    fns: ['control'],
    ports: [
      ...['#free', '#write'].map((caller) => `core/control/divide-capacities ${caller} permits.setShare`),
      'core/control/rates/divide-rates write permits.setRates',
    ],
    command: READ_CELL,
  },
  {
    why: 'the same',
    fns: ['dispatch', 'settle'],
    ports: ['core/permits/tune tuneCell permits.adapt'],
    command: READ_CELL,
  },
  {
    why: 'the same',
    fns: ['dispatch'],
    ports: ['core/permits/acquire spendRates permits.spend', `${ENTRY} overBudget permits.count`, `${ENTRY} lineUp permits.lineUp`],
    command: READ_CELL,
  },
  {
    why: 'a checkpoint is always an item',
    fns: ['dispatch', 'settle'],
    ports: ['core/tasks/checkpoint storeCheckpoint values.put'],
    command: 'adapters/aws/value-store putObject PutObjectCommand',
  },
  {
    why: 'the same',
    fns: ['dispatch'],
    ports: ['core/tasks/checkpoint readCheckpoint values.get'],
    command: 'adapters/aws/value-store readObject GetObjectCommand',
  },
  {
    why: 'an insert is refused because a row is there, and the row comes with the answer',
    fns: ['submit', 'api', 'system', 'timers'],
    ports: [INSERT],
    command: TASK_GET,
  },
  {
    why: 'the same',
    fns: ['submit', 'api', 'dispatch', 'settle', 'system'],
    ports: [DELIVERY],
    command: TASK_GET,
  },
  {
    why: 'a row that is written there waits, runs, is cancelled, expires or was dead before: its day of failures is noted where it fails',
    fns: ['submit', 'api', 'system'],
    ports: [INSERT, PUT_ROW, DELIVERY],
    command: NOTE,
  },
  { why: 'the same', fns: ['dispatch', 'settle'], ports: [DELIVERY], command: NOTE },
  { why: 'the same', fns: ['api', 'system'], ports: ['core/api/cancel-task cancelTask tasks.update'], command: NOTE },
  { why: 'the same', fns: ['api'], ports: ['core/dead/retry-as-new link tasks.update'], command: NOTE },
  { why: 'the same', fns: ['api'], ports: ['core/api/attempt-state preempt tasks.update'], command: NOTE },
  {
    why: 'the same',
    fns: ['dispatch'],
    ports: ['core/dispatch/claim write tasks.update', 'core/dispatch/look expire tasks.update'],
    command: NOTE,
  },
  {
    why: 'a result in S3 is told by its size alone',
    fns: ['settle'],
    ports: [READ_VALUE],
    command: 'adapters/aws/value-store readObject GetObjectCommand',
  },
  {
    why: 'a generation that is freed has failed, so that it has no result to tell',
    fns: ['submit'],
    ports: [READ_VALUE],
    command: 'adapters/aws/value-store getItem GetCommand',
  },
  {
    why: 'the same',
    fns: ['submit'],
    ports: [READ_VALUE],
    command: 'adapters/aws/value-store readObject GetObjectCommand',
  },
  {
    why: 'the task of a schedule names no receivers, nor do tasks of the platform',
    fns: ['api', 'system'],
    ports: ['core/notify/check-notify hasSecret webhookSecrets.get'],
    command: 'adapters/aws/webhook-secret-store get GetCommand',
  },
  ...[
    [INSERT, NOTE],
    [PUT_ROW, NOTE],
    [PUT_ROW, TASK_GET],
    [PUT_ROW, 'adapters/aws/task-store put PutCommand'],
    ['core/submit/put-row retire tasks.archive', 'adapters/aws/task-store archive PutCommand'],
    ['core/settle/effects applyEffects events.publish', 'adapters/aws/event-bus publishBatch PutEventsCommand'],
    [DELIVERY, NOTE],
    [DELIVERY, TASK_GET],
    [DELIVERY, 'adapters/aws/task-store put PutCommand'],
    ...RELEASES.flatMap((release) => [
      [release, READ_CELL],
      [release, UPDATE_CELL],
    ]),
    ['core/permits/release inLine permits.called', UPDATE_CELL],
    ['core/permits/wake wakeLane permits.wake', 'adapters/aws/permit-cell change UpdateCommand'],
    [READ_VALUE, 'adapters/aws/value-store getItem GetCommand'],
    [READ_VALUE, 'adapters/aws/value-store readObject GetObjectCommand'],
  ].map(([port = '', command = '']): Unreachable => ({
    why: 'a tick submits tasks of chains that it has just made, whose ids nobody had before: there is no generation to free',
    fns: ['timers'],
    ports: [port],
    command,
  })),
  {
    why: 'what fires a schedule is small enough for its row',
    fns: ['timers'],
    ports: ['core/tasks/values storeValue values.put'],
    command: 'adapters/aws/value-store put PutCommand',
  },
  {
    why: 'the same',
    fns: ['timers'],
    ports: ['core/tasks/values storeValue values.put'],
    command: 'adapters/aws/value-store putObject PutObjectCommand',
  },
  {
    why: 'a cursor that was moved by another tick comes with the answer, and is never deleted',
    fns: ['timers'],
    ports: ['core/timers/move-buckets moveShard buckets.advance'],
    command: 'adapters/aws/bucket-store readCursor GetCommand',
  },
  {
    why: 'a hint of the audit is for a time that is past, so that it goes into a queue',
    fns: ['audit'],
    ports: ['core/hints/place putIntoBucket buckets.put'],
    command: 'adapters/aws/bucket-store put PutCommand',
  },
  {
    why: 'dispatch has the row of every failure that it settles, and settles a success without one',
    fns: ['dispatch'],
    ports: ['core/settle/settle-outcome settleOutcome tasks.get'],
    command: 'adapters/aws/task-store get GetCommand',
  },
  {
    why: 'dispatch hands a payload in S3 on by its URL',
    fns: ['dispatch'],
    ports: ['core/tasks/values readValue values.get'],
    command: 'adapters/aws/value-store readObject GetObjectCommand',
  },
];

/** The reason why a call site cannot be reached, by its name. */
export const UNREACHABLE_SITES: ReadonlyMap<string, string> = new Map(
  UNREACHABLE.flatMap(({ why, fns, ports, command }) =>
    fns.flatMap((fn) => ports.map((port) => [nameOf({ fn, port, command }), why] as const)),
  ),
);

/**
 * What is wrong with the list of call sites: those that no exercise came to and nobody says why, and those that are said
 * to be out of reach but were seen, or are no more.
 */
export function faultsOfCoverage(sites: readonly CallSite[], seen: ReadonlySet<string>): string[] {
  const names = new Set(sites.map(nameOf));
  return [
    ...[...names].filter((name) => !seen.has(name) && !UNREACHABLE_SITES.has(name)).map((name) => `no exercise came to ${name}`),
    ...[...UNREACHABLE_SITES.keys()]
      .filter((name) => !names.has(name))
      .map((name) => `said to be out of reach, but not in the sources: ${name}`),
    ...[...UNREACHABLE_SITES.keys()].filter((name) => seen.has(name)).map((name) => `said to be out of reach, but seen: ${name}`),
    ...[...seen].filter((name) => !names.has(name)).map((name) => `seen, but not found in the sources: ${name}`),
  ];
}
