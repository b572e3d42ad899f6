import { PRIORITIES } from '@sluice/contracts';
import { DeleteEventSourceMappingCommand, ListEventSourceMappingsCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { DeleteQueueCommand, ListQueuesCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { answerOf, unavailable } from './answers.ts';

export interface CleanUpConfig {
  readonly queueArnPrefix: string;
  readonly functionArn: string;
}

/** Takes away what control has made at run time. */
export interface DedicatedCleanUp {
  readonly removeAll: () => Promise<void>;
}

const GONE = ['ResourceNotFoundException', 'QueueDoesNotExist', 'AWS.SimpleQueueService.NonExistentQueue'];

/**
 * Finds by their names all queues of single tenants, whatever the routing document says, and deletes them with their event
 * sources: for a stack that is deleted, whose messages nobody will read. May be repeated.
 */
export function createCleanUp(
  { sqs, lambda }: { readonly sqs: SQSClient; readonly lambda: LambdaClient },
  { queueArnPrefix, functionArn }: CleanUpConfig,
): DedicatedCleanUp {
  const isDedicated = (name: string): boolean => PRIORITIES.some((priority) => new RegExp(`^${priority}-d\\d+$`).test(name));

  const deleteSources = async (): Promise<void> => {
    let Marker: string | undefined;
    do {
      const command = new ListEventSourceMappingsCommand({ FunctionName: functionArn, ...(Marker !== undefined && { Marker }) });
      const page = await answerOf('list event sources', lambda.send(command));
      for (const { UUID, EventSourceArn = '', State } of page.EventSourceMappings ?? []) {
        if (State === 'Deleting' || !EventSourceArn.startsWith(queueArnPrefix)) continue;
        if (!isDedicated(EventSourceArn.slice(queueArnPrefix.length))) continue;
        await unlessGone('delete an event source', lambda.send(new DeleteEventSourceMappingCommand({ UUID })));
      }
      Marker = page.NextMarker;
    } while (Marker !== undefined && Marker !== '');
  };

  const deleteQueues = async (): Promise<void> => {
    const prefix = queueArnPrefix.split(':').at(-1) ?? '';
    for (const priority of PRIORITIES) {
      let NextToken: string | undefined;
      do {
        const page = await answerOf(
          'list queues',
          sqs.send(new ListQueuesCommand({ QueueNamePrefix: `${prefix}${priority}-d`, MaxResults: 1_000, NextToken })),
        );
        for (const QueueUrl of page.QueueUrls ?? []) {
          const name = QueueUrl.split('/').at(-1) ?? '';
          if (isDedicated(name.slice(prefix.length))) await unlessGone('delete a queue', sqs.send(new DeleteQueueCommand({ QueueUrl })));
        }
        NextToken = page.NextToken;
      } while (NextToken !== undefined);
    }
  };

  return {
    removeAll: async () => {
      await deleteSources();
      await deleteQueues();
    },
  };
}

async function unlessGone(what: string, answer: Promise<unknown>): Promise<void> {
  try {
    await answer;
  } catch (error) {
    if (!(error instanceof Error && GONE.includes(error.name))) throw unavailable(what, error);
  }
}
