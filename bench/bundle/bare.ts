import type { FunctionName } from '@sluice/contracts';

type Client = 'DynamoDB' | 'SQS' | 'S3' | 'EventBridge' | 'Lambda';

/** What each function calls. */
const CLIENTS: Record<FunctionName, readonly Client[]> = {
  submit: ['DynamoDB', 'SQS', 'S3', 'EventBridge'],
  api: ['DynamoDB', 'SQS', 'S3', 'EventBridge'],
  authorizer: ['DynamoDB'],
  dispatch: ['DynamoDB', 'SQS', 'S3', 'EventBridge', 'Lambda'],
  settle: ['DynamoDB', 'SQS', 'S3', 'EventBridge'],
  timers: ['DynamoDB', 'SQS'],
  control: ['DynamoDB', 'SQS'],
  audit: ['DynamoDB', 'SQS'],
  registrar: ['DynamoDB'],
  system: ['DynamoDB', 'S3', 'SQS', 'EventBridge'],
};

/** The source of a function that makes the SDK's clients of what `name` calls, as the SDK's manual does it, and nothing else. */
export function bareFunction(name: FunctionName): string {
  const clients = CLIENTS[name];
  return [
    `import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';`,
    ...clients.map((client) => `import { ${client}Client } from '@aws-sdk/client-${client.toLowerCase()}';`),
    `const clients = [${clients.map((client) => `new ${client}Client({})`).join(', ')}];`,
    `clients.push(DynamoDBDocumentClient.from(clients[0]));`,
    `export const handler = async () => clients.length;`,
  ].join('\n');
}
