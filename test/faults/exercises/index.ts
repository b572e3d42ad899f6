import { attempts } from './attempts.ts';
import { backlogs } from './backlogs.ts';
import { deployments } from './deployments.ts';
import type { Exercise } from './exercise.ts';
import { hints } from './hints.ts';
import { operations } from './operations.ts';
import { reads } from './reads.ts';
import { schedule } from './schedule.ts';
import { submissions } from './submissions.ts';
import { tokens } from './tokens.ts';

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
];
