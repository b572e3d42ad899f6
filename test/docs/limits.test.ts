import {
  AWS_LIMITS,
  EVENT_AGE_SECONDS,
  isSluiceError,
  LIMITS,
  retryPolicySchema,
  type KitReply,
  type Quota,
  S3_SHORT_DAYS,
  type Scope,
} from '@sluice/contracts';
import { ERROR_LIMITS, EVENT_AND_RESULT_BYTES } from '@sluice/handler';
import { Duration, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { createMemoryTokenStore } from '../../adapters/memory/index.ts';
import { systemTokens } from '../../adapters/system.ts';
import { WAITS_PER_TENANT } from '../../core/api/wait-for-task.ts';
import { issueToken } from '../../core/auth/token.ts';
import { createWebhookSecret } from '../../core/notify/secrets.ts';
import { classifyAnswer } from '../../core/outcomes/classify.ts';
import { putSchedule } from '../../core/schedules/manage.ts';
import { checkSubmission } from '../../core/submit/validate.ts';
import { HELD_MS, KEPT_MS } from '../../core/tasks/kept.ts';
import { FAILED_RETENTION_SECONDS } from '../../core/settle/decide.ts';
import { createHandler as createApi } from '../../functions/api/handler.ts';
import { createHandler as createSubmit } from '../../functions/submit/handler.ts';
import { TaskPlatform, TaskType, type TaskTypeProps } from '../../lib/index.ts';
import { makeApp } from '../cdk/synth.ts';
import { T0 } from '../helpers/samples.ts';
import { createWorld } from '../helpers/world.ts';
import { answerOf, request, type RequestOptions } from '../unit/http/requests.ts';
import { textOf } from './pages.ts';

type Limit = keyof typeof LIMITS;
const page = textOf('docs/limits.md');

/** The value beside a name in a table of the page. */
function valueOf(name: string): number | undefined {
  const [, value] = new RegExp(`^\\| \`${name}\` \\| ([\\d,]+) \\|`, 'm').exec(page) ?? [];
  return value === undefined ? undefined : Number(value.replaceAll(',', ''));
}

describe('docs/limits.md', () => {
  it('has every limit of the contracts with its value, and no other', () => {
    const expected = { ...LIMITS, ...AWS_LIMITS, EVENT_AGE_SECONDS };
    const named = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, name = '']) => [name, valueOf(name)] as const);
    expect(Object.fromEntries(named)).toEqual(expected);
  });

  it.each([
    [EVENT_AND_RESULT_BYTES.toLocaleString('en'), '(`EVENT_AND_RESULT_BYTES`)'],
    [`${ERROR_LIMITS.nameBytes} bytes of the name`],
    [`${ERROR_LIMITS.messageBytes.toLocaleString('en')} of the message`],
    [`${ERROR_LIMITS.stackBytes.toLocaleString('en')} of the stack`],
    [`${S3_SHORT_DAYS} days (\`S3_SHORT_DAYS\`)`],
    [`${KEPT_MS / 86_400_000} days from its first attempt's time`, `${KEPT_MS / 86_400_000} before the first attempt`],
    [
      `for ${HELD_MS / 86_400_000} more days`,
      `and ${HELD_MS / 86_400_000} from each next one's`,
      `held for more than ${HELD_MS / 86_400_000} days at a stretch`,
    ],
    [`| ${FAILED_RETENTION_SECONDS / 86_400} days from then; not less than \`dedupWindow\``],
    [`${LIMITS.tokens * 2} while they are rotated`],
  ])('says %s', (...words) => {
    for (const word of words) expect(page).toContain(word);
  });

  it('says what a retry policy may be, and how many waits one tenant has', () => {
    for (const wrong of [
      { minDelaySeconds: 86_401, maxDelaySeconds: 90_000 },
      { maxDelaySeconds: 604_801 },
      { factor: 10.1 },
      { factor: 0.9 },
    ]) {
      expect(retryPolicySchema.safeParse(wrong).success).toBe(false);
    }
    expect(retryPolicySchema.safeParse({ minDelaySeconds: 86_400, maxDelaySeconds: 604_800, factor: 10 }).success).toBe(true);
    expect(page).toContain('`minDelaySeconds` is 0 to 86,400, `maxDelaySeconds` 0 to 604,800');
    expect(WAITS_PER_TENANT).toBe(LIMITS.waitsAtOnce / 2);
  });
});

