import { CreateTableCommand, DescribeTableCommand, ResourceInUseException, type CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from '@aws-sdk/client-sqs';
import { ACCOUNT, arnOf, REGION } from '../account.ts';
import { textOf, type Json } from '../assembly/template.ts';
import type { Clients } from '../clients.ts';
import type { LogSink } from '../log.ts';
import { attributes, physicalName, unsupported, type ResourceProvider } from './provider.ts';

/** Tables, queues and buckets: made if they are not there yet, never removed. */
export function dataStoreProviders(clients: Clients, log: LogSink): Record<string, ResourceProvider> {
  const table = tableProvider(clients, log);
  return {
    'AWS::DynamoDB::Table': table,
    'AWS::DynamoDB::GlobalTable': table,
    'AWS::SQS::Queue': queueProvider(clients),
    'AWS::S3::Bucket': bucketProvider(clients, log),
  };
}

function tableProvider({ dynamodb }: Clients, log: LogSink): ResourceProvider {
  return async (request) => {
    const { properties } = request;
    const name = physicalName(request, properties['TableName'], 255);
    const indexes = properties['GlobalSecondaryIndexes'] as Json[] | undefined;
    const input = {
      TableName: name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: properties['AttributeDefinitions'],
      KeySchema: properties['KeySchema'],
      ...(indexes === undefined || indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema, Projection }) => ({
              IndexName,
              KeySchema,
              Projection,
            })),
          }),
      ...(properties['LocalSecondaryIndexes'] === undefined ? {} : { LocalSecondaryIndexes: properties['LocalSecondaryIndexes'] }),
    } as CreateTableCommandInput;
    try {
      await dynamodb.send(new CreateTableCommand(input));
    } catch (error) {
      if (!(error instanceof ResourceInUseException)) throw error;
    }
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: name }));
    const kept = new Set(Table?.GlobalSecondaryIndexes?.map((index) => index.IndexName));
    for (const { IndexName } of indexes ?? []) {
      if (kept.has(String(IndexName))) continue;
      const message = `The kept table ${name} has no index ${String(IndexName)}: delete the data folder to make it anew.`;
      log({ level: 'warn', source: 'deployment', message });
    }
    return { ref: name, attribute: attributes({ Arn: arnOf('dynamodb', `table/${name}`), TableId: Table?.TableId }) };
  };
}

const QUEUE_ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DelaySeconds',
  'FifoQueue',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedrivePolicy',
  'VisibilityTimeout',
];

function queueProvider({ sqs }: Clients): ResourceProvider {
  return async (request) => {
    const { properties } = request;
    const suffix = properties['FifoQueue'] === true ? '.fifo' : '';
    const name = physicalName(request, properties['QueueName'], 80, suffix);
    const values: Record<string, string> = {};
    for (const attribute of QUEUE_ATTRIBUTES) {
      const value = properties[attribute];
      if (value !== undefined) values[attribute] = textOf(value);
    }
    let url: string | undefined;
    try {
      url = (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: values }))).QueueUrl;
    } catch (error) {
      if ((error as Error).name !== 'QueueNameExists' && (error as Error).name !== 'QueueAlreadyExists') throw error;
      url = (await sqs.send(new GetQueueUrlCommand({ QueueName: name }))).QueueUrl;
      // A queue stays what it was made as.
      delete values['FifoQueue'];
      await sqs.send(new SetQueueAttributesCommand({ QueueUrl: url, Attributes: values }));
    }
    return { ref: url ?? '', attribute: attributes({ Arn: arnOf('sqs', name), QueueName: name, QueueUrl: url }) };
  };
}

function bucketProvider({ s3 }: Clients, log: LogSink): ResourceProvider {
  return async (request) => {
    const { properties } = request;
    if (properties['NotificationConfiguration'] !== undefined) throw unsupported(request, 'NotificationConfiguration');
    if (properties['WebsiteConfiguration'] !== undefined) {
      log({ level: 'warn', source: 'deployment', message: `${request.logicalId}: bucket websites are not served.` });
    }
    const name = physicalName(request, properties['BucketName'], 63).toLowerCase();
    try {
      await s3.send(new CreateBucketCommand({ Bucket: name }));
    } catch (error) {
      if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes((error as Error).name)) throw error;
    }
    const domain = `${name}.s3.${REGION}.amazonaws.com`;
    const values = { Arn: `arn:aws:s3:::${name}`, DomainName: domain, RegionalDomainName: domain, OwnerAccount: ACCOUNT };
    return { ref: name, attribute: attributes(values) };
  };
}
