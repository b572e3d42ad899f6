import { readEnv, SYSTEM_TYPES } from '@sluice/contracts';
import { createScheduleStore } from '../../adapters/aws/schedule-store.ts';
import { systemHasher as hasher } from '../../adapters/system.ts';
import { createFireHandler } from '../../core/schedules/fire.ts';
import type { SystemHandlers } from '../../core/system/run-system-task.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('system');
const env = readEnv('system', process.env);
const deps = { ...wireTasks(env, telemetry), hasher };
const schedules = createScheduleStore(deps.clients.dynamodb, { table: env.SLUICE_TABLE });
const handlers: SystemHandlers = { [SYSTEM_TYPES.fire]: createFireHandler({ ...deps, schedules }) };

export const handler = observed(createHandler({ handlers, clock: deps.clock, fetch }));
