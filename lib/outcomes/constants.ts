/** The physical name of the queue that the outcomes of attempts arrive in. */
export function outcomesName(name: string): string {
  return `${name}-outcomes`;
}

/** The physical name of its dead-letter queue. */
export function outcomesDeadName(name: string): string {
  return `${name}-outcomes-dead`;
}
