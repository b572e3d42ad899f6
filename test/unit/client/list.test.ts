import type { ListResponse, TaskSummary } from '@sluice/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceClient } from '../../../packages/client/src/index.ts';
import { answer, cut, startApiServer, type ApiServer } from './api-server.ts';
import { fakePlatform } from './fake-platform.ts';
import { problem, task } from './samples.ts';

let server: ApiServer;
let client: SluiceClient;

beforeEach(async () => {
  server = await startApiServer();
  client = new SluiceClient({ baseUrl: server.baseUrl, token: 't', minRetryDelayMs: 1 });
});
afterEach(() => server.close());

const summary = (id: string): TaskSummary => {
  const { timeline, result: _, ...rest } = task(id, 'failed');
  return { ...rest, acceptedAt: timeline.acceptedAt };
};
const page = (ids: readonly string[], cursor?: string) =>
  answer(200, { tasks: ids.map(summary), ...(cursor !== undefined && { cursor }) } satisfies ListResponse);
async function idsOf(tasks: AsyncIterable<{ id: string }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of tasks) ids.push(id);
  return ids;
}
const urls = () => server.received.map(({ url }) => url);

describe('list', () => {
  it('goes on from page to page, empty ones too, until there is no cursor', async () => {
    server.reply(page(['a', 'b'], 'c/1'), page([], 'c2'), page([], 'c3'), page(['c']));
    expect(await idsOf(client.list())).toEqual(['a', 'b', 'c']);
    expect(urls()).toEqual(['/v1/tasks', '/v1/tasks?cursor=c%2F1', '/v1/tasks?cursor=c2', '/v1/tasks?cursor=c3']);
  });

  it('fetches a page only when the loop comes to it, and none after the loop is left', async () => {
    server.reply(page(['a', 'b'], 'c1'), page(['c', 'd'], 'c2'), page(['e']));
    const tasks = client.list();
    expect(server.received).toHaveLength(0);
    const seen: [string, number][] = [];
    for await (const { id } of tasks) {
      seen.push([id, server.received.length]);
      if (id === 'c') break;
    }
    expect(seen).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 2],
    ]);
    expect(await tasks.next()).toEqual({ done: true, value: undefined });
    expect(server.received).toHaveLength(2);
  });

  it('asks with its whole filter on every page', async () => {
    server.reply(page([], 'next'), page([]));
    const filter = {
      type: 'send-email',
      state: 'cancelling',
      labels: { order: '17', 'a b': 'x:y&z' },
      from: new Date('2026-01-01T00:00:00Z'),
      to: '2026-02-01T00:00:00+01:00',
      pageSize: 200,
    } as const;
    await idsOf(client.list(filter));
    const asked = urls().map((url) => new URL(url, 'http://x').searchParams);
    expect(asked[0]?.getAll('label')).toEqual(['order:17', 'a b:x:y&z']);
    const { label: _, ...single } = Object.fromEntries(asked[0] ?? []);
    expect(single).toEqual({
      type: 'send-email',
      state: 'cancelling',
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-02-01T00:00:00+01:00',
      limit: '200',
    });
    expect(urls()[0]).not.toContain('+');
    asked[1]?.delete('cursor', 'next');
    expect(asked[1]?.toString()).toBe(asked[0]?.toString());
  });

  it('repeats a page that was cut', async () => {
    server.reply(page(['a'], 'c'), cut, page(['b']));
    expect(await idsOf(client.list())).toEqual(['a', 'b']);
  });

  it('ends with the error of a page, after the tasks before it', async () => {
    server.reply(page(['a'], 'c'), answer(400, problem('bad_cursor')));
    const seen: string[] = [];
    const read = async () => {
      for await (const { id } of client.list()) seen.push(id);
    };
    await expect(read()).rejects.toMatchObject({ name: 'BadRequestError', code: 'bad_cursor' });
    expect(seen).toEqual(['a']);
  });

  it('does not go round in circles', async () => {
    server.reply(page(['a'], 'c'));
    await expect(idsOf(client.list())).rejects.toMatchObject({ kind: 'schema_mismatch' });
    expect(server.received).toHaveLength(2);
  });

  it('ends with the reason of its signal', async () => {
    server.reply(page(['a'], 'c'), () => undefined);
    const controller = new AbortController();
    const reason = new Error('enough');
    const read = idsOf(client.list({}, { signal: controller.signal }));
    await expect.poll(() => server.received.length).toBe(2);
    controller.abort(reason);
    await expect(read).rejects.toBe(reason);
  });

  it.each([
    [{ labels: { 'a:b': 'c' } }, 'labels: the key "a:b" has a colon'],
    [{ labels: Object.fromEntries(Array.from({ length: 11 }, (_, n) => [`k${n}`, 'v'])) }, 'labels'],
    [{ from: new Date(Number.NaN) }, 'from is an invalid date'],
    [{ to: 'yesterday' }, 'to: '],
    [{ pageSize: 201 }, 'pageSize'],
    [{ type: 'No Type' }, 'type'],
  ])('says at once what is wrong with a filter: %j', (filter, message) => {
    expect(() => client.list(filter)).toThrow(TypeError);
    expect(() => client.list(filter)).toThrow(message);
  });

  it('gives one page at a time to whoever turns them by hand', async () => {
    server.reply(fakePlatform());
    await client.submitMany(Array.from({ length: 5 }, (_, n) => ({ type: 'x', id: `t${n}` })));
    const first = await client.listPage({ type: 'x', pageSize: 2 });
    const second = await client.listPage({ type: 'x', pageSize: 2, cursor: first.cursor });
    expect([first.tasks, second.tasks].map((tasks) => tasks.map(({ id }) => id))).toEqual([
      ['t4', 't3'],
      ['t2', 't1'],
    ]);
    await expect(client.listPage({ cursor: 'x'.repeat(513) })).rejects.toThrow(TypeError);
  });

  it('has every task of any sequence of pages once, in order', async () => {
    const fetchPages = (pages: readonly number[]) => {
      const bodies = pages.map((size, n) => ({
        tasks: Array.from({ length: size }, (_, i) => summary(`t${n}-${i}`)),
        ...(n < pages.length - 1 && { cursor: `c${n + 1}` }),
      }));
      return (url: string) => {
        const cursor = new URL(url).searchParams.get('cursor') ?? 'c0';
        return Promise.resolve(Response.json(bodies[Number(cursor.slice(1))]));
      };
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 12 }), async (pages) => {
        const other = new SluiceClient({ baseUrl: 'http://x', token: 't', fetch: fetchPages(pages) });
        expect(await idsOf(other.list())).toEqual(pages.flatMap((size, n) => Array.from({ length: size }, (_, i) => `t${n}-${i}`)));
      }),
    );
  });
});
