import { PutObjectCommand } from '@aws-sdk/client-s3';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { LastingTaskStore } from '../../core/ports/task-store.ts';
import type { LastingValueStore } from '../../core/ports/value-store.ts';
import { sideBySide } from '../../core/tasks/side-by-side.ts';
import { answerOf } from './answers.ts';
import { taskPartition, valueSort } from './keys.ts';
import { attemptItems, createTaskStore, type TaskStoreConfig } from './task-store.ts';
import { liveOn } from './time-to-live.ts';
import { createValueStore, readObject, type ValueStoreClients, type ValueStoreConfig } from './value-store.ts';

/** Attempts whose time to live is written at once. */
const KEPT_AT_ONCE = 25;

/** {@link createTaskStore} for functions that settle tasks. */
export function createLastingTaskStore(client: DynamoDBDocumentClient, config: TaskStoreConfig): LastingTaskStore {
  const { table } = config;
  return {
    ...createTaskStore(client, config),
    keepAttempts: async (tenant, id, uid, least, until) => {
      const all = await attemptItems(client, table, taskPartition(tenant, id), uid);
      const short = all.filter(({ ttl }) => Number(ttl) < least);
      await sideBySide(short, KEPT_AT_ONCE, ({ p, s }) => liveOn(client, table, { p, s }, { least, until }));
    },
  };
}

/** {@link createValueStore} for functions that settle tasks. */
export function createLastingValueStore(clients: ValueStoreClients, config: ValueStoreConfig): LastingValueStore {
  const { table, bucket: Bucket } = config;
  return {
    ...createValueStore(clients, config),
    keep: async (tenant, id, name, kind, value, least, until) => {
      if (value.in === 's3') {
        const json = await readObject(clients.s3, Bucket, tenant, value.key, kind);
        if (json === undefined) return;
        // Its days are counted from its last write, which is all that can be done about them; under either prefix they are
        // enough for what anybody asks.
        const command = new PutObjectCommand({ Bucket, Key: value.key, Body: json, ContentType: 'application/json' });
        await answerOf(`write a ${kind} again`, clients.s3.send(command));
        return;
      }
      const life = { least: Math.ceil(least / 1000), until: Math.ceil(until / 1000) };
      await liveOn(clients.dynamodb, table, { p: taskPartition(tenant, id), s: valueSort(kind, name) }, life);
    },
  };
}
