import { parseArgs } from 'node:util';
import { isSluiceError } from '@sluice/contracts';
import { createClients } from '../adapters/aws/clients.ts';
import { createTokenStore } from '../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../adapters/system.ts';
import { issueToken, type IssueDeps, type TokenRequest } from '../core/auth/token.ts';

const USAGE = `Makes an API token, stores its hash, and prints the token. It is shown this once.

  npm run token -- --table NAME --tenant acme --scopes submit,read [--expires-in-days N]

  --table            the platform's table: the output "TableName" of its stack
  --tenant           whose token it is
  --scopes           some of submit, read, operate, admin, separated by commas; admin includes the others
  --expires-in-days  days until it expires; without it never

Region and credentials are those of the AWS CLI (AWS_REGION, AWS_PROFILE, ...); they need dynamodb:PutItem on the table.`;

interface TokenOptions extends TokenRequest {
  readonly table: string;
}

/** A mistake in the command line, with what to do about it. */
class UsageError extends Error {}

/** @throws UsageError */
function optionsOf(args: readonly string[]): TokenOptions {
  const { table, tenant, scopes, days } = valuesOf(args);
  if (!table || !tenant || !scopes) {
    const missing = Object.entries({ table, tenant, scopes }).flatMap(([name, value]) => (value ? [] : `--${name}`));
    throw new UsageError(`${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`);
  }
  if (days !== undefined && !(Number(days) > 0)) throw new UsageError(`--expires-in-days is "${days}"; give a number above 0`);
  return {
    table,
    tenant,
    scopes: scopes.split(',').map((scope) => scope.trim()),
    ...(days !== undefined && { expiresInDays: Number(days) }),
  };
}

function valuesOf(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { table: text, tenant: text, scopes: text, 'expires-in-days': text },
    });
    return { ...values, days: values['expires-in-days'] };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** What went wrong and what to do, in one line. */
function explain(error: unknown, table: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (isSluiceError(error) && error.code === 'bad_request') return error.message;
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  switch (name) {
    case 'ResourceNotFoundException':
      return `there is no table "${table}" in this account and region; take the output "TableName" of the stack, and check AWS_REGION`;
    case 'CredentialsProviderError':
      return 'there are no AWS credentials; set AWS_PROFILE, or log in with the AWS CLI';
    case 'AccessDeniedException':
      return `these AWS credentials may not write to "${table}"; they need dynamodb:PutItem on it`;
    default:
      return message === 'Region is missing' ? 'there is no AWS region; set AWS_REGION' : `the token was not stored: ${message}`;
  }
}

/** @returns the exit code: 0, 1 when it failed, 2 for a wrong command line. */
async function main(args: readonly string[]): Promise<number> {
  if (args.length === 0 || args.includes('--help')) {
    console.log(USAGE);
    return args.length === 0 ? 2 : 0;
  }
  let table = '';
  try {
    const options = optionsOf(args);
    table = options.table;
    const deps: IssueDeps = { tokens: createTokenStore(createClients().dynamodb, { table }), clock: systemClock, ...systemTokens };
    const { token, record } = await issueToken(deps, options);
    const until = record.expiresAt === undefined ? 'and does not expire' : `until ${new Date(record.expiresAt).toISOString()}`;
    // On standard error, so that the token can be piped on alone.
    console.error(`A token of tenant ${record.tenant} for ${record.scopes.join(', ')}, valid ${until}. Keep it: it is not shown again.`);
    console.log(token);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
    else console.error(explain(error, table));
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
