import { EVENT_AGE_SECONDS, LIMITS, taskTypeSpecSchema } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import { WAITS_PER_TENANT } from '../../core/api/wait-for-task.ts';
import { MAX_WAIT_SECONDS } from '../../core/admission/bounds.ts';
import { PERMITS_PER_CELL } from '../../core/permits/cells.ts';
import { FAILED_RETENTION_SECONDS } from '../../core/settle/decide.ts';
import { makePlatform, resourcesOf } from '../cdk/synth.ts';
import { kindsOf } from '../faults/plan.ts';
import { nameOf, scan } from '../faults/sites/scan.ts';
import { UNREACHABLE_SITES } from '../faults/unreachable.ts';
import { typeSpec } from '../helpers/world.ts';
import { ROOT, textOf } from './pages.ts';

const DAY = 86_400;
const MIB = 1_048_576;
const text = (n: number): string => n.toLocaleString('en');
const { dedupWindowSeconds } = taskTypeSpecSchema.parse({ ...typeSpec('a'), dedupWindowSeconds: undefined });
const { stack } = makePlatform({ shards: 1, monitoring: false });
const [authorizer] = resourcesOf(stack, 'AWS::ApiGatewayV2::Authorizer');
const cacheSeconds = Number(authorizer?.resource.Properties['AuthorizerResultTtlInSeconds']);
const [stage] = resourcesOf(stack, 'AWS::ApiGatewayV2::Stage');
const throttle = stage?.resource.Properties['DefaultRouteSettings'] as { ThrottlingRateLimit: number; ThrottlingBurstLimit: number };
const { sites } = scan(ROOT);
const reachable = sites.filter((site) => !UNREACHABLE_SITES.has(nameOf(site)));
const runs = reachable.flatMap((_, n) => kindsOf(n)).length;

/** What a page says in words, with the numbers that the code has. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  'docs/api.md': [
    `any JSON value, up to ${LIMITS.payloadBytes / MIB} MiB`,
    `up to ${LIMITS.idLength} letters, digits`,
    `up to five years away`,
    `up to ${LIMITS.labels} texts by key`,
    `(${dedupWindowSeconds / DAY} days by default), one that failed as \`outcome_unknown\` for at least ${FAILED_RETENTION_SECONDS / DAY} days`,
    `Up to ${LIMITS.batchTasks} tasks and ${LIMITS.bodyBytes / MIB} MiB`,
    `from 0 (default) to ${LIMITS.waitSeconds} that the call is held`,
    `At most ${LIMITS.waitsAtOnce} calls wait at once on a platform, ${WAITS_PER_TENANT} of one tenant`,
    `may be given up to ${LIMITS.labels} times`,
    `Default: ${LIMITS.listDays} days back`,
    `1 to ${LIMITS.listPage}`,
    `up to ${LIMITS.tokenNameLength} characters`,
    `(0 to ${LIMITS.tokenGraceSeconds / DAY} days, 3,600 by default)`,
    `\`tokenCacheTtl\` of the platform, ${cacheSeconds} s by default`,
    `at most ${LIMITS.tokens} tokens`,
  ],
  'docs/errors.md': [
    `more than ${LIMITS.batchTasks} tasks`,
    `more than ${LIMITS.payloadBytes / MIB} MiB of JSON`,
    `more than ${LIMITS.bodyBytes / MIB} MiB`,
    `is deleted ${FAILED_RETENTION_SECONDS / DAY} days or more after it failed`,
    `(${dedupWindowSeconds / DAY} days by default)`,
    `${LIMITS.tokens} API tokens (${2 * LIMITS.tokens} when one is rotated)`,
    `Of ${['no', 'one', 'two', 'three'][LIMITS.lostOutcomes]} attempts nothing was ever heard`,
    `at most ${LIMITS.retryAfterSeconds / DAY} days`,
    `no concurrency for it within ${EVENT_AGE_SECONDS} s`,
  ],
  'docs/limits.md': [
    `(${text(throttle.ThrottlingRateLimit)} by default) with bursts of \`requestBurst\` (${text(throttle.ThrottlingBurstLimit)})`,
    `\`dedupWindow\` of its type, ${dedupWindowSeconds / DAY} days by default`,
  ],
  'docs/admission.md': [`\`Retry-After\` is 1 to ${MAX_WAIT_SECONDS} seconds. Below ${MAX_WAIT_SECONDS} up to a quarter is added`],
  'docs/retries.md': [`a cell for every ${PERMITS_PER_CELL} permits of its \`concurrency\``],
  'docs/faults.md': [
    `${text(sites.length)} call sites in the sources, of which ${text(reachable.length)} can be reached, are ${text(runs)} runs`,
  ],
  'docs/concepts.md': [
    `for ${FAILED_RETENTION_SECONDS / DAY} days, and is told`,
    `more than ${Math.floor(LIMITS.itemBytes / 1_000)} KB is kept in S3`,
  ],
};

describe.each(Object.entries(SAID))('%s says', (page, sentences) => {
  const words = textOf(page).replaceAll(/\s+/g, ' ');
  it.each(sentences)('%s', (sentence) => {
    expect(words).toContain(sentence);
  });
});
