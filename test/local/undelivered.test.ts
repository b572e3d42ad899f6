import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBuses } from '../../local/events/event-bus.ts';
import type { ScheduleDefinition } from '../../local/scheduler/schedule.ts';
import { Scheduler } from '../../local/scheduler/scheduler.ts';
import { startDynamoDb } from '../../local/servers/dynamodb.ts';
import { HostState } from '../../local/state.ts';
import { FakeClock, settled } from './support/fake-clock.ts';
import { clientConfig, closeAll, temporaryFolder, using } from './support/harness.ts';

afterEach(closeAll);

const QUEUE = 'arn:aws:sqs:us-east-1:000000000000:q';
/** A send that the process does not live to see answered. */
const never = () => new Promise<void>(() => undefined);
const silent = () => undefined;

describe('what was accepted and not delivered when the process ended', () => {
  it('goes out from an event bus with the next start, and once', async () => {
    const state = new HostState(undefined);
    const rule = {
      name: 'all',
      bus: 'default',
      pattern: { source: ['sluice'] },
      enabled: true,
      targets: [{ arn: QUEUE, input: undefined, inputPath: '$.detail', deadLetterArn: undefined }],
    };
    const first = new EventBuses(state, never, silent);
    first.putRule(rule);
    first.put({ Source: 'sluice', DetailType: 'Task', Detail: '{"n":1}' });

    const sent: string[] = [];
    const send = async (_arn: string, body: string) => void sent.push(body);
    // By what was accepted, whatever the rules are by now.
    new EventBuses(state, send, silent).resume();
    await settled();
    new EventBuses(state, send, silent).resume();
    await settled();
    expect(sent).toEqual(['{"n":1}']);
  });

  it('goes out from a schedule with the next start, also from one that ends with it', async () => {
    const state = new HostState(undefined);
    const clock = new FakeClock();
    const definition = (name: string, rest: Partial<ScheduleDefinition>): ScheduleDefinition => ({
      Name: name,
      GroupName: 'default',
      ScheduleExpression: 'rate(1 minute)',
      Target: { Arn: QUEUE, Input: `${name} <aws.scheduler.scheduled-time>` },
      ...rest,
    });
    const first = new Scheduler({ state, clock, log: silent, send: never });
    first.start();
    const at = new Date(clock.now() + 60_000).toISOString().slice(0, 19);
    first.put(definition('often', {}), false);
    first.put(definition('once', { ScheduleExpression: `at(${at})`, ActionAfterCompletion: 'DELETE' }), false);
    await clock.advance(61_000);
    expect(first.get('default', 'once')).toBeDefined();

    const sent: string[] = [];
    const second = new Scheduler({ state, clock, log: silent, send: async (_arn, body) => void sent.push(body) });
    second.start();
    await settled();
    expect(sent.sort()).toEqual([`often ${at}Z`, `once ${at}Z`]);
    expect(second.get('default', 'once')).toBeUndefined();
    expect(second.get('default', 'often')).toMatchObject({ pending: [] });
    const third = new Scheduler({ state, clock, log: silent, send: async (_arn, body) => void sent.push(body) });
    third.start();
    await settled();
    expect(sent).toHaveLength(2);
  });
});

it('finishes a table that was being made when the process ended', async () => {
  const directory = join(temporaryFolder(), 'dynamodb');
  const { create } = createRequire(import.meta.url)('dynalite/db') as {
    create: (options: object) => { db: { put(key: string, value: unknown): Promise<void>; close(): Promise<void> } };
  };
  const { db } = create({ path: directory });
  const key = { AttributeName: 'pk', KeyType: 'HASH' };
  const index = { IndexName: 'i', IndexStatus: 'CREATING', KeySchema: [key], Projection: { ProjectionType: 'ALL' } };
  const attributes = [{ AttributeName: 'pk', AttributeType: 'S' }];
  const half = {
    TableName: 'half',
    TableStatus: 'CREATING',
    KeySchema: [key],
    AttributeDefinitions: attributes,
    GlobalSecondaryIndexes: [index],
  };
  await db.put('table~half', half);
  await db.close();

  const server = using(await startDynamoDb({ directory }, silent));
  const { Table } = await using(new DynamoDBClient(clientConfig(server.url))).send(new DescribeTableCommand({ TableName: 'half' }));
  expect(Table).toMatchObject({ TableStatus: 'ACTIVE', GlobalSecondaryIndexes: [{ IndexStatus: 'ACTIVE' }] });
});
