import { readEnv } from '@sluice/contracts';
import type { Context } from 'aws-lambda';
import { createCleanUp } from '../../adapters/aws/dedicated-clean-up.ts';
import { createDedicatedQueues } from '../../adapters/aws/dedicated-queues.ts';
import { createQueueWatch } from '../../adapters/aws/queue-watch.ts';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { createRoutingStore } from '../../adapters/aws/routing-store.ts';
import type { ControlStep } from '../../core/control/round.ts';
import { DEFAULT_ROUTING_SETTINGS } from '../../core/routing/settings.ts';
import { sensitiveTenants } from '../../core/routing/sensitive-tenants.ts';
import { routingStep } from '../../core/routing/tend-routing.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { answerCleanUp, isCleanUp } from './clean-up.ts';
import { createHandler } from './handler.ts';

const { telemetry, observed } = createObservability('control');
const env = readEnv('control', process.env);
const deps = wireHints(env, telemetry);
const { sqs, lambda, dynamodb } = deps.clients;
const queueUrlPrefix = env.SLUICE_QUEUE_PREFIX;

const routing = routingStep({
  ...deps,
  watch: createQueueWatch(sqs, { queueUrlPrefix, telemetry }),
  dedicatedQueues: createDedicatedQueues({ sqs, lambda }, { ...env.SLUICE_DEDICATED, queueUrlPrefix }),
  routes: createRoutingStore(dynamodb, { table: env.SLUICE_TABLE }),
  routingSettings: { ...DEFAULT_ROUTING_SETTINGS, ...env.SLUICE_ROUTING },
  sensitiveTenants: () => sensitiveTenants(createQuotaStore(dynamodb, { table: env.SLUICE_TABLE })),
});

/** In this order. */
const steps: readonly ControlStep[] = [routing];

const round = observed(createHandler({ ...deps, steps }));
const cleanUp = createCleanUp({ sqs, lambda }, env.SLUICE_DEDICATED);

export const handler = (event: object, context: Context): Promise<unknown> =>
  isCleanUp(event) ? answerCleanUp({ cleanUp, fetch }, event) : round(event, context);
