import type { TaskView } from '@sluice/contracts';
import { beforeAll, describe, expect, test } from 'vitest';
import { clientOf, eventually, finished, fresh, type Client } from './target.ts';

const ms = (time: string | undefined): number => (time === undefined ? NaN : Date.parse(time));
const TASK = { type: 'unruly-wait', payload: { do: 'ok' } };
const claimOf = (task: TaskView): number => ms(task.timeline.attempts[0]?.claimedAt);
const sorted = (times: readonly number[]): string => times.toSorted((a, b) => a - b).join(' ');

describe.concurrent('schedules', () => {
  let client: Client;
  beforeAll(async () => {
    client = await clientOf(fresh('scheduled'), ['submit', 'read', 'operate']);
  });
  const submittedBy = (name: string, count: number) =>
    eventually(`${count} occurrences of ${name}`, async () => {
      const { recent } = await client.schedules.get(name);
      const done = recent.filter(({ did }) => did === 'submitted');
      return done.length >= count ? done : undefined;
    });

  test('of every two seconds fires at its seconds, once each', async () => {
    await client.schedules.put('two', { everySeconds: 2, task: TASK });

    const recent = await submittedBy('two', 8);
    await client.schedules.delete('two');

    const times = recent.map(({ at }) => ms(at)).toReversed();
    expect(times.slice(1).map((at, i) => at - (times[i] ?? 0))).toEqual(times.slice(1).map(() => 2_000));
    const tasks = await Promise.all(recent.map(({ task = '' }) => finished(client, task)));
    expect(tasks.map(({ state }) => state)).toEqual(tasks.map(() => 'succeeded'));
    const late = tasks.map((task) => claimOf(task) - ms(task.id.slice(task.id.indexOf('@') + 1)));
    for (const one of late) expect(one).toBeGreaterThanOrEqual(0);
    // How late is for a reader to judge beside plain delayed tasks of the same moment: it hangs on the machine.
    const plain = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const { id } = await client.submit({ ...TASK, delaySeconds: 2 });
        const task = await finished(client, id);
        return claimOf(task) - ms(task.timeline.acceptedAt) - 2_000;
      }),
    );
    console.info(`ms late, occurrences: ${sorted(late)}; plain delayed tasks: ${sorted(plain)}`);
  });

  test('is paused, resumed, updated and deleted', async () => {
    await client.schedules.put('life', { everySeconds: 2, misfire: { policy: 'skip' }, task: TASK });
    await submittedBy('life', 1);

    expect(await client.schedules.pause('life')).toMatchObject({ state: 'paused' });
    const paused = await client.schedules.get('life');
    expect(await client.schedules.resume('life')).toMatchObject({ state: 'active' });
    await submittedBy('life', paused.counts.submitted + 1);

    const cron = '0 3 * * *';
    const updated = await client.schedules.put('life', { cron, timezone: 'Europe/Berlin', task: TASK });
    expect(updated).toMatchObject({ state: 'active', cron, timezone: 'Europe/Berlin' });
    expect(updated).not.toHaveProperty('everySeconds');
    expect((await client.schedules.nextTimes('life', 1))[0]?.local).toMatch(/T03:00:00\+0[12]:00$/);

    const { id } = await client.schedules.run('life');
    expect(await finished(client, id)).toMatchObject({ state: 'succeeded', type: TASK.type });
    const names: string[] = [];
    for await (const { name } of client.schedules.list({ pageSize: 1 })) names.push(name);
    expect(names).toContain('life');

    await client.schedules.delete('life');
    await expect(client.schedules.get('life')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('is refused with what is wrong', async () => {
    const put = (name: string, over: object) => client.schedules.put(name, { everySeconds: 60, task: TASK, ...over });
    await expect(put('s', { everySeconds: undefined, cron: '61 * * * *' })).rejects.toMatchObject({ code: 'bad_request' });
    await expect(put('s', { timezone: 'Mars' })).rejects.toThrow(/IANA name/);
    await expect(put('s', { task: { type: 'nope' } })).rejects.toMatchObject({ code: 'unknown_type' });
    await expect(put('s', { task: { type: 'sluice.fire' } })).rejects.toMatchObject({ code: 'bad_request' });
    const other = await clientOf(fresh('reader'), ['read', 'submit']);
    await expect(other.schedules.put('s', { everySeconds: 60, task: TASK })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(other.schedules.get('two')).rejects.toMatchObject({ code: 'not_found' });
  });
});
