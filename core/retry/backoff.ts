import type { RetryOverride, RetryPolicy } from '@sluice/contracts';

/** A type's policy with what a task says otherwise; a task's rules come before the type's. */
export function effectivePolicy(policy: RetryPolicy, override: RetryOverride | undefined): RetryPolicy {
  const given = Object.fromEntries(Object.entries(override ?? {}).filter(([, value]) => value !== undefined));
  const rules = [...(override?.rules ?? []), ...(policy.rules ?? [])];
  return { ...policy, ...given, ...(rules.length > 0 && { rules }) };
}

/**
 * Milliseconds until the next try after the n-th failure: exponential backoff with full jitter above a floor
 * (M. Brooker, "Exponential Backoff And Jitter", 2015).
 * @param fraction uniform in [0, 1)
 */
export function backoffMs(
  policy: Pick<RetryPolicy, 'minDelaySeconds' | 'maxDelaySeconds' | 'factor'>,
  failures: number,
  fraction: number,
): number {
  // A submission may have raised the floor above the cap of its type.
  const floor = Math.min(policy.minDelaySeconds, policy.maxDelaySeconds);
  const ceiling = Math.min(policy.maxDelaySeconds, floor * policy.factor ** failures);
  return Math.round(1000 * (floor + fraction * Math.max(0, ceiling - floor)));
}
