import { S3_SHORT_DAYS, SluiceError } from '@sluice/contracts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Clock } from '../../core/ports/clock.ts';
import type { ValueKind, ValueStore } from '../../core/ports/value-store.ts';
import { answerOf, unavailable } from './answers.ts';
import { taskPartition, valueSort } from './keys.ts';

export interface ValueStoreClients {
  readonly dynamodb: DynamoDBDocumentClient;
  readonly s3: S3Client;
}

export interface ValueStoreConfig {
  readonly table: string;
  readonly bucket: string;
  readonly clock: Clock;
}

/** Prefixes that the bucket's lifecycle tells apart: S3 knows no time to live of a single object. */
const SHORT = 'short/';
const LONG = 'long/';
/** ms: an object that must be readable for longer than this goes under the long prefix. */
const SHORT_MS = S3_SHORT_DAYS * 86_400_000;

/** The JSON text of an object, if it is there and the tenant's. */
export async function readObject(s3: S3Client, Bucket: string, tenant: string, key: string, kind: ValueKind): Promise<string | undefined> {
  if (!isOfTenant(tenant, key)) return undefined;
  try {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: key }));
    return await Body?.transformToString('utf-8');
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchKey') return undefined;
    throw unavailable(`read a ${kind}`, error);
  }
}

/** Values beside their rows in DynamoDB, and in S3. */
export function createValueStore({ dynamodb, s3 }: ValueStoreClients, config: ValueStoreConfig): ValueStore {
  const { table: TableName, bucket: Bucket } = config;

  const keyOf = (tenant: string, id: string, name: string, kind: ValueKind) => ({ p: taskPartition(tenant, id), s: valueSort(kind, name) });

  const getItem = async (tenant: string, id: string, name: string, kind: ValueKind): Promise<string | undefined> => {
    const command = new GetCommand({ TableName, Key: keyOf(tenant, id, name, kind), ConsistentRead: true });
    const { Item: item } = await answerOf(`read a ${kind}`, dynamodb.send(command));
    return item && String(item['json']);
  };

  const putObject = async (key: string, json: string, kind: ValueKind): Promise<void> => {
    const command = new PutObjectCommand({ Bucket, Key: key, Body: json, ContentType: 'application/json' });
    await answerOf(`write a ${kind}`, s3.send(command));
  };

  return {
    put: async (tenant, id, name, kind, json, home, until) => {
      const bytes = Buffer.byteLength(json);
      if (home === 'item') {
        const ttl = Math.ceil(until / 1000);
        const item = { ...keyOf(tenant, id, name, kind), json, ttl };
        await answerOf(`write a ${kind}`, dynamodb.send(new PutCommand({ TableName, Item: item })));
        return { in: 'item', bytes };
      }
      const prefix = until - config.clock.now() > SHORT_MS ? LONG : SHORT;
      const key = prefix + objectKey(tenant, id, name, kind);
      await putObject(key, json, kind);
      return { in: 's3', key, bytes };
    },

    get: async (tenant, id, name, kind, value) => {
      const json = value.in === 'item' ? await getItem(tenant, id, name, kind) : await readObject(s3, Bucket, tenant, value.key, kind);
      if (json === undefined) throw gone(`${kind} of ${tenant}/${id}`);
      return json;
    },

    url: async (tenant, { key }, seconds) => {
      if (!isOfTenant(tenant, key)) throw gone(key);
      const command = new GetObjectCommand({ Bucket, Key: key });
      return answerOf('sign a URL', getSignedUrl(s3, command, { expiresIn: seconds }));
    },
  };
}

/** Ids hold characters that mean something in a path; tenants and uids do not. */
function objectKey(tenant: string, id: string, name: string, kind: ValueKind): string {
  return `${tenant}/${encodeURIComponent(id)}/${name}/${kind}.json`;
}

/** A key read out of one tenant's row must never lead into another's objects. */
function isOfTenant(tenant: string, key: string): boolean {
  return [SHORT, LONG].some((prefix) => key.startsWith(`${prefix}${tenant}/`));
}

function gone(what: string): SluiceError {
  return new SluiceError('not_found', `${what} is gone`);
}
