import type { AttemptAnswer, AttemptQuestion } from '@sluice/contracts';
import type { TaskStore } from '../ports/task-store.ts';

/**
 * Whether an attempt shall go on. The key is the nonce of its claim, which only the attempt and its row know; whoever
 * does not prove itself learns nothing: to it every attempt is over.
 */
export async function attemptState(tasks: TaskStore, question: AttemptQuestion): Promise<AttemptAnswer['state']> {
  const row = await tasks.get(question.tenant, question.task);
  const isLive = row?.state === 'running' && row.uid === question.uid && row.fence === question.fence && row.run?.nonce === question.key;
  if (!isLive) return 'over';
  return row.cancelAt === undefined ? 'running' : 'cancelling';
}
