import { LIMITS, SYSTEM_TYPES, taskTypeSpecSchema } from '@sluice/contracts';
import { execFileSync } from 'node:child_process';
import { Webhook } from 'standardwebhooks';
import { beforeAll, describe, expect, it } from 'vitest';
import { backoffMs } from '../../core/retry/backoff.ts';
import { makePlatform, resourcesOf } from '../cdk/synth.ts';
import { blocksIn, textOf } from './pages.ts';
import { runSnippet, type Scope } from './run.ts';
import { snippetsOf } from './snippet.ts';

const PAGE = 'docs/notifications.md';
const words = textOf(PAGE).replaceAll(/\s+/g, ' ');
const SECRET = 'whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=';
const OTHER = 'whsec_Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=';
const BODY = '{"type":"task.failed","data":{"id":"Ü"}}';

/** Headers of a call that is signed now. */
function headersOf(body: string, ...secrets: string[]): Record<string, string> {
  const at = new Date();
  return {
    'webhook-id': '01JZ8Q4T6V3KX5N7W2C9RBD1EF:failed',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign('01JZ8Q4T6V3KX5N7W2C9RBD1EF:failed', at, body)).join(' '),
  };
}

describe('what docs/notifications.md shows for verifying a webhook', () => {
  let verify: (body: string, headers: Record<string, string>) => unknown;
  beforeAll(async () => {
    const snippet = snippetsOf(PAGE).find(({ values }) => values.includes('verifyWebhook'));
    if (!snippet) throw new Error('the page shows no verifyWebhook');
    const scope: Scope = await runSnippet(snippet, new Map(), {});
    verify = scope['verifyWebhook'] as typeof verify;
  });

  it('takes what is signed, also beside another secret, and nothing else, in TypeScript', () => {
    expect(verify(BODY, headersOf(BODY, SECRET))).toEqual(JSON.parse(BODY));
    expect(verify(BODY, headersOf(BODY, OTHER, SECRET))).toEqual(JSON.parse(BODY));
    expect(() => verify(BODY, headersOf(BODY, OTHER))).toThrow();
    expect(() => verify(`${BODY} `, headersOf(BODY, SECRET))).toThrow();
  });

  const inPython = (body: string, headers: Record<string, string>): string => {
    const [block] = blocksIn(PAGE, 'python');
    const code = `${block?.code}\nimport sys\ngiven = json.load(sys.stdin)\nprint(json.dumps(verify_webhook(given["secret"], given["headers"], given["body"].encode())))`;
    const input = JSON.stringify({ secret: SECRET, headers, body });
    return execFileSync('python3', ['-B', '-c', code], { input, encoding: 'utf8', stdio: 'pipe' });
  };

  it('does the same in Python', () => {
    expect(JSON.parse(inPython(BODY, headersOf(BODY, SECRET)))).toEqual(JSON.parse(BODY));
    expect(JSON.parse(inPython(BODY, headersOf(BODY, OTHER, SECRET)))).toEqual(JSON.parse(BODY));
    expect(() => inPython(BODY, headersOf(BODY, OTHER))).toThrow('no signature fits');
    expect(() => inPython(`${BODY} `, headersOf(BODY, SECRET))).toThrow('no signature fits');
    expect(() => inPython(BODY, { ...headersOf(BODY, SECRET), 'webhook-timestamp': '1' })).toThrow('too old');
  });
});

it('docs/notifications.md says how often, how long and how much', () => {
  const { stack } = makePlatform({ shards: 1, monitoring: false });
  const specs = resourcesOf(stack, 'Custom::SluiceTaskType').map(({ resource }) => {
    const [, parts] = (resource.Properties['Spec'] as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
    return taskTypeSpecSchema.parse(JSON.parse(parts.map((part) => (typeof part === 'string' ? part : 'ARN')).join('')));
  });
  const spec = specs.find(({ type }) => type === SYSTEM_TYPES.notify);
  if (!spec) throw new Error('there is no type of deliveries');
  const { retry, concurrency } = spec;
  const delays = (fraction: number) => Array.from({ length: retry.maxAttempts - 1 }, (_, n) => backoffMs(retry, n + 1, fraction) / 1_000);
  expect(words).toContain(`up to ${retry.maxAttempts} times, about a day long: after ${delays(0)[0]} to ${delays(1)[0]} s`);
  expect(words).toContain(`up to ${retry.maxDelaySeconds / 3_600} h`);
  expect(delays(0.5).reduce((sum, seconds) => sum + seconds, 0) / 3_600).toBeCloseTo(22, 0);
  expect(words).toContain(`${concurrency} of them run at once`);
  expect(words).toContain(`more than ${LIMITS.itemBytes / 1_024} KB`);
  expect(words).toContain(`At most ${LIMITS.webhookSecrets} sign at once`);
  expect(words).toContain(`(0 to ${LIMITS.webhookOverlapSeconds / 86_400} days, 86,400 by default)`);
});
