import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { StartChoice } from '@sluice/contracts';
import { runCountsKey, startChoiceKey } from '../../../adapters/aws/keys.ts';
import { createStartStore } from '../../../adapters/aws/start-store.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { newTypesAreKnown } from './scenes.ts';

/** By each starter: runs are seen by whoever settles them, and told half a minute later. */
export const starts: readonly Exercise[] = [
  { name: 'tells how long runs take by event', run: (stage) => tells(stage, 'event') },
  { name: 'tells how long runs take by wait', run: (stage) => tells(stage, 'wait') },
];

/** A task type of this run's own, which chooses how it is started, and what has been chosen for it. */
async function tells(stage: Stage, mode: StartChoice['mode']): Promise<void> {
  const { types, typeWriter, clients, table } = stage.world;
  const type = `type-of-${stage.tenant}`;
  const spec = await types.get(TYPES.event);
  if (!spec) throw new Error(`there is no type ${TYPES.event}`);
  const choice: StartChoice = { v: 1, type, mode, since: Date.now() };
  const store = createStartStore(clients.dynamodb, { table, clock: { now: Date.now }, known: { starts: async () => new Map() } });
  const item = { ...startChoiceKey(type), v: 1, since: choice.since, choice: JSON.stringify(choice) };
  await clients.dynamodb.send(new PutCommand({ TableName: table, Item: item }));
  await typeWriter.put({ ...spec, type, start: 'auto' }, stage.tenant);
  await newTypesAreKnown();
  try {
    let tasks = 0;
    // What could not be told is dropped, and later runs are told.
    await stage.until(`runs are counted in ${runCountsKey(choice).p}`, async () => {
      const id = `task-${tasks++}`;
      await stage.submit(id, type, { do: 'ok' });
      await stage.ends(id, { state: 'succeeded', attempts: 1 });
      return (await store.counted(choice)).runs > 0;
    });
    await stage.permitsReturned();
  } finally {
    await typeWriter.remove(type, stage.tenant);
    await store.remove(choice);
  }
}