/** What goes beyond a limit by one, or why no caller can. */
const CAUSES: Record<Limit, (() => Promise<string>) | string> = {
  payloadBytes: submitting({ payload: 'x'.repeat(LIMITS.payloadBytes - 1) }),
  bodyBytes: calling('POST /v1/tasks', { body: 'x'.repeat(LIMITS.bodyBytes + 1) }),
  batchTasks: calling('POST /v1/tasks/batch', { body: { tasks: Array.from({ length: LIMITS.batchTasks + 1 }, () => ({})) } }),
  idLength: submitting({ id: 'x'.repeat(LIMITS.idLength + 1) }),
  resultBytes: async () => classifyAnswer({ payload: 'x'.repeat(LIMITS.resultBytes - 1) }).error?.message ?? '',
  tenantLength: issuing({ tenant: 'x'.repeat(LIMITS.tenantLength + 1) }),
  typeLength: submitting({ type: 'x'.repeat(LIMITS.typeLength + 1) }),
  labels: submitting({ labels: Object.fromEntries(Array.from({ length: LIMITS.labels + 1 }, (_, n) => [`l${n}`, ''])) }),
  labelKeyLength: submitting({ labels: { ['x'.repeat(LIMITS.labelKeyLength + 1)]: '' } }),
  labelValueLength: submitting({ labels: { l: 'x'.repeat(LIMITS.labelValueLength + 1) } }),
  delaySeconds: submitting({ delaySeconds: LIMITS.delaySeconds + 1 }),
  waitSeconds: calling('GET /v1/tasks/{id}/result', { path: { id: 'a' }, query: { wait: String(LIMITS.waitSeconds + 1) } }),
  waitsAtOnce: 'one call more is answered 202',
  attempts: submitting({ retry: { maxAttempts: LIMITS.attempts + 1 } }),
  lostOutcomes: 'it ends a task',
  crashes: 'it ends a task',
  retryRules: submitting({ retry: { rules: Array.from({ length: LIMITS.retryRules + 1 }, () => ({ error: 'E', as: 'fatal' })) } }),
  retryPatternLength: submitting({ retry: { rules: [{ error: 'x'.repeat(LIMITS.retryPatternLength + 1), as: 'fatal' }] } }),
  retryRulesBytes: submitting({ retry: { rules: rulesOf(LIMITS.retryRulesBytes + 1) } }),
  retryAfterSeconds: 'a longer time is shortened',
  timeoutSeconds: deploying({ timeout: Duration.seconds(LIMITS.timeoutSeconds + 1) }),
  autoTimeoutSeconds: 'a longer one is started as an event',
  waitTimeoutSeconds: deploying({ start: 'wait', timeout: Duration.seconds(LIMITS.waitTimeoutSeconds + 1) }),
  concurrency: deploying({ concurrency: LIMITS.concurrency + 1 }),
  rates: deploying({ rates: Array.from({ length: LIMITS.rates + 1 }, (_, n) => ({ limit: 1, perSeconds: n + 1 })) }),
  rateLimit: deploying({ rates: [{ limit: LIMITS.rateLimit + 1, perSeconds: 1 }] }),
  ratePerSeconds: deploying({ rates: [{ limit: 1, perSeconds: LIMITS.ratePerSeconds + 1 }] }),
  inlineBytes: 'it says where a value is kept',
  itemBytes: 'it says where a value is kept',
  payloadDepth: submitting({ payload: Array.from({ length: LIMITS.payloadDepth + 1 }).reduce((inner) => [inner], null) }),
  listPage: calling('GET /v1/tasks', { query: { limit: String(LIMITS.listPage + 1) } }),
  listDays: 'it is what a list without `from` covers',
  redriveIds: calling('POST /v1/redrives', { body: { ids: Array.from({ length: LIMITS.redriveIds + 1 }, (_, n) => `t${n}`) } }),
  redriveRate: calling('POST /v1/redrives', { body: { filter: {}, ratePerSecond: LIMITS.redriveRate + 1 } }),
  redrives: 'the eleventh is refused, see test/unit/redrive',
  redrivePage: calling('GET /v1/redrives', { query: { limit: String(LIMITS.redrivePage + 1) } }),
  canaryTasks: calling('POST /v1/redrives', {
    body: { filter: {}, canary: { tasks: LIMITS.canaryTasks + 1, maxFailureShare: 0, waitSeconds: 1 } },
  }),
  canaryWaitSeconds: calling('POST /v1/redrives', {
    body: { filter: {}, canary: { tasks: 1, maxFailureShare: 0, waitSeconds: LIMITS.canaryWaitSeconds + 1 } },
  }),
  tokens: issuing({ count: LIMITS.tokens }),
  tokenNameLength: calling('POST /v1/tokens', { body: { scopes: ['read'], name: 'x'.repeat(LIMITS.tokenNameLength + 1) } }),
  tokenDays: calling('POST /v1/tokens', { body: { scopes: ['read'], expiresInDays: LIMITS.tokenDays + 1 } }),
  tokenGraceSeconds: calling('POST /v1/tokens/{id}/rotate', {
    path: { id: 'tok_0123456789abcdef' },
    body: { graceSeconds: LIMITS.tokenGraceSeconds + 1 },
  }),
  webhookUrlLength: submitting({ notify: { webhook: { url: `https://${'x'.repeat(LIMITS.webhookUrlLength - 7)}` } } }),
  notificationQueueNameLength: submitting({ notify: { queue: { name: 'x'.repeat(LIMITS.notificationQueueNameLength + 1) } } }),
  webhookOverlapSeconds: calling('POST /v1/webhook-secrets', { body: { overlapSeconds: LIMITS.webhookOverlapSeconds + 1 } }),
  webhookSecrets: async () => {
    const world = createWorld();
    const deps = { ...world.deps, ...systemTokens };
    for (let n = 0; n < LIMITS.webhookSecrets; n++) await createWebhookSecret(deps, 'acme');
    return refusalOf(() => createWebhookSecret(deps, 'acme'));
  },
  schedules: async () => {
    const world = createWorld();
    const schedules = { ...world.deps.schedules, count: async () => LIMITS.schedules };
    return refusalOf(() => putSchedule({ ...world.deps, schedules }, 'acme', 's', { everySeconds: 60, task: { type: 'echo' } }));
  },
  scheduleNameLength: async () =>
    (await scheduling({}, 'x'.repeat(LIMITS.scheduleNameLength + 1))()).replace(/^"[^"]*" is no name of a schedule: /, ''),
  cronLength: scheduling({ cron: '*'.repeat(LIMITS.cronLength + 1), everySeconds: undefined }),
  scheduleEverySeconds: scheduling({ everySeconds: LIMITS.scheduleEverySeconds + 1 }),
  jitterSeconds: scheduling({ jitterSeconds: LIMITS.jitterSeconds + 1 }),
  misfires: scheduling({ misfire: { policy: 'all', max: LIMITS.misfires + 1 } }),
  schedulePayloadBytes: scheduling({ task: { type: 'echo', payload: 'x'.repeat(LIMITS.schedulePayloadBytes - 1) } }),
  capacity: deploying({ capacity: LIMITS.capacity + 1 }),
  resourcesOfType: deploying({ resources: Array.from({ length: LIMITS.resourcesOfType + 1 }, (_, n) => `r${n}`) }),
  resourceNameLength: deploying({ resources: ['x'.repeat(LIMITS.resourceNameLength + 1)] }),
  quotaAttempts: allowing({ cap: LIMITS.quotaAttempts + 1 }),
  quotaWeight: allowing({ weight: LIMITS.quotaWeight + 1 }),
  quotaRate: allowing({ rate: LIMITS.quotaRate + 1 }),
  quotaBurst: allowing({ burst: LIMITS.quotaBurst + 1 }),
  quotaBacklog: allowing({ backlog: LIMITS.quotaBacklog + 1 }),
  heavyHitters: calling('GET /v1/heavy-hitters', { query: { limit: String(LIMITS.heavyHitters + 1) } }),
  lanePage: calling('GET /v1/lanes', { query: { limit: String(LIMITS.lanePage + 1) } }),
  quotaPage: calling('GET /v1/quotas', { query: { limit: String(LIMITS.quotaPage + 1) } }),
  starvationSeconds: deploying({ starvationBounds: { low: Duration.seconds(LIMITS.starvationSeconds + 1) } }),
  preemptions: 'then the task runs through',
  checkpointBytes: async () => classifyAnswer({ payload: leavingOff('x'.repeat(LIMITS.checkpointBytes - 1)) }).error?.message ?? '',
  previewTimes: calling('POST /v1/schedules/preview', { body: { everySeconds: 60, n: LIMITS.previewTimes + 1 } }),
};
const causes = Object.entries(CAUSES).flatMap(([limit, cause]) => (typeof cause === 'string' ? [] : [[limit as Limit, cause] as const]));
/** What to do, in any of the words that a refusal has for it. */
const REMEDY = /shorten|lower|flatten|send|put|it takes|revoke|delete|because/i;

