import { describe, expect, test } from 'vitest';
import { serveLocally } from './local-server.ts';
import { clientOf, eventually, finished, fresh } from './target.ts';

/** What the resource `vendor` lets its two types have at once. */
const AT_ONCE = 4;

/** What handlers ask whether the vendor is well: how many do at once, and the ms that it takes. */
const vendor = { ok: true, takesMs: 500, asked: 0, most: 0 };
const url = serveLocally((_, response) => {
  vendor.asked += 1;
  vendor.most = Math.max(vendor.most, vendor.asked);
  setTimeout(() => {
    vendor.asked -= 1;
    response.writeHead(vendor.ok ? 204 : 503).end();
  }, vendor.takesMs);
});

describe('a resource that two types draw on', () => {
  test('is never used by more at once than it bears, whoever of its types and tenants they are', async () => {
    const clients = await Promise.all([fresh('one'), fresh('two')].map((tenant) => clientOf(tenant)));
    const submitted = clients.flatMap((client) =>
      ['order', 'refund'].flatMap((type) => Array.from({ length: 4 }, () => ({ client, type, id: fresh(type) }))),
    );
    await Promise.all(submitted.map(({ client, type, id }) => client.submit({ type, id, payload: { do: 'exit-unless', url: url() } })));
    const tasks = await Promise.all(submitted.map(({ client, id }) => finished(client, id)));
    expect(tasks.map(({ state, attempts }) => [state, attempts])).toEqual(submitted.map(() => ['succeeded', 1]));
    expect(vendor.most).toBeLessThanOrEqual(AT_ONCE);
    expect(vendor.most).toBeGreaterThan(1);
  });

  test('that is down has one breaker, which holds both types; both go on when it is back', async () => {
    Object.assign(vendor, { ok: false, takesMs: 0 });
    const tenant = fresh('customer');
    const client = await clientOf(tenant);
    const operator = await clientOf(fresh('operator'), ['platform']);
    // Others have their turn before one of them crashes again: one alone that crashes three times is poison.
    const retry = { maxAttempts: 10, minDelaySeconds: 5 };
    const of = (type: string) =>
      Array.from({ length: 6 }, () => ({ type, id: fresh(type), payload: { do: 'exit-unless', url: url() }, retry }));
    const submissions = [...of('order'), ...of('refund')];
    await client.submitMany(submissions);

    const breaker = await eventually('the breaker of the vendor is open', async () => {
      const found = await operator.breakers.get('resource:vendor');
      return found.state === 'closed' ? undefined : found;
    });
    expect(breaker.why.tenants).toContain(tenant);
    for (const type of ['order', 'refund']) expect((await client.lanes.get(type)).why.code).toMatch(/^breaker_/);

    vendor.ok = true;

    const tasks = await Promise.all(submissions.map(({ id }) => finished(client, id)));
    expect(tasks.map(({ state }) => state)).toEqual(submissions.map(() => 'succeeded'));
  });
});
