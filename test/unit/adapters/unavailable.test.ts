import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { isSluiceError } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { conditionalAnswerOf } from '../../../adapters/aws/answers.ts';
import { writeBatch } from '../../../adapters/aws/batch-write.ts';
import * as aws from '../../../adapters/aws/index.ts';
import { createMemoryClock } from '../../../adapters/memory/clock.ts';
import { createMemoryRandom } from '../../../adapters/memory/random.ts';
import { createMemoryTelemetry } from '../../../adapters/memory/telemetry.ts';
import { A, makeAttempt, makeHint, makeHinted, makePermit, makeRow, NOW } from '../../contract/fixtures.ts';

const random = createMemoryRandom();

/** A client of which every call is answered by the test. */
const clientOf = (send: (command: { readonly input: object }) => Promise<unknown>): DynamoDBDocumentClient =>
  ({ send }) as unknown as DynamoDBDocumentClient;

describe('a table that does not answer', () => {
  const cause = new Error('socket hang up');
  const client = clientOf(() => Promise.reject(cause));
  const config = {
    table: 't',
    listIndex: true,
    clock: createMemoryClock(NOW),
    random,
    telemetry: createMemoryTelemetry(),
  };
  const lane = { tenant: A, type: 'thumbnail' };
  const row = makeRow();
  const tasks = aws.createLastingTaskStore(client, config);
  const permits = aws.createPermitStore(client, config);
  const backlog = aws.createBacklogStore(client, config);
  const buckets = aws.createBucketStore(client, config);
  const tokens = aws.createTokenStore(client, config);
  const list = aws.createTaskList(client, config);
  const calls: Record<string, () => Promise<unknown>> = {
    get: () => tasks.get(A, 'x'),
    insert: () => tasks.insert(row),
    replace: () => tasks.replace(row, row),
    update: () => tasks.update(A, 'x', row, { set: { lost: 1 } }),
    archive: () => tasks.archive(row),
    putAttempt: () => tasks.putAttempt(A, 'x', makeAttempt(), 1),
    keepAttempts: () => tasks.keepAttempts(A, 'x', row.uid, 1, 2),
    attempts: () => tasks.attempts(A, 'x', row.uid),
    scan: () => tasks.scan(0, 1, undefined),
    acquire: () => permits.acquire(lane, 0, [makePermit()], 1),
    release: () => permits.release(lane, 0, [makePermit()]),
    read: () => permits.read(lane, 0),
    raise: () => permits.raise(lane, 0),
    clear: () => permits.clear(lane, 0, 1),
    'backlog put': () => backlog.put(lane, [makeHinted()]),
    'backlog first': () => backlog.first(lane, 1),
    'backlog has': () => backlog.has(lane, makeHinted()),
    register: () => backlog.register(lane, NOW),
    lanes: () => backlog.lanes(),
    unregister: () => backlog.unregister({ lane, at: NOW }),
    'bucket put': () => buckets.put(1, 0, 'a', makeHint()),
    cursor: () => buckets.cursor(0),
    advance: () => buckets.advance(0, 1, 2),
    'token find': () => tokens.find('h'),
    'token remove': () => tokens.remove('h'),
    'token noted': () => tokens.noted(A),
    'token lookUp': () => tokens.lookUp(A, 'h'),
    'token forget': () => tokens.forget(A, 'h'),
    'list newest': () => list.newest(A, 0, { after: '0', before: '1' }, 1),
    'list rows': () => list.rows(A, ['x']),
    types: () => aws.createTypeRegistry(client, config).names(),
  };

  it.each(Object.keys(calls))('makes %s throw that its answer is unknown', async (name) => {
    const error = await calls[name]?.().catch((thrown: unknown) => thrown);
    expect(isSluiceError(error) && error.code).toBe('unavailable');
    expect(error).toMatchObject({ cause });
  });
});

describe('a lost condition', () => {
  it('comes with the item where the service tells it', async () => {
    const Item = { p: { S: 'x' }, permits: { SS: ['a', 'b'] }, raised: { N: '2' } };
    const error = Object.assign(new Error('no'), { name: 'ConditionalCheckFailedException', Item });
    const answer = await conditionalAnswerOf('try', Promise.reject(error));
    expect(answer).toEqual({ met: false, found: { p: 'x', permits: new Set(['a', 'b']), raised: 2 } });
  });

  it('needs no second read then', async () => {
    const item = makeRow();
    const { marshall } = await import('@aws-sdk/util-dynamodb');
    const { itemOfRow } = await import('../../../adapters/aws/task-item.ts');
    const Item = marshall(itemOfRow(item, false));
    const sent: object[] = [];
    const client = clientOf((command) => {
      sent.push(command.input);
      return Promise.reject(Object.assign(new Error('no'), { name: 'ConditionalCheckFailedException', Item }));
    });
    const config = { table: 't', listIndex: false, clock: createMemoryClock(), telemetry: createMemoryTelemetry() };
    const store = aws.createLastingTaskStore(client, config);
    expect(await store.insert(makeRow())).toEqual({ applied: false, row: item });
    expect(sent).toMatchObject([{ ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }]);
  });
});

describe('a batch of writes', () => {
  const puts = Array.from({ length: 3 }, (_, n) => ({ put: { p: 'x', s: `${n}` } }));

  it('tries again what was left, and only that', async () => {
    const sizes: number[] = [];
    const client = clientOf(({ input }) => {
      const requests = (input as { RequestItems: { t: object[] } }).RequestItems.t;
      sizes.push(requests.length);
      return Promise.resolve({ UnprocessedItems: sizes.length < 3 ? { t: requests.slice(1) } : {} });
    });
    await writeBatch(client, 'write', 't', random, puts);
    expect(sizes).toEqual([3, 2, 1]);
  });

  it('throws when some are left every time', async () => {
    const client = clientOf(({ input }) => Promise.resolve({ UnprocessedItems: (input as { RequestItems: object }).RequestItems }));
    const write = writeBatch(client, 'write', 't', { fraction: () => 0 }, puts);
    await expect(write).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('3 of 3') });
  });
});
