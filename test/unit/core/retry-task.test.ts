import { describe, expect, it } from 'vitest';
import { cancelTask } from '../../../core/api/cancel-task.ts';
import { retryTask } from '../../../core/api/retry-task.ts';
import { before, faultAt } from '../../helpers/faults.ts';
import { createWorld, typeSpec } from '../../helpers/world.ts';

async function failedTask(over: Record<string, unknown> = {}) {
  let broken = true;
  const handler = ({ payload }: { payload?: unknown }) => {
    if (broken) throw Object.assign(new Error('broken'), { name: 'FatalError' });
    return { got: payload };
  };
  const world = createWorld({ types: [typeSpec('echo')], handlers: { echo: handler } });
  await world.submit('a', { type: 'echo', id: 't', payload: { n: 1 }, priority: 'high', labels: { team: 'x' }, ...over });
  await world.run();
  return { world, mend: () => (broken = false), old: await world.row('a', 't') };
}

describe('a retry', () => {
  it('runs the task again with its payload, as a new generation', async () => {
    const { world, mend, old } = await failedTask();
    mend();

    const accepted = await retryTask(world.deps, 'a', 't');
    await world.run();

    const row = await world.row('a', 't');
    expect(accepted).toEqual({ id: 't', uid: row.uid, state: 'waiting', deduplicated: false });
    expect(row).toMatchObject({
      state: 'succeeded',
      attempts: 1,
      retryOf: old.uid,
      priority: 'high',
      labels: { team: 'x' },
      hash: old.hash,
    });
    expect(row.uid > old.uid).toBe(true);
    expect(row.result).toEqual({ in: 'row', json: '{"got":{"n":1}}' });
    expect(world.tasks.archived()).toEqual([old]);
    expect(await world.held('a', 'echo')).toBe(0);
  });

  it.each([400, 9_000, 300_000])('takes a payload of %i characters along', async (length) => {
    const text = 'x'.repeat(length);
    const { world, mend } = await failedTask({ payload: text });
    mend();
    await retryTask(world.deps, 'a', 't');
    await world.run();
    expect(await world.row('a', 't')).toMatchObject({ state: 'succeeded' });
  });

  it('of one generation is one retry, however often it is asked for', async () => {
    const { world, old } = await failedTask();
    const first = await retryTask(world.deps, 'a', 't', old.uid);
    expect(await retryTask(world.deps, 'a', 't', old.uid)).toEqual({ ...first, deduplicated: true });
    const many = await failedTask();
    const answers = await Promise.all(Array.from({ length: 20 }, () => retryTask(many.world.deps, 'a', 't', many.old.uid)));
    expect(new Set(answers.map((a) => a.uid)).size).toBe(1);
    expect(answers.filter((a) => !a.deduplicated)).toHaveLength(1);
  });

  it('of one generation is one retry, also where that one has failed by the time the other is written', async () => {
    const { world, old } = await failedTask();
    const other = before(world.deps, 'tasks.replace', async () => {
      await retryTask(world.deps, 'a', 't', old.uid);
      await world.run();
    });
    const accepted = await retryTask(other, 'a', 't', old.uid);
    const row = await world.row('a', 't');
    expect(row).toMatchObject({ state: 'failed', retryOf: old.uid });
    expect(accepted).toEqual({ id: 't', uid: row.uid, state: 'failed', deduplicated: true });
    expect(world.tasks.archived()).toEqual([old]);
  });

  it('whose answer was lost is found by the next one', async () => {
    const { world, mend, old } = await failedTask();
    mend();
    await expect(retryTask(faultAt(world.deps, 'tasks.replace', 'ambiguous'), 'a', 't', old.uid)).rejects.toThrow();
    expect(await retryTask(world.deps, 'a', 't', old.uid)).toMatchObject({ deduplicated: true });
    await world.run();
    expect(await world.row('a', 't')).toMatchObject({ state: 'succeeded' });
  });

  it('leaves out an expiry that has passed', async () => {
    const world = createWorld({ types: [typeSpec('echo')], handlers: { echo: () => 'ok' } });
    const expiresAt = new Date(world.clock.now() + 60_000).toISOString();
    await world.submit('a', { type: 'echo', id: 't', delaySeconds: 50, expiresAt });
    world.clock.advance(100_000);
    await world.run();
    expect(await world.row('a', 't')).toMatchObject({ state: 'expired' });
    await retryTask(world.deps, 'a', 't');
    await world.run();
    const row = await world.row('a', 't');
    expect(row).toMatchObject({ state: 'succeeded' });
    expect(row).not.toHaveProperty('expiresAt');
  });

  it('works for an outcome that is unknown, whose id is not free', async () => {
    const world = createWorld({ types: [typeSpec('echo')], handlers: { echo: () => 1 }, launch: () => undefined });
    await world.submit('a', { type: 'echo', id: 't' });
    await world.run();
    expect(await world.row('a', 't')).toMatchObject({ state: 'failed', reason: 'outcome_unknown' });
    expect(await retryTask(world.deps, 'a', 't')).toMatchObject({ deduplicated: false });
  });

  it.each(['waiting', 'succeeded', 'another generation'])('is refused for a task that is %s', async (what) => {
    const { world, mend, old } = await failedTask();
    mend();
    await retryTask(world.deps, 'a', 't');
    if (what === 'succeeded') await world.run();
    if (what === 'another generation') {
      await cancelTask(world.deps, 'a', 't');
      await retryTask(world.deps, 'a', 't');
    }
    const uid = what === 'another generation' ? old.uid : undefined;
    await expect(retryTask(world.deps, 'a', 't', uid)).rejects.toMatchObject({ code: 'state_conflict' });
  });

  it('is refused when the payload is gone, and when the type is', async () => {
    const { world } = await failedTask({ payload: 'x'.repeat(9_000) });
    const gone = {
      ...world.deps,
      values: { ...world.values, get: () => Promise.reject(Object.assign(new Error('gone'), { code: 'not_found' })) },
    };
    await expect(retryTask(gone, 'a', 't')).rejects.toMatchObject({ code: 'payload_gone' });
    const undeployed = { ...world.deps, types: { ...world.types, get: async () => undefined } };
    await expect(retryTask(undeployed, 'a', 't')).rejects.toMatchObject({ code: 'unknown_type' });
    expect(await world.row('a', 't')).toMatchObject({ state: 'failed' });
  });

  it("of another tenant's task is not found", async () => {
    const { world } = await failedTask();
    await expect(retryTask(world.deps, 'b', 't')).rejects.toMatchObject({ code: 'not_found' });
  });
});
