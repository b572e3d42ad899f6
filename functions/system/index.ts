import { readEnv, SYSTEM_TYPES } from '@sluice/contracts';
import { createNotificationSender } from '../../adapters/aws/notification-sender.ts';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { createWebhookSender } from '../../adapters/http/webhook-sender.ts';
import { createDeliveryHandler } from '../../core/notify/deliver.ts';
import { createFireHandler } from '../../core/schedules/fire.ts';
import type { SystemHandlers } from '../../core/system/run-system-task.ts';
import { createObservability } from '../observability.ts';
import { wireNotify, wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('system');
const env = readEnv('system', process.env);
const tasks = wireTasks(env, telemetry);
const deps = { ...tasks, ...wireNotify(env, tasks.clients) };
const ca = env.SLUICE_WEBHOOK_CA;
const schedules = createScheduleStore(deps.clients.dynamodb, { table: env.SLUICE_TABLE });
const handlers: SystemHandlers = {
  [SYSTEM_TYPES.fire]: createFireHandler({ ...deps, schedules }),
  [SYSTEM_TYPES.notify]: createDeliveryHandler({
    ...deps,
    webhooks: createWebhookSender({ rules: deps.notifyRules, ...(ca !== 'none' && { ca }) }),
    notifications: createNotificationSender(deps.clients.sqs),
  }),
};

export const handler = observed(createHandler({ handlers, clock: deps.clock, fetch }));
