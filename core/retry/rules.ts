import { LIMITS, type Outcome, type RetryRule } from '@sluice/contracts';

/**
 * Whether a text fits a pattern, in which `*` stands for any characters. Each part between two wildcards is looked for once,
 * from left to right, so that no pattern takes longer than the length of the text times its own: tenants write them.
 */
export function fits(text: string, pattern: string): boolean {
  const [head = '', ...rest] = pattern.split('*');
  const tail = rest.pop();
  if (tail === undefined) return text === pattern;
  if (text.length < head.length + tail.length || !text.startsWith(head) || !text.endsWith(tail)) return false;
  const end = text.length - tail.length;
  let from = head.length;
  for (const part of rest) {
    const found = text.indexOf(part, from);
    if (found === -1 || found + part.length > end) return false;
    from = found + part.length;
  }
  return true;
}

/** The name of an error without the modules, packages and outer classes that runtimes put in front of it or around it. */
export function shortName(name: string): string {
  return /[A-Za-z_]\w*(?=>*$)/.exec(name)?.[0] ?? name;
}

function applies(rule: RetryRule, { name, message, status }: { name: string; message: string; status?: number | undefined }): boolean {
  if (rule.error !== undefined && !fits(name, rule.error) && !fits(shortName(name), rule.error)) return false;
  if (rule.message !== undefined && !fits(message, rule.message)) return false;
  if (rule.status === undefined) return true;
  if (status === undefined) return false;
  return typeof rule.status === 'number' ? status === rule.status : Math.floor(status / 100) === Number(rule.status[0]);
}

/**
 * A failure as the rules of its retry policy take it. They are for what the handler came to; what the platform itself did
 * not start, or never heard of, is not theirs.
 */
export function ruled(outcome: Outcome, rules: readonly RetryRule[] | undefined): Outcome {
  const { error, answered } = outcome;
  if (!answered || !error || outcome.class === 'succeeded' || outcome.class === 'preempted') return outcome;
  const rule = rules?.find((each) => applies(each, error));
  if (!rule) return outcome;
  const after = rule.afterSeconds === undefined ? outcome.retryAfterMs : Math.max(rule.afterSeconds * 1000, outcome.retryAfterMs ?? 0);
  return {
    ...outcome,
    class: rule.as,
    ...(after !== undefined && { retryAfterMs: Math.min(Math.round(after), LIMITS.retryAfterSeconds * 1000) }),
  };
}
