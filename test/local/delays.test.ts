import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SluiceClient } from '@sluice/client';
import type { TaskView } from '@sluice/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClients } from '../../adapters/aws/clients.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemTokens } from '../../adapters/system.ts';
import { travelTo } from '../../bin/dev/time-travel.ts';
import { issueToken } from '../../core/auth/token.ts';
import { startHost, type Host } from '../../local/host.ts';
import { localContext, synthesise } from '../../local/synth.ts';

const DAY_SECONDS = 86_400;
/** A jump ends so long before what it is made for. */
const BEFORE_MS = 5_000;

describe('a delay on the embedded host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-delays-'));
  let host: Host;
  let client: SluiceClient;
  beforeAll(async () => {
    const assembly = join(folder, 'cdk.out');
    await synthesise({ root: join(import.meta.dirname, '..', '..'), out: assembly, context: localContext() });
    host = await startHost({ assembly });
    const dynamodb = createClients({
      region: 'us-east-1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      dynamodbEndpoint: host.endpoints.dynamodb,
    }).dynamodb;
    const tokens = createTokenStore(dynamodb, { table: host.outputs['TableName'] ?? '' });
    const clock = { now: () => host.now() };
    const { token } = await issueToken({ tokens, clock, ...systemTokens }, { tenant: 'acme', scopes: ['submit', 'read'] });
    client = new SluiceClient({ baseUrl: host.url, token });
    // A cold start is no part of a delay.
    await ended((await client.submit({ type: 'unruly-wait', payload: { do: 'ok' } })).id);
  }, 240_000);
  afterAll(async () => {
    await host?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ended(id: string): Promise<TaskView> {
    for (;;) {
      const task = await client.get(id);
      if (!['waiting', 'running'].includes(task.state)) return task;
      await sleep(100);
    }
  }

  it.each([
    ['3 s', 3],
    ['20 minutes', 1_200],
    ['3 days', 3 * DAY_SECONDS],
    ['a year', 365 * DAY_SECONDS],
  ])(
    'of %s ends within a second of its time',
    async (name, delaySeconds) => {
      const { id } = await client.submit({
        type: 'unruly-wait',
        id: `delayed-${name.replaceAll(' ', '-')}`,
        payload: { do: 'ok' },
        delaySeconds,
      });
      const runAt = Date.parse((await client.get(id)).runAt ?? '');
      expect(Math.abs(runAt - host.now() - delaySeconds * 1000)).toBeLessThan(60_000);
      if (runAt - BEFORE_MS > host.now()) await travelTo(host, runAt - BEFORE_MS);
      expect(await client.get(id)).toMatchObject({ state: 'waiting' });

      const task = await ended(id);

      const late = Date.parse(task.timeline.attempts[0]?.claimedAt ?? '') - runAt;
      expect(late).toBeGreaterThanOrEqual(0);
      expect(late).toBeLessThanOrEqual(1_000);
      expect(task).toMatchObject({ state: 'succeeded', attempts: 1, lost: 0 });
    },
    180_000,
  );

  it('is long enough for the dedup window of a success to pass: its id is then free', async () => {
    const task = { type: 'unruly-wait', id: 'windowed', payload: { do: 'ok' } };
    const first = await client.submit(task);
    await ended(task.id);
    expect(await client.submit(task)).toMatchObject({ uid: first.uid, deduplicated: true });
    await travelTo(host, host.now() + 15 * DAY_SECONDS * 1000);

    const again = await client.submit({ ...task, payload: { do: 'ok', key: 'another' } });

    expect(again).toMatchObject({ deduplicated: false });
    expect(again.uid).not.toBe(first.uid);
    expect(await ended(task.id)).toMatchObject({ uid: again.uid, state: 'succeeded' });
  }, 120_000);

  it('is refused where the clock would go back', async () => {
    await expect(travelTo(host, host.now() - 1)).rejects.toThrow('only ahead');
    expect(() => host.jump(-1)).toThrow('give a number above 0');
  });
});
