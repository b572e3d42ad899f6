import type * as z from 'zod';

/**
 * What to say of a value that is beyond a limit: what was given, what is allowed and what to do. It is the `error` of a
 * parse; where a schema has words of its own they come first.
 */
export function limitMessage(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'invalid_key') return issue.issues[0]?.message;
  if (issue.code === 'too_big') return tooMuch(issue.input, Number(issue.maximum));
  if (issue.code !== 'too_small' || typeof issue.input !== 'number') return undefined;
  return `it is ${issue.input} and must be >=${issue.minimum}: raise it`;
}

function tooMuch(given: unknown, most: number): string | undefined {
  if (typeof given === 'number') return `it is ${given} and must be <=${most}: lower it`;
  return typeof given === 'string' ? `it has ${given.length} characters and at most ${most} are allowed: shorten it` : undefined;
}
