import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { CfnSchedule, CfnScheduleGroup, type CfnScheduleProps } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientConfig, eventually, inlineFunction, received, start, synthesise, type Parsed, type RunningHost } from './support/harness.ts';

let host: RunningHost;
let events: EventBridgeClient;

beforeAll(async () => {
  const assembly = synthesise((stack) => {
    const queue = new Queue(stack, 'Fired');
    const group = new CfnScheduleGroup(stack, 'Group', { name: 'mine' });
    const past = new Date(Date.now() - 60_000).toISOString().slice(0, 19);
    const schedule = (id: string, props: Partial<CfnScheduleProps>) =>
      new CfnSchedule(stack, id, {
        name: id,
        groupName: group.ref,
        flexibleTimeWindow: { mode: 'OFF' },
        scheduleExpression: `at(${past})`,
        target: {
          arn: queue.queueArn,
          roleArn: 'arn:aws:iam::000000000000:role/r',
          input: `{"fired":"${id}","at":"<aws.scheduler.scheduled-time>"}`,
        },
        ...props,
      });
    schedule('overdue', {});
    schedule('disabled', { state: 'DISABLED' });
    const work = inlineFunction(stack, 'work', `exports.handler = async (event) => { console.log('worked ' + JSON.stringify(event)); };`);
    schedule('calls', { target: { arn: work.functionArn, roleArn: 'arn:aws:iam::000000000000:role/r', input: '{"n":1}' } });
    const bus = new EventBus(stack, 'Bus', { eventBusName: 'sluice' });
    new Rule(stack, 'Failures', {
      eventBus: bus,
      eventPattern: { source: ['sluice'], detail: { state: ['failed'], attempts: [{ numeric: ['>=', 3] }] } },
      targets: [new SqsQueue(queue), new LambdaTarget(work)],
    });
  });
  host = await start(assembly);
  events = new EventBridgeClient(clientConfig(host.endpoints.eventbridge));
});

afterAll(async () => {
  events?.destroy();
  await host?.close();
});

const scheduler = async (method: string, path: string, body?: unknown) => {
  const response = await fetch(host.endpoints.scheduler + path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    type: response.headers.get('x-amzn-errortype'),
    body: (await response.json()) as Parsed,
  };
};

const soon = (): string => `at(${new Date(Date.now() + 1000).toISOString().slice(0, 19)})`;

describe('schedules', () => {
  it('of a template fire into queues and functions, but for disabled ones', async () => {
    const message = await received(host, host.physicalId('Fired')!, (body) => body['fired'] === 'overdue');
    expect(message['at']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    await host.logged((entry) => entry.message === 'worked {"n":1}');
    expect(host.logs.some((entry) => entry.message.includes('disabled'))).toBe(false);
  });

  it('are created, read, listed, changed and deleted over the API', async () => {
    const queueArn = `arn:aws:sqs:us-east-1:000000000000:${host.physicalId('Fired')!.split('/').at(-1)}`;
    const definition = {
      GroupName: 'mine',
      ScheduleExpression: 'cron(0 9 ? * MON-FRI *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: queueArn, RoleArn: 'arn:aws:iam::000000000000:role/r', Input: '{"fired":"api"}' },
      ActionAfterCompletion: 'DELETE',
    };
    expect((await scheduler('POST', '/schedules/daily', definition)).body).toEqual({
      ScheduleArn: 'arn:aws:scheduler:us-east-1:000000000000:schedule/mine/daily',
    });
    expect(await scheduler('POST', '/schedules/daily', definition)).toMatchObject({ status: 409, type: 'ConflictException' });
    expect((await scheduler('GET', '/schedules/daily?groupName=mine')).body).toMatchObject({
      Name: 'daily',
      State: 'ENABLED',
      ScheduleExpressionTimezone: 'Europe/Berlin',
      CreationDate: expect.any(Number),
    });
    const { body: list } = await scheduler('GET', '/schedules?ScheduleGroup=mine&NamePrefix=dai');
    expect((list['Schedules'] as { Name: string }[]).map((schedule) => schedule.Name)).toEqual(['daily']);
    expect((await scheduler('PUT', '/schedules/daily', { ...definition, ScheduleExpression: soon() })).status).toBe(200);
    await received(host, host.physicalId('Fired')!, (body) => body['fired'] === 'api');
    await eventually(async () => (await scheduler('GET', '/schedules/daily?groupName=mine')).status === 404);
    expect(await scheduler('DELETE', '/schedules/daily?groupName=mine')).toMatchObject({ type: 'ResourceNotFoundException' });
    for (const [change, type] of [
      [{ ScheduleExpression: 'cron(0 9 * * * *)' }, 'ValidationException'],
      [{ ScheduleExpression: 'now' }, 'ValidationException'],
      [{ GroupName: 'nobody' }, 'ResourceNotFoundException'],
    ] as const) {
      expect(await scheduler('POST', '/schedules/wrong', { ...definition, ...change })).toMatchObject({ type });
    }
  });
});

describe('an event bus', () => {
  it('sends events that match a rule to its targets', async () => {
    const put = (state: string, attempts: number) => ({
      EventBusName: 'sluice',
      Source: 'sluice',
      DetailType: 'Task',
      Detail: JSON.stringify({ state, attempts }),
    });
    const answer = await events.send(
      new PutEventsCommand({
        Entries: [put('succeeded', 3), put('failed', 1), put('failed', 3), { ...put('failed', 3), EventBusName: 'none' }],
      }),
    );
    expect(answer.FailedEntryCount).toBe(1);
    expect(answer.Entries?.[0]?.EventId).toBeDefined();
    const event = await received(host, host.physicalId('Fired')!, (body) => body['source'] === 'sluice');
    expect(event).toMatchObject({
      version: '0',
      'detail-type': 'Task',
      account: '000000000000',
      region: 'us-east-1',
      detail: { state: 'failed', attempts: 3 },
    });
    await host.logged((entry) => entry.message.includes('"attempts":3'));
  });
});
