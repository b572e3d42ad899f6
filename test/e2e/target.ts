import { SluiceClient } from '@sluice/client';
import { TERMINAL_STATES, type Scope, type TaskView } from '@sluice/contracts';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { createClients, type Clients } from '../../adapters/aws/clients.ts';
import { createTokenStore } from '../../adapters/aws/token-store.ts';
import { systemClock, systemTokens } from '../../adapters/system.ts';
import { issueToken } from '../../core/auth/token.ts';
import { recorded, type RecordedInit } from './recorded.ts';

const deployment = inject('deployment');
const { endpoints } = deployment;

export const target = {
  name: deployment.name,
  isEmbedded: deployment.name === 'embedded',
  url: deployment.url,
  smtpPort: deployment.smtpPort,
  reportsPort: deployment.reportsPort,
  certificate: deployment.certificate,
};

/** An output of the platform's stack. */
export function output(name: string): string {
  const value = deployment.outputs[name];
  if (value === undefined) throw new Error(`the stack has no output ${name}; it has ${Object.keys(deployment.outputs).join(', ')}`);
  return value;
}

/** SDK clients with the rights of whoever deployed the platform. */
export const aws: Clients = createClients({
  region: deployment.region,
  credentials: deployment.credentials,
  dynamodbEndpoint: endpoints.dynamodb,
  sqsEndpoint: endpoints.sqs,
  lambdaEndpoint: endpoints.lambda,
  s3Endpoint: endpoints.s3,
  eventsEndpoint: endpoints.eventbridge,
});

/** A name that no earlier run has used, for tenants and for ids. */
export function fresh(name: string): string {
  return `${name}-${randomBytes(4).toString('hex')}`;
}

/** A token of a tenant, as `npm run token` makes it. */
export async function tokenOf(tenant: string, scopes: readonly Scope[] = ['submit', 'read']): Promise<string> {
  const tokens = createTokenStore(aws.dynamodb, { table: output('TableName') });
  const { token } = await issueToken({ tokens, clock: systemClock, ...systemTokens }, { tenant, scopes });
  return token;
}

export type Client = SluiceClient;

/** A client of a tenant, which is made with its token. */
export async function clientOf(tenant: string, scopes?: readonly Scope[]): Promise<Client> {
  return clientWith(await tokenOf(tenant, scopes));
}

export function clientWith(token: string): Client {
  return new SluiceClient({ baseUrl: target.url, token, fetch: (url, init) => recorded(target.url, url, init) });
}

/** Repeats of a call without the client that found no concurrency free, which a crowded target has none of at times. */
const CALL_REPEATS = 8;

/**
 * A call without the client: to see what the API says to whoever calls it wrongly. What passes is asked again, as the
 * client does.
 */
export async function call(path: string, init: RecordedInit & { token?: string } = {}): Promise<Response> {
  const { token, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  for (let repeat = 1; ; repeat++) {
    const response = await recorded(target.url, target.url + path, { ...rest, headers });
    if (!isPassing(response) || repeat > CALL_REPEATS) return response;
    await sleep(repeat * FIRST_PAUSE_MS);
  }
}

/** Where the authorizer finds no concurrency, the gateway says 500. It is no problem document, as one of ours would be. */
function isPassing({ status, headers }: Response): boolean {
  return status === 503 || (status === 500 && headers.get('content-type') !== 'application/problem+json');
}

/** Seconds until a test gives up on a state: long enough for a slow target, short enough to fail within the test. */
const PATIENCE_SECONDS = 100;
const FIRST_PAUSE_MS = 150;
const LAST_PAUSE_MS = 1_000;

/**
 * The task with its result, once it is terminal. Asks again and again instead of waiting in the API: each wait there
 * holds an environment of a function, and every test waits for something.
 */
export async function finished(client: Client, id: string): Promise<TaskView> {
  return eventually(`the end of task ${id}`, async () => {
    const task = await client.get(id, { include: ['result'] });
    return isTerminal(task) ? task : undefined;
  });
}

function isTerminal({ state }: TaskView): boolean {
  return (TERMINAL_STATES as readonly string[]).includes(state);
}

/** Asks again and again until there is an answer. @throws after a time, with what was waited for */
export async function eventually<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + PATIENCE_SECONDS * 1_000;
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LAST_PAUSE_MS)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${PATIENCE_SECONDS} s`);
    await sleep(pause);
  }
}