describe('a refusal says what was given, what is allowed and what to do', () => {
  it.each(causes)('%s', async (limit, cause) => {
    const said = await cause();
    const given = limit === 'tokens' || limit === 'schedules' ? LIMITS[limit] : limit === 'payloadDepth' ? 'deeper' : LIMITS[limit] + 1;
    expect(said).toContain(String(given));
    expect(said).toContain(String(LIMITS[limit]));
    expect(said).toMatch(REMEDY);
    // As it stands on the page.
    const row = page.split('\n').find((line) => line.startsWith(`| \`${limit}\` |`));
    expect(row).toContain(`"${said}"`);
  });
});

/** What the kit answers for an attempt that failed. */
function leavingOff(checkpoint: string): KitReply {
  return { sluice: { version: 1, class: 'retryable', startedAt: T0, endedAt: T0, checkpoint } };
}

/** Rules that have so many bytes together, in patterns that are not too long. */
function rulesOf(bytes: number): { message: string; as: 'fatal' }[] {
  const rules = Array.from({ length: 5 }, () => ({ message: 'x'.repeat(64), as: 'fatal' as const }));
  const missing = bytes - JSON.stringify(rules).length;
  return [{ message: 'x'.repeat(64 + missing), as: 'fatal' }, ...rules.slice(1)];
}

