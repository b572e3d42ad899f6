import type * as Sdk from '@aws-sdk/client-sqs';
import { jsonErrorOf, jsonOperation } from './json.ts';
import { type ClientConfig, type Command, commandOf, ServiceClient } from './service.ts';

/** Calls go to the client's endpoint; the queue's URL only names it. */
export class SQSClient extends ServiceClient {
  constructor(config?: ClientConfig) {
    super({ endpointPrefix: 'sqs', endpointVariable: 'SQS', errorOf: jsonErrorOf }, config);
  }
}

function command<I, O>(operation: string): new (input: I) => Command<I, O> {
  return commandOf(jsonOperation<I, O>('1.0', `AmazonSQS.${operation}`));
}

export const SendMessageBatchCommand = command<Sdk.SendMessageBatchCommandInput, Sdk.SendMessageBatchCommandOutput>('SendMessageBatch');
export const GetQueueAttributesCommand = command<Sdk.GetQueueAttributesCommandInput, Sdk.GetQueueAttributesCommandOutput>(
  'GetQueueAttributes',
);
export const CreateQueueCommand = command<Sdk.CreateQueueCommandInput, Sdk.CreateQueueCommandOutput>('CreateQueue');
export const DeleteQueueCommand = command<Sdk.DeleteQueueCommandInput, Sdk.DeleteQueueCommandOutput>('DeleteQueue');
export const ListQueuesCommand = command<Sdk.ListQueuesCommandInput, Sdk.ListQueuesCommandOutput>('ListQueues');
export const ReceiveMessageCommand = command<Sdk.ReceiveMessageCommandInput, Sdk.ReceiveMessageCommandOutput>('ReceiveMessage');
export const DeleteMessageBatchCommand = command<Sdk.DeleteMessageBatchCommandInput, Sdk.DeleteMessageBatchCommandOutput>(
  'DeleteMessageBatch',
);
export const ChangeMessageVisibilityCommand = command<Sdk.ChangeMessageVisibilityCommandInput, Sdk.ChangeMessageVisibilityCommandOutput>(
  'ChangeMessageVisibility',
);
