import { InvokeCommand } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import type { DedicatedState, RoutingDocument } from '@sluice/contracts';
import { expect, test } from 'vitest';
import { createRoutingStore } from '../../adapters/aws/routing-store.ts';
import { NO_ROUTING } from '../../core/routing/next-document.ts';
import { aws, clientOf, finished, fresh, output } from './target.ts';

const routes = createRoutingStore(aws.dynamodb, { table: output('TableName') });
const WITHIN = { timeout: 90_000, interval: 500 };

/** Changes the document between two rounds of control, as a decision would. */
async function decide(change: (document: RoutingDocument) => RoutingDocument): Promise<void> {
  await expect
    .poll(async () => {
      const document = (await routes.read()) ?? NO_ROUTING;
      return routes.write({ ...change(document), version: document.version + 1 });
    }, WITHIN)
    .toBe(true);
}

async function stateOf(tenant: string): Promise<DedicatedState | undefined> {
  await aws.lambda.send(new InvokeCommand({ FunctionName: 'sluice-control', Payload: Buffer.from('{}') }));
  return (await routes.read())?.dedicated.find((entry) => entry.tenant === tenant)?.state;
}

test('a tenant gets queues of its own, its tasks go through them, and they go again', { timeout: 240_000 }, async () => {
  const tenant = fresh('hot');
  const client = await clientOf(tenant);
  let generation = 0;
  await decide((document) => {
    generation = document.generations + 1;
    const entry = { tenant, generation, state: 'creating' as const, since: Date.now() };
    return { ...document, generations: generation, dedicated: [...document.dedicated, entry] };
  });
  await expect.poll(() => stateOf(tenant), WITHIN).toBe('active');

  // Where the hints of its tasks are until they are due.
  const QueueUrl = output('OutcomesQueueUrl').replace(/[^/]*$/, `sluice-low-d${generation}`);
  const delayed = async (): Promise<number> => {
    const { id } = await client.submit({
      type: 'narrow',
      priority: 'low',
      payload: { do: 'ok' },
      runAt: new Date(Date.now() + 8_000).toISOString(),
    });
    ids.push(id);
    const { Attributes } = await aws.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['ApproximateNumberOfMessagesDelayed'] }),
    );
    return Number(Attributes?.['ApproximateNumberOfMessagesDelayed']);
  };
  const ids: string[] = [];
  await expect.poll(delayed, { timeout: 90_000, interval: 2_000 }).toBeGreaterThan(0);
  for (const id of ids) expect(await finished(client, id)).toMatchObject({ state: 'succeeded', attempts: 1 });

  await decide((document) => ({
    ...document,
    dedicated: document.dedicated.map((entry) => (entry.tenant === tenant ? { ...entry, state: 'closing', since: Date.now() } : entry)),
  }));
  await expect.poll(() => stateOf(tenant), WITHIN).toBeUndefined();
  await expect(aws.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }))).rejects.toThrow();
  // Whoever knows the old document finds another queue for it.
  const { id } = await client.submit({ type: 'narrow', payload: { do: 'ok' } });
  expect(await finished(client, id)).toMatchObject({ state: 'succeeded' });
});
