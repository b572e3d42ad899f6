import { readEnv } from '@sluice/contracts';
import type { Context } from 'aws-lambda';
import { createAdmissionStore } from '../../adapters/aws/admission-store.ts';
import { createControlQueue } from '../../adapters/aws/control-queue.ts';
import { createCleanUp } from '../../adapters/aws/dedicated-clean-up.ts';
import { createDedicatedQueues } from '../../adapters/aws/dedicated-queues.ts';
import { createDivisionStore } from '../../adapters/aws/division-store.ts';
import { createQueueWatch } from '../../adapters/aws/queue-watch.ts';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { createRoutingStore } from '../../adapters/aws/routing-store.ts';
import { admissionStep } from '../../core/admission/control-step.ts';
import { divideStep } from '../../core/control/divide-capacities.ts';
import type { ControlStep } from '../../core/control/round.ts';
import { DEFAULT_ROUTING_SETTINGS } from '../../core/routing/settings.ts';
import { sensitiveTenants } from '../../core/routing/sensitive-tenants.ts';
import { startStep } from '../../core/starts/control-step.ts';
import { routingStep } from '../../core/routing/tend-routing.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { answerCleanUp, isCleanUp } from './clean-up.ts';
import { createHandler } from './handler.ts';

/** A deployed capacity takes effect within so long and a round. */
const REFRESH_SECONDS = 5;
const { telemetry, observed } = createObservability('control');
const env = readEnv('control', process.env);
const table = env.SLUICE_TABLE;
const queueUrlPrefix = env.SLUICE_QUEUE_PREFIX;
const deps = wireHints(env, telemetry, { refreshSeconds: REFRESH_SECONDS });
const { sqs, lambda, dynamodb } = deps.clients;

const watch = createQueueWatch(sqs, { queueUrlPrefix, telemetry });
const routes = createRoutingStore(dynamodb, { table });
const quotas = createQuotaStore(dynamodb, { table });
const division = divideStep({
  ...deps,
  quotas,
  divisions: createDivisionStore(dynamodb, { table }),
  control: createControlQueue(sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
});
const admission = admissionStep({
  ...deps,
  watch,
  admissions: createAdmissionStore(dynamodb, { table, telemetry }),
  quotas,
  commonBounds: env.SLUICE_ADMISSION,
});
const routing = routingStep({
  ...deps,
  watch,
  dedicatedQueues: createDedicatedQueues({ sqs, lambda }, { ...env.SLUICE_DEDICATED, queueUrlPrefix }),
  routes,
  routingSettings: { ...DEFAULT_ROUTING_SETTINGS, ...env.SLUICE_ROUTING },
  sensitiveTenants: () => sensitiveTenants(quotas),
});

/** In this order: that of routing takes most of a minute while a queue is deep. */
const steps: readonly ControlStep[] = [division, admission, startStep(deps), routing];

const round = observed(createHandler({ ...deps, steps }));
const cleanUp = createCleanUp({ sqs, lambda }, env.SLUICE_DEDICATED);

export const handler = (event: object, context: Context): Promise<unknown> =>
  isCleanUp(event) ? answerCleanUp({ ...deps, cleanUp, routes, fetch }, event) : round(event, context);
