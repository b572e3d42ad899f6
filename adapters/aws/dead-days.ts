import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { answerOf } from './answers.ts';
import { deadDayKey } from './keys.ts';

/** Days that the note of a day is kept: longer than a row of it can be. */
const KEPT_DAYS = 400;
/** Notes that one environment remembers to have made. */
const REMEMBERED = 10_000;

/** Notes that tasks of a type failed on a day, once for each environment. Durable when it returns. */
export type NoteFailure = (tenant: string, type: string, at: number) => Promise<void>;

/**
 * The days on which a tenant's tasks failed, by type: without them whoever lists failures of all types would have to
 * query each type that there ever was, day by day.
 */
export function createNoteFailure(client: DynamoDBDocumentClient, TableName: string): NoteFailure {
  const noted = new Set<string>();
  return async (tenant, type, at) => {
    const key = deadDayKey(tenant, type, at);
    const name = `${key.p}#${key.s}`;
    if (noted.has(name)) return;
    const item = { ...key, v: 1, ttl: Math.ceil(at / 1000) + KEPT_DAYS * 86_400 };
    await answerOf('note a day of failures', client.send(new PutCommand({ TableName, Item: item })));
    if (noted.size >= REMEMBERED) noted.clear();
    noted.add(name);
  };
}
