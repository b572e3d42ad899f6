import { LIMITS } from '@sluice/contracts';
import type { WebhookAnswer } from '../ports/webhook-sender.ts';

export type WebhookVerdict =
  | { readonly as: 'delivered'; readonly status: number }
  | { readonly as: 'fatal' | 'retryable'; readonly message: string }
  /** The receiver said when to come back; free of charge. */
  | { readonly as: 'throttled'; readonly message: string; readonly retryAfterMs: number };

export interface AnswerInput {
  readonly answer: WebhookAnswer;
  /** Calls so far that counted, this one included. */
  readonly attempt: number;
  /** Calls so far that were put off by the receiver. */
  readonly throttled: number;
  readonly now: number;
}

/** Calls that a receiver is given which answers that the call itself is wrong: its deployment may be on the way. */
const ATTEMPTS_IF_REFUSED = 5;
/** Times that a receiver may put a delivery off for nothing; from then on each counts as a failure. */
const FREE_THROTTLES = 50;
/** ms that a receiver which puts deliveries off is left alone at least. */
const LEAST_PAUSE_MS = 1_000;
/** Characters of an answer's body in the error. */
const BODY_SHOWN = 200;

/** What a webhook's answer means, by the conventions of Standard Webhooks. */
export function judgeAnswer({ answer, attempt, throttled, now }: AnswerInput): WebhookVerdict {
  if (answer.kind === 'forbidden') return { as: 'fatal', message: answer.message };
  if (answer.kind === 'failed') return { as: 'retryable', message: answer.message };
  const { status, body, retryAfter } = answer;
  if (status >= 200 && status < 300) return { as: 'delivered', status };
  const shown = body.trim().slice(0, BODY_SHOWN);
  const message = `the receiver answered ${status}${shown === '' ? '' : `: ${shown}`}`;
  if (status === 410) return { as: 'fatal', message };
  if ((status === 429 || status === 503) && throttled < FREE_THROTTLES) {
    const retryAfterMs = retryAfterOf(retryAfter, now);
    if (retryAfterMs !== undefined) return { as: 'throttled', message, retryAfterMs };
  }
  const wrong = status >= 300 && status < 500 && status !== 408 && status !== 425 && status !== 429;
  return { as: wrong && attempt >= ATTEMPTS_IF_REFUSED ? 'fatal' : 'retryable', message };
}

/** ms that `Retry-After` asks for: seconds or an HTTP date (RFC 9110, section 10.2.3); `undefined` where it says neither. */
export function retryAfterOf(header: string | undefined, now: number): number | undefined {
  const text = header?.trim() ?? '';
  const at = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : NaN;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : at - now;
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, LEAST_PAUSE_MS), LIMITS.retryAfterSeconds * 1_000);
}
