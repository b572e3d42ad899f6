import { readEnv, SYSTEM_TYPES } from '@sluice/contracts';
import { createNotificationSender } from '../../adapters/aws/notification-sender.ts';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { createWebhookSender } from '../../adapters/http/webhook-sender.ts';
import { createDeliveryHandler } from '../../core/notify/deliver.ts';
import { createFireHandler } from '../../core/schedules/fire.ts';
import { createDeadList } from '../../adapters/aws/dead-list.ts';
import { createRedriveStore } from '../../adapters/aws/redrive-store.ts';
import { runSlice } from '../../core/redrive/run-slice.ts';
import type { SystemHandlers } from '../../core/system/run-system-task.ts';
import { createObservability } from '../observability.ts';
import { wireNotify, wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('system');
const env = readEnv('system', process.env);
const tasks = wireTasks(env, telemetry);
const deps = { ...tasks, ...wireNotify(env, tasks.clients) };
const ca = env.SLUICE_WEBHOOK_CA;
const table = env.SLUICE_TABLE;
const { dynamodb } = tasks.clients;
const schedules = createScheduleStore(dynamodb, { table });
const redriving = {
  ...deps,
  deadTasks: createDeadList(dynamodb, { table, random: deps.random, telemetry }),
  redrives: createRedriveStore(dynamodb, { table }),
};
const handlers: SystemHandlers = {
  [SYSTEM_TYPES.redrive]: (payload, attempt) => runSlice(redriving, payload, attempt),
  [SYSTEM_TYPES.fire]: createFireHandler({ ...deps, schedules }),
  [SYSTEM_TYPES.notify]: createDeliveryHandler({
    ...deps,
    webhooks: createWebhookSender({ rules: deps.notifyRules, ...(ca !== 'none' && { ca }) }),
    notifications: createNotificationSender(deps.clients.sqs),
  }),
};

export const handler = observed(createHandler({ handlers, clock: deps.clock, fetch }));
