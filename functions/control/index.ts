import { readEnv } from '@sluice/contracts';
import { createControlQueue } from '../../adapters/aws/control-queue.ts';
import { createDivisionStore } from '../../adapters/aws/division-store.ts';
import { createQuotaStore } from '../../adapters/aws/quota-store.ts';
import { divideStep } from '../../core/control/divide-capacities.ts';
import type { ControlStep } from '../../core/control/round.ts';
import { createObservability } from '../observability.ts';
import { wireHints } from '../wiring.ts';
import { createHandler } from './handler.ts';

/** A deployed capacity takes effect within so long and a round. */
const REFRESH_SECONDS = 5;
const { telemetry, observed } = createObservability('control');
const env = readEnv('control', process.env);
const table = env.SLUICE_TABLE;
const deps = wireHints(env, telemetry, { refreshSeconds: REFRESH_SECONDS });
const { dynamodb, sqs } = deps.clients;
const dividing = {
  ...deps,
  quotas: createQuotaStore(dynamodb, { table }),
  divisions: createDivisionStore(dynamodb, { table }),
  control: createControlQueue(sqs, { queueUrl: env.SLUICE_CONTROL_QUEUE_URL, telemetry }),
};

/** In this order. */
const steps: readonly ControlStep[] = [divideStep(dividing)];

export const handler = observed(createHandler({ ...deps, steps }));
