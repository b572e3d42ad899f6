import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, vi } from 'vitest';
import { startDynamoDb } from '../../local/servers/dynamodb.ts';
import { startSqsAndS3 } from '../../local/servers/sqs-s3.ts';

export const BUCKET = 'examples';
export const TABLE = 'cities';

const failed = (error: Error): never => {
  throw error;
};

/** The SDK finds the servers as a function does: by its environment. Handlers are to be imported after it. */
function pointSdkAt(service: string, url: string): void {
  vi.stubEnv(`AWS_ENDPOINT_URL_${service}`, url);
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
}

/** Starts S3 with an empty bucket for the tests of a file. */
export function useS3(): () => S3Client {
  let s3: S3Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const server = await startSqsAndS3({}, failed);
    close = () => server.close();
    pointSdkAt('S3', server.url);
    s3 = new S3Client({});
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  });
  afterAll(async () => {
    s3.destroy();
    await close();
    vi.unstubAllEnvs();
  });
  return () => s3;
}

/** Starts DynamoDB with the table of `import-csv` for the tests of a file. */
export function useCitiesTable(): () => DynamoDBClient {
  let client: DynamoDBClient;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const server = await startDynamoDb({}, failed);
    close = () => server.close();
    pointSdkAt('DYNAMODB', server.url);
    vi.stubEnv('CITIES_TABLE', TABLE);
    client = new DynamoDBClient({});
    await client.send(
      new CreateTableCommand({
        TableName: TABLE,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'country', AttributeType: 'S' },
          { AttributeName: 'part', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'country', KeyType: 'HASH' },
          { AttributeName: 'part', KeyType: 'RANGE' },
        ],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 1, maxDelay: 1 }, { TableName: TABLE });
  });
  afterAll(async () => {
    client.destroy();
    await close();
  });
  return () => client;
}
