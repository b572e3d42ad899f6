import { readEnv, ROUTES } from '@sluice/contracts';
import { createStarter } from '../../adapters/aws/starter.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('dispatch');
const env = readEnv('dispatch', process.env);
const deps = wireTasks(env, telemetry);

export const handler = observed(
  createHandler({
    ...deps,
    starter: createStarter(deps.clients.lambda),
    attemptsUrl: env.SLUICE_API_URL + ROUTES.attempt.path,
  }),
);
