import type { Scope } from '@sluice/contracts';
import { readFileSync } from 'node:fs';
import { createClients } from '../../adapters/aws/clients.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../../adapters/system.ts';
import { issueToken } from '../../core/auth/token.ts';
import type { Deployment } from './deployment.ts';
import { startEmbedded } from './embedded.ts';

/** The platform that `SLUICE_E2E_TARGET` describes, or an embedded one that is started for this run. */
export async function findTarget(): Promise<{ deployment: Deployment; close: () => Promise<void> }> {
  const file = process.env['SLUICE_E2E_TARGET'];
  if (file === undefined) return startEmbedded();
  return { deployment: JSON.parse(readFileSync(file, 'utf8')) as Deployment, close: async () => undefined };
}

/** Makes tokens with the rights of whoever deployed the platform, as `npm run token` does. */
export function tokensOf({
  region,
  credentials,
  endpoints,
  outputs,
}: Deployment): (tenant: string, scopes: readonly Scope[]) => Promise<string> {
  const { dynamodb } = createClients({ region, credentials, dynamodbEndpoint: endpoints.dynamodb });
  const tokens = createTokenStore(dynamodb, { table: outputs['TableName'] ?? '' });
  return async (tenant, scopes) => (await issueToken({ tokens, clock: systemClock, ...systemTokens }, { tenant, scopes })).token;
}