function submitting(over: Record<string, unknown>): () => Promise<string> {
  return async () => refusalOf(() => checkSubmission({ type: 'echo', ...over }, T0));
}

function scheduling(over: Record<string, unknown>, name = 's'): () => Promise<string> {
  const schedule = { everySeconds: 86_400, task: { type: 'echo' }, ...over };
  return async () => refusalOf(() => putSchedule(createWorld().deps, 'acme', name, schedule));
}

/** What the API answers, through the functions as they are. */
function calling(route: string, options: RequestOptions): () => Promise<string> {
  return async () => {
    const world = createWorld();
    const deps = { ...world.deps, ...systemTokens, tokens: createMemoryTokenStore(), list: undefined, version: '1' };
    const isSubmit = route.startsWith('POST /v1/tasks');
    const handler = isSubmit ? createSubmit({ ...deps, submit: (tenant, tasks) => world.submit(tenant, ...tasks) }) : createApi(deps);
    const scopes: Scope[] = ['admin', 'platform'];
    const { body } = answerOf(await handler(request(route, { ...options, scopes })));
    return firstLine(String(body['detail']));
  };
}

function allowing(quota: Quota): () => Promise<string> {
  return calling('PUT /v1/quotas/{tenant}', { path: { tenant: 'acme' }, body: quota });
}

function issuing({ tenant = 'acme', count = 0 }: { tenant?: string; count?: number }): () => Promise<string> {
  return async () => {
    const deps = { ...systemTokens, tokens: createMemoryTokenStore(), clock: { now: () => T0 } };
    for (let n = 0; n < count; n++) await issueToken(deps, { tenant, scopes: ['read'] });
    return refusalOf(() => issueToken(deps, { tenant, scopes: ['read'] }));
  };
}

function deploying(props: Partial<TaskTypeProps>): () => Promise<string> {
  return async () => {
    const stack = new Stack(makeApp(), 'Sluice');
    const code = Code.fromInline('exports.handler = async () => undefined');
    const handler = new LambdaFunction(stack, 'Fn', { runtime: Runtime.NODEJS_24_X, handler: 'index.handler', code });
    const platform = new TaskPlatform(stack, 'Platform', { shards: 1, monitoring: false });
    return refusalOf(() => new TaskType(stack, 'Thumbnail', { platform, handler, ...props }));
  };
}

async function refusalOf(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    if (isSluiceError(error) || error instanceof Error) return firstLine(error.message);
    throw error;
  }
  throw new Error('it was accepted');
}

/** Without the list's mark, the place in the submission, and whose construct or tenant it is. */
function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '')
    .replace(/^.*✖ /, '')
    .replace(/^TaskType [^:]+: /, '')
    .replace(/^"[^"]*" is no tenant: /, '');
}
