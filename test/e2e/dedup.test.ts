import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Accepted } from '@sluice/contracts';
import { describe, expect, test } from 'vitest';
import { clientWith, eventually, finished, fresh, target, tokenOf } from './target.ts';

const SCRIPT = join(import.meta.dirname, 'submit-once.ts');

/** A process with so many clients. @returns what lets it go, once it is ready */
async function startClients(token: string, submission: object, clients: number): Promise<() => Promise<Accepted[]>> {
  const given = JSON.stringify({ baseUrl: target.url, token, submission, clients });
  const child = spawn(process.execPath, [SCRIPT, given], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done) throw new Error('a process of clients ended without an answer');
    return value;
  };
  expect(await next()).toBe('ready');
  return async () => {
    child.stdin.end('go\n');
    return JSON.parse(await next()) as Accepted[];
  };
}

describe('the same id again', () => {
  test.each([
    [2, 2],
    [10, 5],
    [100, 5],
  ])('%i clients at once, in %i processes, make one task that runs once', async (clients, processes) => {
    const token = await tokenOf(fresh('at-once'));
    const submission = { type: 'unruly', id: fresh('once'), payload: { do: 'ok' } };
    const started = await Promise.all(Array.from({ length: processes }, () => startClients(token, submission, clients / processes)));

    const answers = (await Promise.all(started.map((go) => go()))).flat();

    expect(answers).toHaveLength(clients);
    expect(new Set(answers.map(({ uid }) => uid)).size).toBe(1);
    expect(answers.filter(({ deduplicated }) => !deduplicated)).toHaveLength(1);
    const task = await finished(clientWith(token), submission.id);
    expect(task).toMatchObject({ uid: answers[0]?.uid, state: 'succeeded', attempts: 1, lost: 0 });
    expect(task.timeline.attempts).toHaveLength(1);
  });

  test('by the state of its task: in progress and succeeded it is found, failed, expired and cancelled it is free', async () => {
    const client = clientWith(await tokenOf(fresh('again'), ['submit', 'read', 'operate']));
    const make = (name: string, payload: object, over: object = {}) => ({ type: 'unruly', id: fresh(name), payload, ...over });
    const far = { delaySeconds: 3_600 };
    const waiting = make('waiting', { do: 'ok' }, far);
    const running = make('running', { do: 'slow', ms: 8_000 });
    const succeeded = make('succeeded', { do: 'ok' });
    const failed = make('failed', { do: 'fatal' });
    // Nothing starts within a millisecond; and it is accepted before that, however slow the target is.
    const runAt = Date.now() + 15_000;
    const expiresAt = new Date(runAt + 1).toISOString();
    const expired = make('expired', { do: 'ok' }, { runAt: new Date(runAt).toISOString(), expiresAt });
    const cancelled = make('cancelled', { do: 'ok' }, far);
    const all = { waiting, running, succeeded, failed, expired, cancelled };
    const first = await client.submitMany(Object.values(all));
    expect(first).toMatchObject({ accepted: 6, deduplicated: 0 });

    const repeat = async (state: keyof typeof all, then: 'kept' | 'free'): Promise<void> => {
      const before = await client.get(all[state].id);
      expect(before.state).toBe(state);
      const other = { type: 'unruly', id: before.id, payload: { do: 'ok', key: 'another' }, ...far };
      if (then === 'kept') {
        const hash = expect.stringMatching(/^[\w-]{43}$/) as unknown;
        const conflict = { status: 409, code: 'id_conflict', problem: { details: { given: hash, existing: hash } } };
        await expect(client.submit(other)).rejects.toMatchObject(conflict);
        expect(await client.submit(all[state])).toMatchObject({ uid: before.uid, deduplicated: true });
      } else {
        const again = await client.submit(other);
        expect(again).toMatchObject({ id: before.id, state: 'waiting', deduplicated: false });
        expect(again.uid).not.toBe(before.uid);
      }
    };
    await eventually('a run', async () => (await client.get(running.id)).state === 'running' || undefined);
    await repeat('running', 'kept');
    await client.cancel(cancelled.id);
    for (const { id } of [succeeded, failed, expired]) await finished(client, id);
    await repeat('waiting', 'kept');
    await repeat('succeeded', 'kept');
    for (const state of ['failed', 'expired', 'cancelled'] as const) await repeat(state, 'free');
  });
});
