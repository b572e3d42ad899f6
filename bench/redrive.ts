import { SYSTEM_TYPES } from '@sluice/contracts';
import Table from 'cli-table3';
import { type CallCounter, countCalls } from '../adapters/aws/counting.ts';
import { createDeadList } from '../adapters/aws/dead-list.ts';
import { createRedriveStore } from '../adapters/aws/redrive-store.ts';
import { createTaskStore } from '../adapters/aws/task-store.ts';
import { readCommandLine } from '../bin/command-line.ts';
import { listDead } from '../core/dead/list-dead.ts';
import { retryTask } from '../core/api/retry-task.ts';
import { createRedrive, getRedrive } from '../core/redrive/operate.ts';
import { runSlice } from '../core/redrive/run-slice.ts';
import { startDynamo } from '../test/contract/servers.ts';
import { createWorld, typeSpec } from '../test/helpers/world.ts';
import { endedRow } from './ended-row.ts';

const USAGE = `Counts what it takes to list and redrive a large dead set: the production core on the adapters of DynamoDB, against a
server (dynalite) of this machine; queues, events and permits are in memory and counted as calls of their ports. Time is
the server's, which shares the machine with the rest: what holds elsewhere is the number of calls, and that none is a scan.

  npm run bench:redrive -- [--tasks N] [--json]

  --tasks  how many tasks are dead, instead of 2000
  --json   prints the numbers as JSON on the last line`;

const { values, wholeNumber } = readCommandLine(USAGE, { json: { type: 'boolean' }, tasks: { type: 'string' } });
const TASKS = wholeNumber('tasks', 2_000);
const MILLION = 1_000_000;
/** Retried one by one beside them, for comparison. */
const ALONE = 100;
const TENANT = 'acme';
const OTHER = 'globex';
const RATE = 1_000;

