import { systemId, type Notify, type WebhookSecretView } from '@sluice/contracts';
import { TYPES, type TypeName } from '../app/types.ts';
import type { Script } from '../app/handler.ts';
import { ENDS_QUEUE } from '../world/receivers.ts';
import type { Stage } from '../world/stage.ts';
import { again } from './again.ts';
import type { Exercise } from './exercise.ts';

/** Bytes of a result that is told whole, and makes the delivery too large for an item. */
const LARGE_RESULT = 8_000;

/** Who is told of a task's end over a webhook and a queue, from each function that ends tasks. */
export const notifications: readonly Exercise[] = [
  ...[TYPES.event, TYPES.wait].flatMap((type): Exercise[] => [
    {
      name: `tells an end over a webhook and a queue ${type}`,
      run: (stage) => told(stage, type, { do: 'ok', resultBytes: 2_000 }),
    },
    {
      name: `tells an end with a large result ${type}`,
      run: (stage) => told(stage, type, { do: 'ok', resultBytes: LARGE_RESULT }),
    },
  ]),
  {
    name: 'tells a cancellation',
    run: async (stage) => {
      const { uid } = await stage.submit('task', TYPES.event, { do: 'ok' }, { delaySeconds: 20, notify: TO_QUEUE });
      await stage.client.cancel('task');
      await stage.ends('task', { state: 'cancelled', attempts: 0, lost: 0 });
      await arrives(stage, uid, 'cancelled', 'queue');
    },
  },
  {
    name: 'tells a failure before its id is freed',
    run: async (stage) => {
      const first = await stage.submit('task', TYPES.event, { do: 'fatal' }, { notify: TO_QUEUE });
      await stage.ends('task', { state: 'failed', reason: 'fatal' });
      const second = await stage.submit('task', TYPES.event, { do: 'ok' });
      await stage.ends('task', { state: 'succeeded', attempts: 1 }, second.uid);
      await arrives(stage, first.uid, 'failed', 'queue');
    },
  },
  {
    name: 'makes, lists and ends secrets of webhooks',
    run: async (stage) => {
      const first = await again(() => stage.client.webhookSecrets.create());
      const second = await again(() => stage.client.webhookSecrets.create({ overlapSeconds: 3_600 }));
      const listed = await stage.client.webhookSecrets.list();
      for (const { id } of [first, second]) if (!has(listed, id)) throw new Error(`the secret ${id} that was made is not listed`);
      await again(() => stage.client.webhookSecrets.delete(first.id), 'not_found');
      if (has(await stage.client.webhookSecrets.list(), first.id)) throw new Error('a secret that was ended signs');
    },
  },
];

const TO_QUEUE: Notify = { queue: { name: ENDS_QUEUE } };

function has(secrets: readonly WebhookSecretView[], id: string): boolean {
  return secrets.some((secret) => secret.id === id);
}

async function told(stage: Stage, type: TypeName, script: Script): Promise<void> {
  await again(() => stage.client.webhookSecrets.create());
  const notify = { ...TO_QUEUE, webhook: { url: stage.world.receivers.url(stage.tenant) } };
  const { uid } = await stage.submit('task', type, script, { notify });
  await stage.ends('task', { state: 'succeeded', attempts: 1 });
  await Promise.all((['webhook', 'queue'] as const).map((channel) => arrives(stage, uid, 'succeeded', channel)));
}

/** An end has been told over a channel, and the task that tells it has ended. */
export async function arrives(stage: Stage, uid: string, state: string, channel: 'webhook' | 'queue'): Promise<void> {
  await stage.ends(systemId('notify', uid, state, channel), { state: 'succeeded' });
  const { webhooks, messages } = stage.world.receivers;
  const got = channel === 'webhook' ? webhooks : messages;
  await stage.until(`the ${channel} has got the end of ${uid}`, () => got.has(`${uid}:${state}`));
}
