import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, GetQueueUrlCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import type { TaskHint } from '@sluice/contracts';
import { ulid } from 'ulid';
import { describe, expect, test } from 'vitest';
import { createBacklogStore } from '../../adapters/aws/backlog-store.ts';
import { systemRandom as random } from '../../adapters/system.ts';
import type { AuditReport } from '../../core/audit/audit.ts';
import { aws, clientOf, eventually, finished, fresh, output } from './target.ts';

const telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };
const backlog = createBacklogStore(aws.dynamodb, { table: output('TableName'), random, telemetry });

describe('upkeep', () => {
  test('an audit brings back a task whose hint was lost, and disturbs no other', async () => {
    const lane = { tenant: fresh('audited'), type: 'narrow' };
    const client = await clientOf(lane.tenant);
    const ids = Array.from({ length: 8 }, (_, n) => fresh(`audited-${n}`));
    await client.submitMany(ids.map((id) => ({ type: lane.type, id, payload: { do: 'slow', ms: 1_500 } })));
    const lost = await eventually('a backlog', async () => (await backlog.first(lane, 10)).at(-1));
    await backlog.remove(lane, [lost]);

    const report = await invoke('sluice-audit', { olderThanMinutes: 0, paceMs: 0 });

    expect(report).toMatchObject({ complete: true });
    expect((report as AuditReport).found).toBeGreaterThanOrEqual(1);
    for (const id of ids) expect(await finished(client, id)).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
  });

  test("the minute's tick takes up the hints that a queue gave up on", async () => {
    const { QueueUrl = '' } = await aws.sqs.send(new GetQueueUrlCommand({ QueueName: 'sluice-hints-dead' }));
    // Of a task that never was: whoever looks at it drops it.
    const hint: TaskHint = {
      v: 1,
      kind: 'tasks',
      tenant: fresh('gone'),
      tasks: [{ id: 'never', uid: ulid(), seq: 0, at: 0, made: 0, type: 'unruly', priority: 'low' }],
    };
    await aws.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(hint) }));

    await invoke('sluice-timers', {});

    await eventually('an empty dead-letter queue', async () => {
      const { Attributes = {} } = await aws.sqs.send(
        new GetQueueAttributesCommand({
          QueueUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      );
      return Object.values(Attributes).every((count) => count === '0') || undefined;
    });
  });
});

/** Runs a function of the platform. @returns its answer */
async function invoke(FunctionName: string, event: unknown): Promise<unknown> {
  const { FunctionError, Payload } = await aws.lambda.send(
    new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }),
  );
  const text = Payload === undefined ? '' : Buffer.from(Payload).toString('utf8');
  expect({ FunctionError, text }).toMatchObject({ FunctionError: undefined });
  return text === '' ? undefined : JSON.parse(text);
}
