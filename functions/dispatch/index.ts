import { readEnv, ROUTES } from '@sluice/contracts';
import { createControlQueue } from '../../adapters/aws/control-queue.ts';
import { createStarter } from '../../adapters/aws/starter.ts';
import { tuneLimit } from '../../core/permits/tune.ts';
import { createObservability } from '../observability.ts';
import { wireTasks } from '../wiring.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('dispatch');
const env = readEnv('dispatch', process.env);
/** So long attempts of a type may be started whose breaker has opened: they are excused, but in vain. */
const REFRESH_SECONDS = 10;
const deps = wireTasks(env, telemetry, { refreshSeconds: REFRESH_SECONDS });

export const handler = observed(
  createHandler({
    ...deps,
    starter: createStarter(deps.clients.lambda),
    tune: tuneLimit,
    control: createControlQueue(deps.clients.sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
    attemptsUrl: env.SLUICE_API_URL + ROUTES.attempt.path,
  }),
);
