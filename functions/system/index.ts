import { readEnv } from '@sluice/contracts';
import { systemHasher as hasher } from '../../adapters/system.ts';
import type { SystemHandlers } from '../../core/system/run-system-task.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('system');
const deps = { ...wireTasks(readEnv('system', process.env), telemetry), hasher };
const handlers: SystemHandlers = {};

export const handler = observed(createHandler({ handlers, clock: deps.clock, fetch }));
