import { readEnv } from '@sluice/contracts';
import { createPrincipals } from '../../adapters/aws/principals.ts';
import { submitTasks } from '../../core/submit/submit.ts';
import { wireAdmission } from '../admission.ts';
import { createObservability } from '../observability.ts';
import { wireNotify, wireSubmit } from '../wiring.ts';
import { createHandler } from './handler.ts';

const env = readEnv('submit', process.env);
const { telemetry, observed } = createObservability('submit');
const tasks = wireSubmit(env, telemetry);
const deps = { ...tasks, ...wireNotify(env, tasks.clients), admission: wireAdmission(env, tasks) };

export const handler = observed(
  createHandler({
    submit: (tenant, submissions) => submitTasks(deps, tenant, submissions),
    tokens: createPrincipals(deps.clients.dynamodb, { table: env.SLUICE_TABLE }),
    telemetry,
  }),
);
