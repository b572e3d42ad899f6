import type { BatchResult, Problem } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { call, clientOf, eventually, fresh, tokenOf } from './target.ts';

type Refused = Extract<BatchResult, { ok: false }>;

const task = () => ({ type: 'clean-text', payload: { text: 'x' } });
const bodyOf = (value: unknown) => ({ method: 'POST', body: JSON.stringify(value) });

describe.concurrent('a tenant that floods the platform', () => {
  test('is told that it is beyond its rate, and when to come back; the others are never refused', { timeout: 180_000 }, async () => {
    const tenant = fresh('flood');
    const operator = await clientOf(fresh('operator'), ['platform']);
    await operator.quotas.put(tenant, { rate: 5, burst: 10 });
    const token = await tokenOf(tenant);
    const flood = async (): Promise<readonly Refused[]> => {
      const answer = await call('/v1/tasks/batch', { token, ...bodyOf({ tasks: Array.from({ length: 60 }, task) }) });
      expect(answer.status).toBe(200);
      const { results } = (await answer.json()) as { results: BatchResult[] };
      return results.filter((result): result is Refused => !result.ok);
    };
    const others = await Promise.all(Array.from({ length: 5 }, () => clientOf(fresh('calm'))));
    const calm = () => Promise.all(others.map((other) => other.submit(task())));

    const refused = await eventually('a refused batch', async () => {
      const [errors] = await Promise.all([flood(), calm()]);
      return errors.length > 0 ? errors : undefined;
    });
    for (const { error } of refused) expect(error).toMatchObject({ status: 429, code: 'rate_limited' });
    const seconds = refused.map(({ error }) => Number(error.details?.['retryAfterSeconds']));
    expect(seconds.every((each) => Number.isInteger(each) && each >= 1 && each <= 300)).toBe(true);

    // Alone in a call, its answer is the 429.
    const alone = await eventually('a refused call', async () => {
      await flood();
      const answer = await call('/v1/tasks', { token, ...bodyOf(task()) });
      return answer.status === 429 ? answer : undefined;
    });
    expect(Number(alone.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await alone.json()) as Problem).toMatchObject({ code: 'rate_limited' });

    // An operator sees who it is.
    const seen = await eventually('the heavy hitter', async () => {
      await Promise.all([flood(), calm()]);
      const { tenants } = await operator.heavyHitters({ limit: 200 });
      const found = tenants.find((each) => each.tenant === tenant);
      return found && found.refusedPerSecond > 0 ? found : undefined;
    });
    expect(seen.offeredPerSecond).toBeGreaterThanOrEqual(seen.refusedPerSecond);
    expect(await calm()).toHaveLength(5);
    await operator.quotas.delete(tenant);
  });

  test('shows its operator alone who submits most', async () => {
    const [admin, operator] = await Promise.all([clientOf(fresh('a'), ['admin']), clientOf(fresh('o'), ['platform'])]);
    await expect(admin.heavyHitters()).rejects.toMatchObject({ code: 'forbidden' });
    expect(await operator.heavyHitters()).toMatchObject({ pressed: false });
    await expect(operator.heavyHitters({ limit: 201 })).rejects.toThrow('1 to 200');
  });
});
