import { readEnv } from '@sluice/contracts';
import { createStarter } from '../../adapters/aws/starter.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('dispatch');
const deps = wireTasks(readEnv('dispatch', process.env), telemetry);

export const handler = observed(createHandler({ ...deps, starter: createStarter(deps.clients.lambda) }));
