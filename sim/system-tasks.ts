import { SYSTEM_TYPES, type Envelope, type KitReply, type NotifyRules, type TaskTypeSpec } from '@sluice/contracts';
import { createDeliveryHandler } from '../core/notify/deliver.ts';
import type { WebhookAnswer } from '../core/ports/webhook-sender.ts';
import { runSlice } from '../core/redrive/run-slice.ts';
import { createFireHandler } from '../core/schedules/fire.ts';
import { runSystemTask } from '../core/system/run-system-task.ts';
import type { Stream } from './choices.ts';
import { TIMEOUT_SECONDS } from './functions.ts';
import type { Behaviour } from './behaviour.ts';
import { failure } from './handlers.ts';
import { invoke } from './invocation.ts';
import type { SystemPorts } from './ports.ts';
import { type Simulation } from './simulation.ts';
import { typeSpec } from './type-spec.ts';

const TIMES = { timeoutSeconds: TIMEOUT_SECONDS.system, adaptive: false } as const;

/** The platform's own types as it registers them, but that deliveries are given up within minutes and not within a day. */
export const SYSTEM_SPECS: readonly TaskTypeSpec[] = [
  typeSpec(SYSTEM_TYPES.fire, {
    ...TIMES,
    start: 'wait',
    concurrency: 50,
    retry: { maxAttempts: 100, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
    dedupWindowSeconds: 3_600,
  }),
  typeSpec(SYSTEM_TYPES.notify, {
    ...TIMES,
    concurrency: 20,
    retry: { maxAttempts: 6, minDelaySeconds: 5, maxDelaySeconds: 60, factor: 2 },
    dedupWindowSeconds: 14 * 86_400,
  }),
  typeSpec(SYSTEM_TYPES.redrive, {
    ...TIMES,
    concurrency: 4,
    retry: { maxAttempts: 20, minDelaySeconds: 1, maxDelaySeconds: 60, factor: 2 },
  }),
];

export const HOOK = 'https://hooks.example.com/sluice';
export const QUEUE = 'ends';
export const NOTIFY_RULES: NotifyRules = { queues: { [QUEUE]: { url: 'https://sqs/ends' } }, ports: [443], hosts: [] };

const ANSWERS: readonly [WebhookAnswer, ...WebhookAnswer[]] = [
  { kind: 'answered', status: 204, body: '' },
  { kind: 'answered', status: 500, body: 'no' },
  { kind: 'answered', status: 429, body: '', retryAfter: '5' },
  { kind: 'failed', message: 'reset' },
  { kind: 'answered', status: 410, body: 'gone' },
];

/** What a receiver answers: while faults strike as often well as not. */
export function answerOfReceiver(sim: Simulation): WebhookAnswer {
  return sim.calm ? ANSWERS[0] : (ANSWERS[sim.cause.choose(ANSWERS.length, 'the receiver answers', [5, 2, 1, 1, 0.3])] ?? ANSWERS[0]);
}

/** One run of the `system` function: an invocation like any other, whose calls fail as any other's do. */
export function runSystem(sim: Simulation, stream: Stream, envelope: Envelope, done: (end: Behaviour) => void): void {
  const began = sim.kernel.now();
  const { tenant, task, fence } = envelope.sluice;
  invoke(sim, {
    name: 'system',
    stream,
    about: `${tenant}/${task} fence ${fence}`,
    run: (ports) => runSystemTask(handlersOf(ports), ports.clock, withPayload(sim, envelope)),
    done: (reply: KitReply) => {
      const { class: ended, error } = reply.sluice;
      const name = error === undefined ? ended : `${ended}: ${error.message}`;
      const success = ended === 'succeeded';
      done({ name, ms: sim.kernel.now() - began, answer: { payload: reply }, counts: ended !== 'throttled', crashed: false, success });
    },
    failed: (why) => done(failure(`ends in the middle (${why})`, sim.kernel.now() - began, 'Runtime.ExitError', why, true)),
  });
}

function handlersOf(ports: SystemPorts) {
  return {
    [SYSTEM_TYPES.fire]: createFireHandler(ports),
    [SYSTEM_TYPES.notify]: createDeliveryHandler(ports),
    [SYSTEM_TYPES.redrive]: (payload: unknown, attempt: Parameters<typeof runSlice>[2]) => runSlice(ports, payload, attempt),
  };
}

/** A large payload comes as a URL. */
function withPayload({ services }: Simulation, envelope: Envelope): Envelope {
  if (envelope.payloadUrl === undefined) return envelope;
  return { ...envelope, payload: JSON.parse(services.values.fetch(envelope.payloadUrl)) };
}

/** Each tenant has a secret to sign with. */
export async function storeSecrets({ services, kernel }: Simulation, tenants: readonly string[]): Promise<void> {
  for (const tenant of tenants) {
    const secret = { id: 'whs_0123456789abcdef', secret: `whsec_${Buffer.alloc(32, tenant).toString('base64')}`, createdAt: kernel.now() };
    await services.webhookSecrets.put(tenant, { v: 1, tenant, version: 1, secrets: [secret] });
  }
}
