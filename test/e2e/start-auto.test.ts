import { InvokeCommand } from '@aws-sdk/client-lambda';
import type { RunCounts, StartChoice } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { createStartStore } from '../../adapters/aws/start-store.ts';
import { createTypeRegistry } from '../../adapters/aws/type-registry.ts';
import { systemClock as clock } from '../../adapters/system.ts';
import { aws, clientOf, eventually, finished, fresh, output } from './target.ts';

const TYPE = 'unruly-auto';
const table = output('TableName');
const telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };
/** Knows nothing when it is made, so that it looks. */
const storeNow = () =>
  createStartStore(aws.dynamodb, { table, clock, known: createTypeRegistry(aws.dynamodb, { table, clock, telemetry }) });

/** A round of control. @returns what is chosen then */
async function round(): Promise<StartChoice | undefined> {
  await aws.lambda.send(new InvokeCommand({ FunctionName: 'sluice-control', Payload: Buffer.from('{}') }));
  return storeNow().known(TYPE);
}

test('a type with start: auto is waited for while its runs are short', { timeout: 400_000 }, async () => {
  const client = await clientOf(fresh('chooser'));
  /** How an attempt is started now: of a plain handler by event nobody tells when it began. */
  const modeOfOne = async (): Promise<StartChoice['mode']> => {
    const { id } = await client.submit({ type: TYPE, payload: { do: 'ok' } });
    const task = await finished(client, id);
    expect(task).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    return task.timeline.attempts[0]?.startedAt === undefined ? 'event' : 'wait';
  };
  const startedBy = (mode: StartChoice['mode']) =>
    eventually(`an attempt by ${mode}`, async () => ((await modeOfOne()) === mode ? mode : undefined));
  /** As environments tell, of more runs than a test has time for. */
  const seen = async (counts: RunCounts): Promise<void> => {
    const choice = await storeNow().known(TYPE);
    if (choice) await storeNow().add(choice, counts);
  };

  await eventually('a first choice', round);
  expect(await modeOfOne()).toBe('event');
  // What runs is counted, and told after half a minute.
  await eventually('counts of its runs', async () => {
    await modeOfOne();
    const choice = await storeNow().known(TYPE);
    return (choice && (await storeNow().counted(choice)).runs > 0) || undefined;
  });

  await seen({ runs: 10_000, slow: 0, long: 0 });
  await eventually('a choice to wait', async () => (await round())?.mode === 'wait' || undefined);
  await startedBy('wait');

  await seen({ runs: 10_000, slow: 10_000, long: 10_000 });
  await eventually('a choice not to wait', async () => (await round())?.mode === 'event' || undefined);
  await startedBy('event');
});
