import { readEnv, SYSTEM_TYPES } from '@sluice/contracts';
import { createDeadList } from '../../adapters/aws/dead-list.ts';
import { createRedriveStore } from '../../adapters/aws/redrive-store.ts';
import { systemHasher as hasher } from '../../adapters/system.ts';
import { runSlice } from '../../core/redrive/run-slice.ts';
import type { SystemHandlers } from '../../core/system/run-system-task.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('system');
const env = readEnv('system', process.env);
const table = env.SLUICE_TABLE;
const wired = { ...wireTasks(env, telemetry), hasher };
const { dynamodb } = wired.clients;
const deps = {
  ...wired,
  deadTasks: createDeadList(dynamodb, { table, random: wired.random, telemetry }),
  redrives: createRedriveStore(dynamodb, { table }),
};
const handlers: SystemHandlers = { [SYSTEM_TYPES.redrive]: (payload, attempt) => runSlice(deps, payload, attempt) };

export const handler = observed(createHandler({ handlers, clock: deps.clock, fetch }));
