import { Duration } from 'aws-cdk-lib';

/** The physical name of the queue that control is told by. */
export function controlName(name: string): string {
  return `${name}-control`;
}

/** How long control may run, and for which a message that it has received stays hidden. */
export const CONTROL_TIMEOUT = Duration.seconds(120);

/** Every minute control looks at everything anyway: older messages say nothing that it does not know. */
export const CONTROL_RETENTION = Duration.minutes(5);

/** Messages of one round, and the seconds that it waits for more: many lanes begin at once, and one round does for all. */
export const CONTROL_BATCH = { size: 100, window: Duration.seconds(1) };

/** Rounds at once that messages may cause: the least that Lambda allows. */
export const CONTROL_ROUNDS = 2;
