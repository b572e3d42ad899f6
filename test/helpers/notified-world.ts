import { SYSTEM_TYPES, type NotifyRules, type TaskTypeSpec } from '@sluice/contracts';
import { systemTokens } from '../../adapters/system.ts';
import {
  createMemoryNotificationSender,
  createMemoryWebhookSender,
  type MemoryHandler,
  type MemoryValueStore,
} from '../../adapters/memory/index.ts';
import { createDeliveryHandler } from '../../core/notify/deliver.ts';
import { createWebhookSecret } from '../../core/notify/secrets.ts';
import type { WebhookAnswer, WebhookRequest } from '../../core/ports/webhook-sender.ts';
import { isTerminal } from '../../core/tasks/state.ts';
import { createHandler } from '../../functions/system/handler.ts';
import { createWorld, typeSpec, type World, type WorldConfig } from './world.ts';

export const RULES: NotifyRules = {
  queues: { ends: { url: 'https://sqs/ends' }, private: { url: 'https://sqs/private', tenants: ['b'] } },
  ports: [443],
  hosts: [],
};
export const HOOK = 'https://hooks.example.com/sluice';
/** The policy of deliveries in these worlds. */
export const DELIVERY_ATTEMPTS = 4;

export interface NotifiedWorld {
  readonly world: World;
  readonly webhooks: ReturnType<typeof createMemoryWebhookSender>;
  readonly messages: ReturnType<typeof createMemoryNotificationSender>;
  /** Runs until every task has ended and every hint and record has been worked off. */
  readonly settleAll: () => Promise<void>;
}

/** A world that also delivers notifications. Tenants `a` and `b` have secrets. */
export async function createNotifiedWorld(
  types: readonly TaskTypeSpec[],
  handlers: Record<string, MemoryHandler>,
  receiver?: (request: WebhookRequest) => WebhookAnswer,
  more: Partial<WorldConfig> = {},
): Promise<NotifiedWorld> {
  const webhooks = createMemoryWebhookSender(RULES, receiver);
  const messages = createMemoryNotificationSender();
  const notify = typeSpec(SYSTEM_TYPES.notify, {
    adaptive: false,
    retry: { maxAttempts: DELIVERY_ATTEMPTS, minDelaySeconds: 5, maxDelaySeconds: 60, factor: 2 },
    dedupWindowSeconds: 14 * 86_400,
  });
  const world: World = createWorld({
    ...more,
    types: [...types, notify],
    notifyRules: RULES,
    handlers: {
      ...handlers,
      [SYSTEM_TYPES.notify]: (envelope) => system(envelope),
    },
  });
  const deliver = createDeliveryHandler({ ...world.deps, webhooks, notifications: messages });
  const values = world.values as MemoryValueStore;
  const system = createHandler({
    handlers: { [SYSTEM_TYPES.notify]: deliver },
    clock: world.clock,
    fetch: async (url) => new Response(values.fetch(url as string)),
  });
  for (const tenant of ['a', 'b']) await createWebhookSecret({ ...world.deps, ...systemTokens }, tenant);

  const settleAll = async (): Promise<void> => {
    for (let round = 0; round < 1_000; round++) {
      while (await world.pump());
      const next = world.queue.nextVisibleAt();
      const done = world.tasks.rows().every((row) => isTerminal(row.state));
      if (next === undefined && world.records.length === 0 && done) return;
      const minute = (Math.floor(world.clock.now() / 60_000) + 1) * 60_000;
      world.clock.set(Math.min(next ?? minute, minute));
    }
    throw new Error('it never comes to rest');
  };
  return { world, webhooks, messages, settleAll };
}
