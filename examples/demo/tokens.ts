import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as z from 'zod';
import { createClients } from '../../adapters/aws/clients.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../../adapters/system.ts';
import { authenticate } from '../../core/auth/authenticate.ts';
import { issueToken } from '../../core/auth/token.ts';
import type { Host } from '../../local/host.ts';

/** The tenants of a platform on one machine. */
export const TENANTS = ['acme', 'globex', 'initech'] as const;

const tokensSchema = z.record(
  z.string(),
  z.object({
    admin: z.string(),
    submit: z.string(),
    // Files of earlier versions have none.
    platform: z.string().optional(),
  }),
);
export type Tokens = z.infer<typeof tokensSchema>;

/** Makes each tenant's tokens known to the host; those that the file has already are kept, so that they outlive a restart. */
export async function writeTokens(host: Host, file: string): Promise<Tokens> {
  const table = host.outputs['TableName'];
  if (!table) throw new Error('the stack has no output TableName');
  const clients = createClients({
    dynamodbEndpoint: host.endpoints.dynamodb,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const deps = { ...systemTokens, tokens: createTokenStore(clients.dynamodb, { table }), clock: systemClock };
  const known = await readTokens(file);
  const made: Tokens = {};
  const issue = async (tenant: string, scopes: readonly string[], old: string | undefined): Promise<string> => {
    // One that works is left as it is; one of a host that kept nothing is made again, with the same secret.
    if (old && (await authenticate(deps, `Bearer ${old}`))?.tenant === tenant) return old;
    const secret = old ? () => old.slice('slc_'.length) : systemTokens.secret;
    return (await issueToken({ ...deps, secret }, { tenant, scopes })).token;
  };
  for (const tenant of TENANTS) {
    const old = known[tenant];
    made[tenant] = {
      admin: await issue(tenant, ['admin'], old?.admin),
      submit: await issue(tenant, ['submit', 'read'], old?.submit),
      platform: await issue(tenant, ['platform'], old?.platform),
    };
  }
  clients.dynamodb.destroy();
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(made, null, 2)}\n`, { mode: 0o600 });
  return made;
}

async function readTokens(file: string): Promise<Tokens> {
  try {
    return tokensSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    return {};
  }
}
