import { PutCommand, type BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ListQuery, ListResponse } from '@sluice/contracts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countCalls, type CallCounter } from '../../adapters/aws/counting.ts';
import { createTaskList } from '../../adapters/aws/task-list.ts';
import { createTaskStore } from '../../adapters/aws/task-store.ts';
import { createMemoryClock } from '../../adapters/memory/clock.ts';
import { createMemoryRandom } from '../../adapters/memory/random.ts';
import { createMemoryTaskList } from '../../adapters/memory/task-list.ts';
import { createMemoryTaskStore } from '../../adapters/memory/task-store.ts';
import { createMemoryTelemetry } from '../../adapters/memory/telemetry.ts';
import { systemHasher as hasher } from '../../adapters/system.ts';
import { listTasks } from '../../core/api/list-tasks.ts';
import { A, makeRow, newUid, NOW } from './fixtures.ts';
import { startDynamo, type Dynamo } from './servers.ts';
import { taskListContract } from './task-list.ts';

let dynamo: Dynamo;
beforeAll(async () => {
  dynamo = await startDynamo();
});
afterAll(() => dynamo.stop());

const random = createMemoryRandom();
const make = async () => {
  const table = await dynamo.newTable();
  const telemetry = createMemoryTelemetry();
  const config = { table, random, telemetry };
  const list = createTaskList(dynamo.clients.dynamodb, config);
  const tasks = createTaskStore(dynamo.clients.dynamodb, { table, listIndex: true, clock: createMemoryClock(NOW), telemetry });
  return { list, tasks, config };
};

taskListContract('memory', async () => {
  const tasks = createMemoryTaskStore();
  return { tasks, list: createMemoryTaskList(tasks) };
});
taskListContract('DynamoDB', make);

describe('task list on DynamoDB', () => {
  it('asks again for what one answer did not hold', async () => {
    const { list, tasks } = await make();
    const ids = Array.from({ length: 90 }, (_, n) => `t${n}`);
    const error = { name: 'Error', message: 'x'.repeat(30_000) };
    await Promise.all(ids.map((id) => tasks.insert(makeRow({ id, error }))));
    const counter: CallCounter = new Map();
    countCalls(dynamo.clients.dynamodb, counter);
    expect(new Set((await list.rows(A, ids)).map(({ id }) => id))).toEqual(new Set(ids));
    expect(counter.get('BatchGetItem')?.calls).toBeGreaterThan(1);
  });

  it('gives up on a table that processes nothing', async () => {
    const { config } = await make();
    const send = async (command: BatchGetCommand) => ({ Responses: {}, UnprocessedKeys: command.input.RequestItems });
    const list = createTaskList({ send } as unknown as DynamoDBDocumentClient, { ...config, random: { fraction: () => 0 } });
    await expect(list.rows(A, ['a', 'b'])).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('2 of 2') });
  });

  it('leaves out a row that cannot be read, and logs it', async () => {
    const { list, tasks, config } = await make();
    await tasks.insert(makeRow({ id: 'a' }));
    const { dynamodb } = dynamo.clients;
    await dynamodb.send(new PutCommand({ TableName: config.table, Item: { p: `T#${A}#b`, s: 'H', v: 9 } }));
    expect((await list.rows(A, ['a', 'b'])).map(({ id }) => id)).toEqual(['a']);
    expect(config.telemetry.lines()).toMatchObject([{ level: 'error', fields: { key: `T#${A}#b` } }]);
  });
});

describe('a list over any days and parts', () => {
  it('is the same on every adapter: what was accepted, the newest first, each once', async () => {
    const clock = createMemoryClock(NOW);
    const accepted = fc.record({ ago: fc.integer({ min: 0, max: 3 * 86_400_000 }), type: fc.constantFrom('thumbnail', 'mail') });
    const { list, tasks } = await make();
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(accepted, { maxLength: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.boolean(),
        async (given, limit, filtered) => {
          // A tenant for each run: its name begins with that of the run before.
          const tenant = `t${'x'.repeat(++runs)}`;
          const memory = createMemoryTaskStore();
          const rows = given.map(({ ago, type }, n) => {
            return makeRow({ tenant, id: `t${n}`, type, uid: newUid(NOW - ago), acceptedAt: NOW - ago });
          });
          await Promise.all(rows.flatMap((row) => [tasks.insert(row), memory.insert(row)]));
          const expected = rows.filter(({ type }) => !filtered || type === 'mail').map(({ uid }) => uid);
          for (const each of [list, createMemoryTaskList(memory)]) {
            const seen: string[] = [];
            let query: ListQuery | undefined = {
              limit,
              from: new Date(NOW - 4 * 86_400_000).toISOString(),
              ...(filtered && { type: 'mail' }),
            };
            while (query) {
              const page: ListResponse = await listTasks({ list: each, hasher, clock }, tenant, query);
              seen.push(...page.tasks.map(({ uid }) => uid));
              query = page.cursor === undefined ? undefined : { ...query, cursor: page.cursor };
            }
            expect(seen).toEqual(expected.sort((a, b) => (a < b ? 1 : -1)));
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
