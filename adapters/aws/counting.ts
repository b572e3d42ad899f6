import type { Pluggable } from '@smithy/types';
import { TABLE } from '@sluice/contracts';

/** What calls cost. */
export interface CallCounts {
  calls: number;
  writeUnits: number;
  readUnits: number;
}

/** Counts by operation, such as `PutItem` or `SendMessageBatch`. */
export type CallCounter = Map<string, CallCounts>;

interface Capacity {
  readonly CapacityUnits?: number;
  readonly GlobalSecondaryIndexes?: object;
}

const WRITES = new Set(['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem']);
const READS = new Set(['GetItem', 'Query', 'Scan', 'BatchGetItem']);

/**
 * Counts a client's calls, those that the SDK repeats included, and the units that DynamoDB bills for them.
 * @returns the client
 */
export function countCalls<C extends { readonly middlewareStack: { readonly use: (plugin: never) => void } }>(
  client: C,
  counter: CallCounter,
): C {
  client.middlewareStack.use(countingPlugin(counter) as never);
  return client;
}

function countingPlugin(counter: CallCounter): Pluggable<object, object> {
  const countsOf = (operation: string): CallCounts => {
    const counts = counter.get(operation) ?? { calls: 0, writeUnits: 0, readUnits: 0 };
    counter.set(operation, counts);
    return counts;
  };

  return {
    applyToStack: (stack) => {
      stack.add(
        (next, context) => async (args) => {
          const operation = operationOf(context);
          if (!WRITES.has(operation) && !READS.has(operation)) return next(args);
          // INDEXES, so that an index's units are in the total as they are on the bill.
          const counts = countsOf(operation);
          const input = { ...args.input, ReturnConsumedCapacity: 'INDEXES' };
          const answer = await next({ ...args, input }).catch((error: unknown) => {
            // A lost condition is billed as a write, without saying so.
            if (error instanceof Error && error.name === 'ConditionalCheckFailedException') counts.writeUnits += 1;
            throw error;
          });
          const units = unitsOf(answer.output, args.input);
          if (WRITES.has(operation)) counts.writeUnits += units;
          else counts.readUnits += units;
          return answer;
        },
        { step: 'initialize', name: 'sluiceCountUnits', override: true },
      );
      stack.add(
        (next, context) => async (args) => {
          countsOf(operationOf(context)).calls += 1;
          return next(args);
        },
        { step: 'finalizeRequest', priority: 'low', name: 'sluiceCountCalls', override: true },
      );
    },
  };
}

function operationOf(context: { readonly commandName?: unknown }): string {
  return String(context.commandName).replace(/Command$/, '');
}

function unitsOf(output: object, input: object): number {
  const { ConsumedCapacity } = output as { ConsumedCapacity?: Capacity | readonly Capacity[] };
  const capacities = [ConsumedCapacity ?? []].flat() as readonly Capacity[];
  return capacities.reduce(
    (sum, capacity) => sum + (capacity.CapacityUnits ?? 0) + (capacity.GlobalSecondaryIndexes ? 0 : indexUnits(input)),
    0,
  );
}

/** Emulators count no units of indexes: one for each index of keys alone that a write names a key of. */
function indexUnits(input: object): number {
  const { Item, ExpressionAttributeValues } = input as { Item?: object; ExpressionAttributeValues?: object };
  const written = { ...Item, ...ExpressionAttributeValues };
  return [TABLE.listIndex, TABLE.deadIndex].filter(({ partitionKey }) => partitionKey in written || `:${partitionKey}` in written).length;
}
