import { describe, expect, test } from 'vitest';
import { createTypeRegistry, createTypeWriter } from '../../adapters/aws/type-registry.ts';
import { systemClock as clock } from '../../adapters/system.ts';
import { aws, clientOf, eventually, finished, fresh, output } from './target.ts';

const table = output('TableName');
const telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };

describe.concurrent('after a deployment that went wrong', () => {
  test('tasks whose function is gone wait for it, and never fail', { timeout: 250_000 }, async () => {
    const unruly = await createTypeRegistry(aws.dynamodb, { table, clock, telemetry }).get('unruly');
    if (!unruly) throw new Error('unruly is not deployed');
    const type = fresh('gone');
    const types = createTypeWriter(aws.dynamodb, { table });
    await types.put({ ...unruly, type, handler: { kind: 'lambda', arn: unruly.handler.arn.replace(/:sluice$/, ':gone') } }, 'e2e');
    const client = await clientOf(fresh('patient'));
    // Types that are not known are looked up once a second: another test may just have asked for one.
    const submit = () => client.submit({ type, payload: { do: 'ok' }, retry: { maxAttempts: 1 } }).catch(() => undefined);
    const { id } = await eventually('a new type', submit);

    const waiting = await eventually('a refused start', async () => {
      const task = await client.get(id);
      return task.error ? task : undefined;
    });
    await types.put({ ...unruly, type }, 'e2e');
    // It is started again a minute after it was refused; by then the new registration must have been seen, too.
    const task = await finished(client, id).catch(() => finished(client, id));

    expect(waiting).toMatchObject({ state: 'waiting', attempts: 0, error: { name: 'NotStarted' } });
    expect(task).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    await types.remove(type, 'e2e');
  });
});
