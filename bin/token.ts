import { parseArgs } from 'node:util';
import { isSluiceError, LIMITS, type TokenView } from '@sluice/contracts';
import { createClients } from '../adapters/aws/clients.ts';
import { createTokenStore } from '../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../adapters/system.ts';
import { issueToken } from '../core/auth/token.ts';
import { listTokens, revokeToken, rotateToken, type ManageDeps } from '../core/auth/manage-tokens.ts';

const USAGE = `Makes, lists, revokes and rotates API tokens of a tenant, for operators with AWS credentials.

  npm run token -- [create] --table NAME --tenant acme --scopes submit,read [--name checkout] [--expires-in-days N]
  npm run token -- list     --table NAME --tenant acme
  npm run token -- revoke   --table NAME --tenant acme --id tok_0123456789abcdef
  npm run token -- rotate   --table NAME --tenant acme --id tok_0123456789abcdef [--grace-seconds N]

  --table            the platform's table: the output "TableName" of its stack
  --tenant           whose token it is
  --scopes           some of submit, read, operate, admin, platform, separated by commas; admin includes those
                     before it, platform is about all tenants and includes nothing
  --name             what it is for, up to ${LIMITS.tokenNameLength} characters
  --expires-in-days  days until it expires; without it never
  --id               which token, as "list" shows it
  --grace-seconds    how long the old token works on, 0 to ${LIMITS.tokenGraceSeconds}; an hour without it

"create" and "rotate" print the token, this once: only its hash is kept. A token that was revoked, or has come to its
end, is still taken for as long as the gateway remembers it (the prop tokenCacheTtl, 60 s by default).

Region and credentials are those of the AWS CLI (AWS_REGION, AWS_PROFILE, ...); they need dynamodb:GetItem, PutItem,
DeleteItem and Query on the table.`;

const COMMANDS = {
  create: { needs: ['table', 'tenant', 'scopes'], takes: ['name', 'expires-in-days'] },
  list: { needs: ['table', 'tenant'], takes: [] },
  revoke: { needs: ['table', 'tenant', 'id'], takes: [] },
  rotate: { needs: ['table', 'tenant', 'id'], takes: ['grace-seconds'] },
} as const;
type Command = keyof typeof COMMANDS;
type Values = Readonly<Record<string, string | undefined>>;

/** A mistake in the command line, with what to do about it. */
class UsageError extends Error {}

/** The command, `create` where there is none, and its options. @throws UsageError */
function optionsOf(args: readonly string[]): { command: Command; values: Values } {
  const [first = ''] = args;
  const command = first.startsWith('-') ? 'create' : (Object.keys(COMMANDS) as Command[]).find((name) => name === first);
  if (!command) throw new UsageError(`"${first}" is no command; give one of ${Object.keys(COMMANDS).join(', ')}`);
  const values = valuesOf(command, first.startsWith('-') ? args : args.slice(1));
  const missing = COMMANDS[command].needs.filter((name) => !values[name]).map((name) => `--${name}`);
  if (missing.length > 0) throw new UsageError(`${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`);
  return { command, values };
}

function valuesOf(command: Command, args: readonly string[]): Values {
  const { needs, takes } = COMMANDS[command];
  const options = Object.fromEntries([...needs, ...takes].map((name) => [name, { type: 'string' } as const]));
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** @throws UsageError */
function numberOf(values: Values, name: string, isAllowed: (n: number) => boolean, what: string): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  if (text.trim() === '' || !isAllowed(Number(text))) throw new UsageError(`--${name} is "${text}"; give ${what}`);
  return Number(text);
}

async function run(command: Command, values: Values): Promise<void> {
  const { table = '', tenant = '', id = '' } = values;
  const deps: ManageDeps = {
    tokens: createTokenStore(createClients().dynamodb, { table }),
    clock: systemClock,
    // Who runs a command sees what it did.
    telemetry: { count: () => undefined, measure: () => undefined, log: () => undefined },
    ...systemTokens,
    mayRotatePlatform: true,
  };
  switch (command) {
    case 'create': {
      const { scopes = '', name } = values;
      const expiresInDays = numberOf(values, 'expires-in-days', (n) => n > 0, 'a number above 0');
      const request = { tenant, scopes: scopes.split(',').map((scope) => scope.trim()), name, expiresInDays };
      const { token, record } = await issueToken(deps, request);
      const until = record.expiresAt === undefined ? 'and does not expire' : `until ${new Date(record.expiresAt).toISOString()}`;
      return show(token, `A token of tenant ${record.tenant} for ${record.scopes.join(', ')}, valid ${until}.`);
    }
    case 'list':
      for (const view of await listTokens(deps, tenant)) console.log(lineOf(view));
      return;
    case 'revoke':
      await revokeToken(deps, tenant, id);
      return console.error(`${id} of tenant ${tenant} is revoked.`);
    case 'rotate': {
      const most = LIMITS.tokenGraceSeconds;
      const whole = (n: number) => Number.isInteger(n) && n >= 0 && n <= most;
      const graceSeconds = numberOf(values, 'grace-seconds', whole, `a whole number from 0 to ${most}`);
      const issued = await rotateToken(deps, tenant, id, { graceSeconds });
      return show(issued.token, `${issued.id} of tenant ${tenant} takes the place of ${id}.`);
    }
  }
}

/** What it is on standard error, so that the token can be piped on alone. */
function show(token: string, what: string): void {
  console.error(`${what} Keep it: it is not shown again.`);
  console.log(token);
}

function lineOf({ id, scopes, createdAt, expiresAt = 'never', name = '' }: TokenView): string {
  return `${id}  ${scopes.join(',').padEnd(30)}  created ${createdAt}  expires ${expiresAt.padEnd(24)}  ${name}`.trimEnd();
}

/** What went wrong and what to do, in one line. */
function explain(error: unknown, table: string): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (isSluiceError(error) && error.cause === undefined) return error.message;
  const { name, message } = cause instanceof Error ? cause : { name: '', message: String(cause) };
  switch (name) {
    case 'ResourceNotFoundException':
      return `there is no table "${table}" in this account and region; take the output "TableName" of the stack, and check AWS_REGION`;
    case 'CredentialsProviderError':
      return 'there are no AWS credentials; set AWS_PROFILE, or log in with the AWS CLI';
    case 'AccessDeniedException':
      return `these AWS credentials may not use "${table}"; they need dynamodb:GetItem, PutItem, DeleteItem and Query on it`;
    default:
      return message === 'Region is missing' ? 'there is no AWS region; set AWS_REGION' : `the table did not take it: ${message}`;
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
    const { command, values } = optionsOf(args);
    table = values['table'] ?? '';
    await run(command, values);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) console.error(`${error.message}\n\n${USAGE}`);
    else console.error(explain(error, table));
    return error instanceof UsageError ? 2 : 1;
  }
}

process.exitCode = await main(process.argv.slice(2));
