import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from './account.ts';

/** Addresses of the services. Lambda, EventBridge and Scheduler are the host's own and share one. */
export interface Endpoints {
  dynamodb: string;
  sqs: string;
  s3: string;
  lambda: string;
  eventbridge: string;
  scheduler: string;
}

/** The environment by which the ordinary SDKs find the services. */
export function endpointEnvironment(endpoints: Endpoints): Record<string, string> {
  return Object.fromEntries(
    Object.entries(endpoints).map(([service, url]) => [`AWS_ENDPOINT_URL_${service.toUpperCase()}`, url as string]),
  );
}

export interface Clients {
  dynamodb: DynamoDBClient;
  sqs: SQSClient;
  s3: S3Client;
  close(): void;
}

/** The clients that the host itself uses: to make tables, queues and buckets, to poll and to deliver. */
export function createClients(endpoints: Endpoints): Clients {
  const common = { region: REGION, credentials: { accessKeyId: 'local', secretAccessKey: 'local' }, maxAttempts: 2 };
  const dynamodb = new DynamoDBClient({ ...common, endpoint: endpoints.dynamodb });
  const sqs = new SQSClient({
    ...common,
    endpoint: endpoints.sqs,
    // Every event source holds a connection for its long poll.
    requestHandler: { httpAgent: { maxSockets: 1000, keepAlive: true }, socketAcquisitionWarningTimeout: 60_000 },
    // The check sums of bodies only cost time on the loopback.
    md5: false,
  });
  const s3 = new S3Client({ ...common, endpoint: endpoints.s3, forcePathStyle: true });
  return {
    dynamodb,
    sqs,
    s3,
    close() {
      for (const client of [dynamodb, sqs, s3]) client.destroy();
    },
  };
}
