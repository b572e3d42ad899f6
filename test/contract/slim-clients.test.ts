import { readdirSync } from 'node:fs';
import { describe, vi } from 'vitest';
import type { CallCounter } from '../../adapters/aws/counting.ts';
import type { ServiceClient } from '../../adapters/aws/slim/service.ts';

/** Every contract of an adapter of AWS once more, by the stand-ins that the platform's bundles hold in place of the SDK's clients. */
vi.mock('@aws-sdk/client-dynamodb', async () => {
  const { commandOf } = await import('../../adapters/aws/slim/service.ts');
  const { jsonOperation } = await import('../../adapters/aws/slim/json.ts');
  const slim = await import('../../adapters/aws/slim/client-dynamodb.ts');
  // The tests themselves make tables.
  const CreateTableCommand = commandOf(jsonOperation<object, object>('1.0', 'DynamoDB_20120810.CreateTable'));
  return { DynamoDBClient: slim.DynamoDBClient, CreateTableCommand };
});
vi.mock('@aws-sdk/lib-dynamodb', () => import('../../adapters/aws/slim/lib-dynamodb.ts'));
vi.mock('@aws-sdk/client-sqs', () => import('../../adapters/aws/slim/client-sqs.ts'));
vi.mock('@aws-sdk/client-eventbridge', () => import('../../adapters/aws/slim/client-eventbridge.ts'));
vi.mock('@aws-sdk/client-lambda', () => import('../../adapters/aws/slim/client-lambda.ts'));
vi.mock('@aws-sdk/client-s3', () => import('../../adapters/aws/slim/client-s3.ts'));
vi.mock('@aws-sdk/s3-request-presigner', () => import('../../adapters/aws/slim/s3-request-presigner.ts'));
// It counts by the SDK's middleware.
vi.mock('../../adapters/aws/counting.ts', () => ({
  countCalls: (client: ServiceClient, counter: CallCounter) => {
    const send = client.send.bind(client);
    client.send = (command, options) => {
      const operation = command.operation.callOf(command.input).headers['x-amz-target']?.split('.')[1] ?? '';
      counter.set(operation, { calls: (counter.get(operation)?.calls ?? 0) + 1, writeUnits: 0, readUnits: 0 });
      return send(command, options);
    };
  },
}));

// No adapter of AWS is in it.
const OTHERS = new Set(['chance-and-time.test.ts', 'slim-clients.test.ts', 'webhook-sender.test.ts']);

for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts') && !OTHERS.has(name))) {
  describe(file, async () => {
    await import(`./${file}`);
  });
}
