import { TYPES, type TypeName } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { INVOKE } from './sites.ts';

/** The life of one task by each starter, its handler being all there is to it. */
export const attempts: readonly Exercise[] = [TYPES.event, TYPES.wait].flatMap((type) => ofType(type));

function ofType(type: TypeName): Exercise[] {
  return [
    {
      name: `runs a task ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'ok' });
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      },
    },
    {
      name: `retries a failed attempt ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'fail-once' });
        await stage.ends('task', { state: 'succeeded', attempts: 2 });
      },
    },
    {
      name: `gives up after all attempts ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'fail' });
        await stage.ends('task', { state: 'failed', reason: 'attempts_exhausted', attempts: 3 });
      },
    },
    {
      name: `fails at once ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'fatal' });
        await stage.ends('task', { state: 'failed', reason: 'fatal', attempts: 1 });
      },
    },
    ...[2_000, 20_000].map((bytes): Exercise => ({
      name: `keeps a payload of ${bytes} bytes as long as its dead task ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'fail', filler: 'x'.repeat(bytes) });
        const { ttl = 0, keptUntil = 0 } = await stage.ends('task', { state: 'failed', reason: 'attempts_exhausted', attempts: 3 });
        if (keptUntil < ttl * 1000) throw new Error(`it is kept until ${keptUntil}, its row until ${ttl * 1000}`);
        const { payload } = await stage.client.get('task', { include: ['payload'] });
        if (payload === undefined) throw new Error('its payload is gone');
      },
    })),
    {
      name: `does not count a throttled attempt ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'throttle-once' });
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      },
    },
    {
      name: `puts a task off for long ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'throttle-long' });
        await stage.row('task', 'it is put off', ({ state, throttled }) => state === 'waiting' && throttled > 0);
        await stage.client.cancel('task');
        await stage.ends('task', { state: 'cancelled', attempts: 0 });
      },
    },
    {
      name: `keeps a result beside its row ${type}`,
      run: (stage) => keepsResult(stage, type, 2_000, 'item'),
    },
    {
      name: `keeps a large result ${type}`,
      run: (stage) => keepsResult(stage, type, 20_000, 's3'),
    },
    {
      name: `reads a payload beside its row ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'ok', filler: 'x'.repeat(2_000) });
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      },
    },
    {
      name: `hands a large payload on by its URL ${type}`,
      run: async (stage) => {
        await stage.submit('task', type, { do: 'ok', filler: 'x'.repeat(20_000) });
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
      },
    },
    {
      name: `attempts a lost task again ${type}`,
      slow: true,
      run: async (stage) => {
        stage.arm({ ...INVOKE, kind: 'cut-before' });
        await stage.submit('task', type, { do: 'fail-once' });
        await stage.ends('task', { state: 'succeeded', attempts: 2, lost: 2 });
      },
    },
    {
      name: `gives back permits that have expired ${type}`,
      run: async (stage) => {
        const lane = { tenant: stage.tenant, type };
        await stage.world.permits.acquire(lane, 0, [{ expiry: Date.now() - 60_000, nonce: 'forgotten' }], 5);
        await stage.submit('task', type, { do: 'ok' });
        await stage.ends('task', { state: 'succeeded', attempts: 1 });
        await stage.until('the expired permit is gone', async () => (await stage.world.permits.read(lane, 0)).permits.length === 0);
      },
    },
  ];
}

async function keepsResult(stage: Stage, type: TypeName, resultBytes: number, home: 'item' | 's3'): Promise<void> {
  await stage.submit('task', type, { do: 'ok', resultBytes });
  const row = await stage.ends('task', { state: 'succeeded', attempts: 1 });
  if (row.result?.in !== home) throw new Error(`the result is in ${row.result?.in}`);
  const task = await stage.client.get('task', { include: ['result'] });
  const length = (task.result as { filler: string } | undefined)?.filler.length;
  if (length !== resultBytes) throw new Error(`the result has ${length} bytes`);
}
