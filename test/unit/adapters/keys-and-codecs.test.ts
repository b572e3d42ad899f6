import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../../adapters/aws/batches.ts';
import { backlogKey, shardOf, taskOfPartition, taskPartition } from '../../../adapters/aws/keys.ts';
import { permitOfText, textOfPermit } from '../../../adapters/aws/permit-codec.ts';
import { nameOfQueue, queueRefOfArn } from '../../../adapters/aws/queue-ref.ts';
import { itemOfRow, rowOfItem } from '../../../adapters/aws/task-item.ts';
import { createMemoryRandom } from '../../../adapters/memory/random.ts';
import { makeHinted, makePermit, makeRow, newUid, NOW } from '../../contract/fixtures.ts';

describe('shards', () => {
  it('are what stored keys were made with', () => {
    expect(['a', 'globex#email', 'thumbnail', '01BX5ZZKBKACTAV9WEVGEMMVRZ'].map((name) => shardOf(name, 4))).toEqual([0, 1, 3, 3]);
  });

  it('take about as much as each other', () => {
    const counts = [0, 0, 0, 0];
    for (let n = 0; n < 4000; n++) counts[shardOf(newUid(), 4)]! += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });
});

describe('keys', () => {
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,20}$/);
  const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@=+~-]{0,30}$/);

  it('of tasks tell tenants and ids apart, and can be read', () => {
    fc.assert(
      fc.property(name, id, (tenant, task) => {
        expect(taskOfPartition(taskPartition(tenant, task))).toEqual({ tenant, id: task });
      }),
    );
  });

  it('of backlogs sort by class, time and seq', () => {
    const hinted = fc.record({
      priority: fc.constantFrom('high', 'normal', 'low'),
      at: fc.integer({ min: 0, max: 8.64e15 }).map((at) => Math.min(at, 999_999_999_999_999)),
      seq: fc.nat(),
    });
    const lane = { tenant: 'a', type: 'b' };
    const uid = newUid();
    const rank = { high: 0, normal: 1, low: 2 };
    fc.assert(
      fc.property(hinted, hinted, (one, two) => {
        const [a, b] = [one, two].map((given) => makeHinted({ ...given, uid, priority: given.priority as 'high' })) as [
          ReturnType<typeof makeHinted>,
          ReturnType<typeof makeHinted>,
        ];
        const byNumbers = rank[a.priority] - rank[b.priority] || a.at - b.at || a.seq - b.seq;
        const [x, y] = [backlogKey(lane, a).s, backlogKey(lane, b).s];
        expect(Math.sign(byNumbers)).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });
});

describe('permits as text', () => {
  it('come back as they were', () => {
    const random = createMemoryRandom(3);
    fc.assert(
      fc.property(fc.nat({ max: 4e12 }), (expiry) => {
        const permit = makePermit({ expiry, nonce: random.nonce() });
        // To the second, never earlier.
        expect(permitOfText(textOfPermit(permit))).toEqual({ ...permit, expiry: Math.ceil(expiry / 1000) * 1000 });
      }),
    );
  });

  it('are short, and nothing else is one', () => {
    expect(textOfPermit(makePermit({ expiry: NOW, nonce: 'abcdefgh' })).length).toBe(15);
    expect(permitOfText('1')).toBeUndefined();
  });
});

describe('a queue’s ARN', () => {
  it.each(['high-0', 'normal-12', 'low-3'])('names %s', (name) => {
    expect(nameOfQueue(queueRefOfArn(`arn:aws:sqs:eu-central-1:123456789012:Sluice-Pool-x-${name}`))).toBe(name);
  });

  it.each(['arn:aws:sqs:eu-central-1:1:outcomes', 'arn:aws:sqs:eu-central-1:1:high-x'])('is refused: %s', (arn) => {
    expect(() => queueRefOfArn(arn)).toThrow('not a shard queue');
  });
});

describe('batches', () => {
  it('hold every entry in order, within both limits, and no fewer than they could', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 40 })), (sizes) => {
        const batches = batchesOf(sizes, (size) => size, 10, 100);
        expect(batches.flat()).toEqual(sizes);
        const sum = (batch: readonly number[]): number => batch.reduce((total, size) => total + size, 0);
        for (const [n, batch] of batches.entries()) {
          expect(batch.length).toBeLessThanOrEqual(10);
          expect(sum(batch)).toBeLessThanOrEqual(100);
          const next = batches[n + 1]?.[0];
          if (next !== undefined) expect(batch.length === 10 || sum(batch) + next > 100).toBe(true);
        }
      }),
    );
  });

  it('let an entry that is too large go alone', () => {
    expect(batchesOf([1, 500, 1], (size) => size, 10, 100)).toEqual([[1], [500], [1]]);
  });
});

describe('items of rows', () => {
  it('hold tenant and id in their key alone', () => {
    const item = itemOfRow(makeRow(), true);
    expect(Object.keys(item)).not.toContain('tenant');
    expect(Object.keys(item)).not.toContain('id');
  });

  it('of yesterday, with fields that are gone since, are rows', () => {
    const row = makeRow();
    expect(rowOfItem({ ...itemOfRow(row, true), retired: { field: 1 } })).toEqual(row);
  });

  it('of something else are none', () => {
    expect(() => rowOfItem({ p: 'T#a#b', s: 'H', v: 2 })).toThrow();
  });
});
