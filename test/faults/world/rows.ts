import type { TaskRow } from '@sluice/contracts';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBatch } from '../../../adapters/aws/batch-get.ts';
import { ROW_SORT, taskPartition } from '../../../adapters/aws/keys.ts';
import { rowOfItem } from '../../../adapters/aws/task-item.ts';
import { systemRandom } from '../../../adapters/system.ts';

const LOOK_EVERY_MS = 400;

interface Waiter {
  readonly holds: (row: TaskRow | undefined) => boolean;
  readonly resolve: (row: TaskRow | undefined) => void;
}

/** Waits for rows of many tasks together: one read looks at a hundred, and no function is asked. */
export class Rows {
  private readonly client: DynamoDBDocumentClient;
  private readonly table: string;
  private readonly waiting = new Map<string, Waiter[]>();
  private looking: Promise<void> | undefined;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.client = client;
    this.table = table;
  }

  /** @throws after so many seconds, with the row as it then was */
  async until(tenant: string, id: string, what: string, seconds: number, holds: Waiter['holds']): Promise<TaskRow | undefined> {
    const key = taskPartition(tenant, id);
    let last: TaskRow | undefined;
    const found = new Promise<TaskRow | undefined>((resolve) => {
      const noted = (row: TaskRow | undefined): boolean => {
        last = row;
        return holds(row);
      };
      this.waiting.set(key, [...(this.waiting.get(key) ?? []), { holds: noted, resolve }]);
      this.looking ??= this.look();
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.waiting.delete(key);
        reject(new Error(`${tenant}/${id}: ${what}, not within ${seconds} s; its row is ${JSON.stringify(last)}`));
      }, seconds * 1_000);
    });
    try {
      return await Promise.race([found, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async look(): Promise<void> {
    while (this.waiting.size > 0) {
      // A machine that is too busy for an answer has one later.
      await this.lookOnce().catch(() => undefined);
      await sleep(LOOK_EVERY_MS);
    }
    this.looking = undefined;
  }

  private async lookOnce(): Promise<void> {
    const keys = [...this.waiting.keys()];
    const items = await readBatch(
      this.client,
      'look at tasks',
      this.table,
      systemRandom,
      keys.map((p) => ({ p, s: ROW_SORT })),
    );
    const rows = new Map(items.map((item) => [String(item['p']), rowOfItem(item)]));
    for (const key of keys) {
      const waiters = this.waiting.get(key) ?? [];
      const left = waiters.filter((waiter) => !waiter.holds(rows.get(key)));
      if (left.length > 0) this.waiting.set(key, left);
      else this.waiting.delete(key);
      for (const waiter of waiters) if (!left.includes(waiter)) waiter.resolve(rows.get(key));
    }
  }
}
