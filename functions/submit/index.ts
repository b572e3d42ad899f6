import { readEnv } from '@sluice/contracts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemHasher as hasher } from '../../adapters/system.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const env = readEnv('submit', process.env);
const { telemetry, observed } = createObservability('submit');
const deps = { ...wireTasks(env, telemetry), hasher };

export const handler = observed(
  createHandler({
    submit: (tenant, submissions) => submitTasks(deps, tenant, submissions),
    tokens: createTokenStore(deps.clients.dynamodb, { table: env.SLUICE_TABLE }),
    telemetry,
  }),
);
