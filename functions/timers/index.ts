import { readEnv } from '@sluice/contracts';
import { createDeadHints } from '../../adapters/aws/dead-hints.ts';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const env = readEnv('timers', process.env);
const { telemetry, observed } = createObservability('timers');
const deps = wireTasks(env, telemetry);
const { dynamodb, sqs } = deps.clients;
const schedules = createScheduleStore(dynamodb, { table: env.SLUICE_TABLE });

const dead = createDeadHints(sqs, { queueUrl: env.SLUICE_HINT_DLQ_URL });

export const handler = observed(createHandler({ ...deps, schedules, dead }));
