import { attempts } from './attempts.ts';
import { backlogs } from './backlogs.ts';
import { breakers } from './breakers.ts';
import { capacities } from './capacities.ts';
import { deadLetters } from './dead-letters.ts';
import { dedicatedQueues } from './dedicated-queues.ts';
import { deployments } from './deployments.ts';
import { entryPools } from './entry-pools.ts';
import type { Exercise } from './exercise.ts';
import { hints } from './hints.ts';
import { lanes } from './lanes.ts';
import { notifications } from './notifications.ts';
import { operations } from './operations.ts';
import { operators } from './operators.ts';
import { reads } from './reads.ts';
import { resourceRates } from './resource-rates.ts';
import { schedule } from './schedule.ts';
import { schedules } from './schedules.ts';
import { stackDeletions } from './stack-deletions.ts';
import { starts } from './starts.ts';
import { submissions } from './submissions.ts';
import { tokens } from './tokens.ts';
import { views } from './views.ts';

/** Every exercise, by feature. A new feature brings a file of its own. */
export const EXERCISES: readonly Exercise[] = [
  ...deployments,
  ...attempts,
  ...submissions,
  ...hints,
  ...backlogs,
  ...operations,
  ...reads,
  ...tokens,
  ...schedule,
  ...notifications,
  ...schedules,
  ...deadLetters,
  ...breakers,
  ...starts,
  ...lanes,
  ...capacities,
  ...entryPools,
  ...resourceRates,
  ...operators,
  ...views,
  ...dedicatedQueues,
  ...stackDeletions,
];
