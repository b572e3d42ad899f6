import { readEnv } from '@sluice/contracts';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { createControlQueue } from '../../adapters/aws/control-queue.ts';
import { createAdmissionStore } from '../../adapters/aws/admission-store.ts';
import { createBreakerList } from '../../adapters/aws/breaker-list.ts';
import { createDivisionStore } from '../../adapters/aws/division-store.ts';
import { createLaneReadings } from '../../adapters/aws/lane-readings.ts';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { createRoutingStore } from '../../adapters/aws/routing-store.ts';
import { createDeadList } from '../../adapters/aws/dead-list.ts';
import { createRedriveStore } from '../../adapters/aws/redrive-store.ts';
import { createTaskList } from '../../adapters/aws/task-list.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemTokens } from '../../adapters/system.ts';
import platform from '../../package.json' with { type: 'json' };
import { createObservability } from '../observability.ts';
import { wireNotify, wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const env = readEnv('api', process.env);
const { telemetry, observed } = createObservability('api');
const table = env.SLUICE_TABLE;
const tasks = wireTasks(env, telemetry);
const deps = { ...tasks, ...wireNotify(env, tasks.clients) };
const { dynamodb } = deps.clients;

export const handler = observed(
  createHandler({
    ...deps,
    ...systemTokens,
    list: env.SLUICE_LIST_INDEX === 'on' ? createTaskList(dynamodb, { table, random: deps.random, telemetry }) : undefined,
    schedules: createScheduleStore(dynamodb, { table }),
    deadTasks: createDeadList(dynamodb, { table, random: deps.random, telemetry }),
    redrives: createRedriveStore(dynamodb, { table }),
    tokens: createTokenStore(dynamodb, { table }),
    routes: createRoutingStore(dynamodb, { table }),
    quotas: createQuotaStore(dynamodb, { table }),
    divisions: createDivisionStore(dynamodb, { table }),
    laneReadings: createLaneReadings(dynamodb, { table, random: deps.random }),
    breakerList: createBreakerList(dynamodb, { table, telemetry }),
    admissions: createAdmissionStore(dynamodb, { table, telemetry }),
    control: createControlQueue(deps.clients.sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
    version: platform.version,
  }),
);
