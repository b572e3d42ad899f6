import { readEnv } from '@sluice/contracts';
import { createDeadHints } from '../../adapters/aws/dead-hints.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { createHandler } from './handler.ts';

const env = readEnv('timers', process.env);
const { telemetry, observed } = createObservability('timers');
const deps = wireHints(env, telemetry);

export const handler = observed(createHandler({ ...deps, dead: createDeadHints(deps.clients.sqs, { queueUrl: env.SLUICE_HINT_DLQ_URL }) }));
