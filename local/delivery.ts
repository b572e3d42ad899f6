import { GetQueueUrlCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { parseArn } from './account.ts';
import type { EventBuses } from './events/event-bus.ts';
import type { AsyncQueue } from './lambda/async-queue.ts';
import type { LambdaService } from './lambda/service.ts';
import { Sends } from './sqs/sends.ts';

/** What deliveries reach; set once all parts exist, because each of them delivers through the others. */
export interface DeliveryRoutes {
  sqs: SQSClient;
  lambda: LambdaService;
  asyncQueue: AsyncQueue;
  eventBuses: EventBuses;
}

/** Sends JSON text to whatever an ARN names: a queue, a function (asynchronously), an event bus. */
export function createDelivery(routes: () => DeliveryRoutes): (arn: string, body: string, options: DeliveryOptions) => Promise<void> {
  const queueUrls = new Map<string, string>();
  let sends: Sends | undefined;
  return async (arn, body, options) => {
    const parsed = parseArn(arn);
    if (parsed === undefined) throw new Error('not an ARN');
    switch (parsed.service) {
      case 'sqs': {
        const { sqs } = routes();
        let url = queueUrls.get(parsed.resource);
        if (url === undefined) {
          url = (await sqs.send(new GetQueueUrlCommand({ QueueName: parsed.resource }))).QueueUrl ?? '';
          queueUrls.set(parsed.resource, url);
        }
        sends ??= new Sends(sqs);
        return sends.send(url, body, options.messageGroupId);
      }
      case 'lambda': {
        const target = routes().lambda.find(arn);
        if (target === undefined) throw new Error(`there is no function ${arn}`);
        routes().asyncQueue.accept(target, body);
        return;
      }
      case 'events': {
        const result = routes().eventBuses.put({
          EventBusName: parsed.resource,
          Source: options.source,
          DetailType: options.detailType,
          Detail: body,
        });
        if ('ErrorCode' in result) throw new Error(result.ErrorMessage);
        return;
      }
      default:
        throw new Error('only queues, functions and event buses can be reached on this host');
    }
  };
}

export interface DeliveryOptions {
  detailType: string;
  source: string;
  messageGroupId?: string;
}
