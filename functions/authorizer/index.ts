import { readEnv } from '@sluice/contracts';
import { createClients } from '../../adapters/aws/clients.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../../adapters/system.ts';
import { createObservability } from '../observability.ts';
import { createHandler } from './handler.ts';

const env = readEnv('authorizer', process.env);
const { telemetry, observed } = createObservability('authorizer');
const { dynamodb } = createClients();

export const handler = observed(
  createHandler({
    tokens: createTokenStore(dynamodb, { table: env.SLUICE_TABLE }),
    clock: systemClock,
    telemetry,
    ...systemTokens,
  }),
);
