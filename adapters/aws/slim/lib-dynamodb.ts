import type * as Sdk from '@aws-sdk/lib-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBClient } from './client-dynamodb.ts';
import { jsonOperation } from './json.ts';
import { type Command, commandOf } from './service.ts';

/** The commands below marshal what they send and get themselves. Binary attributes are not among it. */
export const DynamoDBDocumentClient = {
  from: (client: DynamoDBClient): DynamoDBClient => client,
};

/** Changes a part of an input or output. What is not there is left out of it. */
type Change = (part: never) => unknown;
type Changed = Record<string, unknown>;

const fields =
  (changes: Readonly<Record<string, Change>>): Change =>
  (part: Changed): Changed => {
    const changed = { ...part };
    for (const [name, change] of Object.entries(changes)) if (part[name] !== undefined) changed[name] = change(part[name] as never);
    return changed;
  };
const each =
  (change: Change): Change =>
  (part: readonly unknown[]) =>
    part.map((one) => change(one as never));
const values =
  (change: Change): Change =>
  (part: Changed): Changed =>
    Object.fromEntries(Object.entries(part).map(([name, one]) => [name, change(one as never)]));

/** Where attributes are in inputs and outputs, for the change that is to be made to them. */
const ofOne = (change: Change): Change =>
  fields({
    Key: change,
    Item: change,
    Items: each(change),
    Attributes: change,
    ExpressionAttributeValues: change,
    ExclusiveStartKey: change,
    LastEvaluatedKey: change,
  });
const ofWrites = (change: Change): Change => {
  const tables = values(each(fields({ PutRequest: fields({ Item: change }), DeleteRequest: fields({ Key: change }) })));
  return fields({ RequestItems: tables, UnprocessedItems: tables });
};
const ofReads = (change: Change): Change => {
  const tables = values(fields({ Keys: each(change) }));
  return fields({ RequestItems: tables, UnprocessedKeys: tables, Responses: values(each(change)) });
};

function documentCommand<I, O>(operation: string, attributes: (change: Change) => Change = ofOne): new (input: I) => Command<I, O> {
  const { callOf, outputOf } = jsonOperation<unknown, unknown>('1.0', `DynamoDB_20120810.${operation}`);
  const marshalled = attributes((part: Changed) => marshall(part, { removeUndefinedValues: true }));
  const unmarshalled = attributes((part: Parameters<typeof unmarshall>[0]) => unmarshall(part));
  return commandOf<I, O>({
    callOf: (input) => callOf(marshalled(input as never)),
    outputOf: (answer) => unmarshalled(outputOf(answer) as never) as O,
  });
}

export const GetCommand = documentCommand<Sdk.GetCommandInput, Sdk.GetCommandOutput>('GetItem');
export const PutCommand = documentCommand<Sdk.PutCommandInput, Sdk.PutCommandOutput>('PutItem');
export const UpdateCommand = documentCommand<Sdk.UpdateCommandInput, Sdk.UpdateCommandOutput>('UpdateItem');
export const DeleteCommand = documentCommand<Sdk.DeleteCommandInput, Sdk.DeleteCommandOutput>('DeleteItem');
export const QueryCommand = documentCommand<Sdk.QueryCommandInput, Sdk.QueryCommandOutput>('Query');
export const ScanCommand = documentCommand<Sdk.ScanCommandInput, Sdk.ScanCommandOutput>('Scan');
export const BatchGetCommand = documentCommand<Sdk.BatchGetCommandInput, Sdk.BatchGetCommandOutput>('BatchGetItem', ofReads);
export const BatchWriteCommand = documentCommand<Sdk.BatchWriteCommandInput, Sdk.BatchWriteCommandOutput>('BatchWriteItem', ofWrites);
