import type { TaskRow } from '@sluice/contracts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Random } from '../../core/ports/random.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import { readBatch } from './batch-get.ts';
import { ROW_SORT, taskPartition } from './keys.ts';
import { rowOfItem } from './task-item.ts';

export interface ReadRowsConfig {
  readonly table: string;
  readonly random: Pick<Random, 'fraction'>;
  readonly telemetry: Telemetry;
}

/** Reads the rows of many tasks consistently, in no order and without those that are not there. */
export function createRowReader(
  client: DynamoDBDocumentClient,
  { table, random, telemetry }: ReadRowsConfig,
): (tenant: string, ids: readonly string[]) => Promise<readonly TaskRow[]> {
  return async (tenant, ids) => {
    const keys = [...new Set(ids)].map((id) => ({ p: taskPartition(tenant, id), s: ROW_SORT }));
    const items = await readBatch(client, 'read tasks', table, random, keys);
    return items.flatMap((item): TaskRow[] => {
      try {
        return [rowOfItem(item)];
      } catch (error) {
        // One row that cannot be read must not end the list of all others.
        telemetry.log('error', 'row that cannot be read', { key: item['p'], error: String(error) });
        return [];
      }
    });
  };
}
