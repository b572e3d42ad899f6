import { readEnv } from '@sluice/contracts';
import { createClients } from '../../adapters/aws/clients.ts';
import { createPermitStore } from '../../adapters/aws/permit-store.ts';
import { createTaskStore } from '../../adapters/aws/task-store.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { createValueStore } from '../../adapters/aws/value-store.ts';
import { systemClock, systemRandom, systemTimer } from '../../adapters/system.ts';
import platform from '../../package.json' with { type: 'json' };
import { createObservability } from '../observability.ts';
import { createHandler } from './handler.ts';

const env = readEnv('api', process.env);
const table = env.SLUICE_TABLE;
const { telemetry, observed } = createObservability('api');
const { dynamodb, s3 } = createClients();

export const handler = observed(
  createHandler({
    tokens: createTokenStore(dynamodb, { table }),
    // Rows are only read here, so none is put into the index.
    tasks: createTaskStore(dynamodb, { table, listIndex: false, clock: systemClock, telemetry }),
    values: createValueStore({ dynamodb, s3 }, { table, bucket: env.SLUICE_BUCKET, clock: systemClock }),
    permits: createPermitStore(dynamodb, { table }),
    clock: systemClock,
    random: systemRandom,
    timer: systemTimer,
    version: platform.version,
    telemetry,
  }),
);
