import { beforeAll, describe, expect, test } from 'vitest';
import { clientOf, eventually, finished, fresh, type Client } from './target.ts';

/** The lane of `narrow` holds two. */
const NARROW = 2;

let operator: Client;
beforeAll(async () => {
  operator = await clientOf(fresh('operator'), ['platform']);
});

describe.concurrent('whoever looks after the platform', () => {
  test('sees a full lane, what waits in it, and why; so does its tenant, and no other', async () => {
    const tenant = fresh('looked-at');
    const client = await clientOf(tenant);
    const ids = Array.from({ length: 12 }, (_, n) => fresh(`queued-${n}`));
    await client.submitMany(ids.map((id) => ({ type: 'narrow', id, payload: { do: 'slow', ms: 1_500 } })));

    const seen = await eventually('a full lane', async () => {
      const lane = await client.lanes.get('narrow');
      return lane.why.code === 'full' && lane.waiting.tasks > 0 ? lane : undefined;
    });
    expect(seen).toMatchObject({
      tenant,
      inFlight: NARROW,
      limit: NARROW,
      limitedBy: { by: 'concurrency' },
      breaker: 'closed',
      limits: { concurrency: NARROW, capacities: [], rates: [] },
    });
    expect(seen.waitingByClass.normal).toEqual(seen.waiting);
    expect(seen.waiting.oldestAgeSeconds).toBeGreaterThanOrEqual(0);

    const listed = [];
    for await (const lane of operator.lanes.list({ tenant: '*', type: 'narrow', pageSize: 5 })) listed.push(lane);
    expect(listed.filter((lane) => lane.tenant === tenant)).toMatchObject([{ type: 'narrow', limit: NARROW }]);
    const waiting = await eventually('the lane among those that wait', async () => {
      for await (const lane of operator.lanes.list({ tenant, waiting: true })) return lane;
      return undefined;
    });
    expect(waiting).toMatchObject({ tenant, type: 'narrow' });

    const other = await clientOf(fresh('other'), ['admin']);
    for await (const lane of other.lanes.list()) throw new Error(`a lane of ${lane.tenant} is shown`);
    await expect(other.lanes.get('narrow', { tenant })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(other.lanes.page({ tenant: '*' })).rejects.toMatchObject({ code: 'forbidden' });

    for (const id of ids) expect(await finished(client, id)).toMatchObject({ state: 'succeeded', attempts: 1 });
    const idle = await eventually('a lane at rest', async () => {
      const lane = await operator.lanes.get('narrow', { tenant });
      return lane.inFlight === 0 ? lane : undefined;
    });
    expect(idle).toMatchObject({ waiting: { tasks: 0 }, why: { code: 'open' } });
  });

  test('is told of what is not there', async () => {
    await expect(operator.lanes.get('never-deployed')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(operator.breakers.get('never-deployed')).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(operator.lanes.page({ tenant: '*', cursor: 'x' })).rejects.toMatchObject({ status: 400, code: 'bad_cursor' });
  });

  test('alone sees breakers', async () => {
    expect(await operator.breakers.get('narrow')).toMatchObject({ breaker: 'type:narrow', state: 'closed', held: { tasks: 0 } });
    const admin = await clientOf(fresh('admin'), ['admin']);
    await expect(admin.breakers.list()).rejects.toMatchObject({ status: 403, code: 'forbidden' });
  });
});