const dynamo = await startDynamo();
try {
  const table = await dynamo.newTable();
  const { dynamodb } = dynamo.clients;
  const world = createWorld({ types: [typeSpec('thumbnail'), typeSpec(SYSTEM_TYPES.redrive)] });
  const { random, telemetry, clock } = world;
  let sends = 0;
  let publishes = 0;
  const deps = {
    ...world.deps,
    tasks: createTaskStore(dynamodb, { table, listIndex: true, clock, telemetry }),
    deadTasks: createDeadList(dynamodb, { table, random, telemetry }),
    redrives: createRedriveStore(dynamodb, { table }),
    queue: {
      ...world.deps.queue,
      // As the adapter: ten messages in a call.
      send: (given: Parameters<typeof world.queue.send>[0]) => ((sends += Math.ceil(given.length / 10)), world.queue.send(given)),
    },
    events: {
      publish: (given: Parameters<typeof world.events.publish>[0]) => (
        (publishes += Math.ceil(given.length / 10)),
        world.events.publish(given)
      ),
    },
    timer: { sleep: async (ms: number) => void clock.advance(ms) },
  };
  await fill(deps.tasks, TENANT, TASKS, clock.now(), random);
  await fill(deps.tasks, OTHER, ALONE, clock.now(), random);
  clock.advance(60_000);

  const counter: CallCounter = new Map();
  countCalls(dynamodb, counter);
  const list = await measured(counter, async () => {
    let pages = 0;
    let found = 0;
    for (let cursor: string | undefined; ;) {
      const page = await listDead(deps, TENANT, { limit: 200, ...(cursor !== undefined && { cursor }) });
      pages += 1;
      found += page.tasks.length;
      ({ cursor } = page);
      if (cursor === undefined) return { pages, found };
    }
  });
  if (list.value.found !== TASKS) throw new Error(`${list.value.found} of ${TASKS} dead tasks were listed`);

  const redrive = await measured(counter, async () => {
    const { id } = await createRedrive(deps, TENANT, { filter: { type: 'thumbnail' }, ratePerSecond: RATE });
    for (let slice = 1; ; slice++) {
      const attempt = { tenant: TENANT, id: '-', uid: '-', fence: 1, attempt: 1, throttled: 0, deadline: clock.now() + 60_000 };
      await runSlice(deps, { v: 1, redrive: id, slice }, attempt);
      const seen = await getRedrive(deps, TENANT, id);
      if (seen.endedAt !== undefined) return { ...seen, slices: slice };
    }
  });
  if (redrive.value.redriven !== TASKS) throw new Error(`${redrive.value.redriven} of ${TASKS} were redriven`);
  const left = (await listDead(deps, TENANT, {})).tasks.length;
  if (left > 0) throw new Error(`${left} are still dead`);

  const port = { sends, publishes };
  const alone = await measured(counter, async () => {
    for (let n = 0; n < ALONE; n++) await retryTask(deps, OTHER, `order:${n}`);
  });
  const aloneCalls = alone.calls + (sends - port.sends) + (publishes - port.publishes);

  const scans = counter.get('Scan')?.calls ?? 0;
  if (scans > 0) throw new Error(`there were ${scans} scans`);
  const perTask = (n: number) => Math.round((n / TASKS) * 1_000) / 1_000;
  const result = {
    tasks: TASKS,
    scans,
    listPages: list.value.pages,
    listCallsPerTask: perTask(list.calls),
    redriveCallsPerTask: perTask(redrive.calls + port.sends + port.publishes),
    singleRetryCallsPerTask: aloneCalls / ALONE,
    tableCallsPerTask: perTask(redrive.calls),
    sendCallsPerTask: perTask(port.sends),
    eventCallsPerTask: perTask(port.publishes),
    writeUnitsPerTask: perTask(redrive.writeUnits),
    readUnitsPerTask: perTask(redrive.readUnits),
    slices: redrive.value.slices,
    seconds: Math.round(redrive.ms / 100) / 10,
    tasksPerSecond: Math.round((TASKS * 1_000) / redrive.ms),
    hoursForAMillionHere: Math.round((redrive.ms / TASKS) * (MILLION / 3_600_000) * 100) / 100,
    hoursForAMillionAtTheDefaultRate: Math.round((MILLION / 50 / 3_600) * 100) / 100,
  };
  const shown = new Table({ style: { head: [], border: [] } });
  for (const [name, value] of Object.entries(result)) shown.push([name, String(value)]);
  console.log(shown.toString());
  if (values.json) console.log(JSON.stringify(result));
} finally {
  await dynamo.stop();
}

/** Dead tasks of five days, as they are settled. */
async function fill(
  tasks: ReturnType<typeof createTaskStore>,
  tenant: string,
  count: number,
  now: number,
  random: ReturnType<typeof createWorld>['random'],
): Promise<void> {
  const numbers = Array.from({ length: count }, (_, n) => n);
  for (let first = 0; first < count; first += 50) {
    await Promise.all(
      numbers.slice(first, first + 50).map(async (n) => {
        const at = now - Math.floor(((count - n) * 5 * 86_400_000) / count);
        await tasks.insert({
          ...endedRow(tenant, n, at, random.ulid(at)),
          type: 'thumbnail',
          state: 'failed',
          attempts: 5,
          reason: 'attempts_exhausted',
          error: { name: 'TypeError', message: 'no such order' },
        });
      }),
    );
  }
}

async function measured<T>(counter: CallCounter, run: () => Promise<T>) {
  const before = totals(counter);
  const began = performance.now();
  const value = await run();
  const ms = performance.now() - began;
  const after = totals(counter);
  return {
    value,
    ms,
    calls: after.calls - before.calls,
    writeUnits: after.writeUnits - before.writeUnits,
    readUnits: after.readUnits - before.readUnits,
  };
}

function totals(counter: CallCounter) {
  const sum = { calls: 0, writeUnits: 0, readUnits: 0 };
  for (const counts of counter.values()) {
    sum.calls += counts.calls;
    sum.writeUnits += counts.writeUnits;
    sum.readUnits += counts.readUnits;
  }
  return sum;
}
