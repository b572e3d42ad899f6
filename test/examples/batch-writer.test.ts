import type { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBatchWriter, type BatchWriter } from '../../examples/import-csv/batch-writer.ts';
import type { CityItem } from '../../examples/import-csv/chunks.ts';

/** What dynalite never does: leave items unprocessed, or fail in the middle. */
type Answer = (requests: readonly unknown[], call: number) => Promise<readonly unknown[]>;

function writerOn(answer: Answer, signal = new AbortController().signal): { writer: BatchWriter; sizes: number[] } {
  const sizes: number[] = [];
  const send = async ({ input }: BatchWriteCommand) => {
    const requests = input.RequestItems?.['cities'] ?? [];
    sizes.push(requests.length);
    const left = await answer(requests, sizes.length);
    return { UnprocessedItems: left.length > 0 ? { cities: left } : {} };
  };
  const client = { send } as unknown as DynamoDBDocumentClient;
  return { writer: createBatchWriter({ client, table: 'cities', signal }), sizes };
}

const item = (n: number): CityItem => ({ country: 'MT', part: String(n), cities: [] });

async function putAll(writer: BatchWriter, count: number): Promise<number> {
  for (let n = 0; n < count; n += 1) await writer.put(item(n));
  return writer.finish();
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the batch writer', () => {
  it('writes 25 at a time and the rest at the end', async () => {
    const { writer, sizes } = writerOn(() => Promise.resolve([]));
    expect(await putAll(writer, 60)).toBe(60);
    expect(sizes).toEqual([25, 25, 10]);
  });

  it('writes again what was left unprocessed, and only that', async () => {
    vi.useRealTimers();
    const { writer, sizes } = writerOn((requests, call) => Promise.resolve(call < 3 ? requests.slice(0, 5) : []));
    expect(await putAll(writer, 25)).toBe(25);
    expect(sizes).toEqual([25, 5, 5]);
  });

  it('gives up as throttled when the table takes nothing', async () => {
    vi.useRealTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0);
    const { writer, sizes } = writerOn((requests) => Promise.resolve(requests));
    await expect(putAll(writer, 25)).rejects.toMatchObject({ name: 'ThrottledError', retryAfter: 30 });
    expect(sizes).toHaveLength(8);
    vi.restoreAllMocks();
  });

  it('has at most four batches under way, and waits for room', async () => {
    let atOnce = 0;
    let most = 0;
    const { writer } = writerOn(async () => {
      most = Math.max(most, (atOnce += 1));
      await vi.advanceTimersByTimeAsync(1);
      atOnce -= 1;
      return [];
    });
    expect(await putAll(writer, 500)).toBe(500);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('fails with the first failure, once nothing is under way any more', async () => {
    let underWay = 0;
    const { writer } = writerOn(async (_requests, call) => {
      underWay += 1;
      await Promise.resolve();
      underWay -= 1;
      if (call === 2) throw new Error('second batch');
      return [];
    });
    await expect(putAll(writer, 1_000)).rejects.toThrow('second batch');
    expect(underWay).toBe(0);
  });

  it('stops waiting when it is aborted', async () => {
    vi.useRealTimers();
    const controller = new AbortController();
    const { writer } = writerOn((requests) => {
      controller.abort();
      return Promise.resolve(requests);
    }, controller.signal);
    await expect(putAll(writer, 25)).rejects.toMatchObject({ name: 'AbortError' });
  });
});
