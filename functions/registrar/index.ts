import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '@sluice/contracts';
import { createHandler } from './handler.ts';
import { taskTypesIn } from './task-types.ts';

const env = readEnv('registrar', process.env);
const client = DynamoDBDocumentClient.from(new DynamoDBClient());

export const handler = createHandler({ taskTypes: taskTypesIn(client, env.SLUICE_TABLE), fetch });
