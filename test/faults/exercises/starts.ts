import { PutCommand } from '@aws-sdk/lib-dynamodb';
import type { RunCounts, StartChoice } from '@sluice/contracts';
import { startChoiceKey } from '../../../adapters/aws/keys.ts';
import { createStartStore } from '../../../adapters/aws/start-store.ts';
import { createTypeRegistry } from '../../../adapters/aws/type-registry.ts';
import type { StartStore } from '../../../core/ports/start-store.ts';
import { TYPES } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import type { Exercise } from './exercise.ts';
import { newTypesAreKnown } from './scenes.ts';

const clock = { now: Date.now };
const telemetry = { count: () => undefined, measure: () => undefined, log: () => undefined };
const QUICK: RunCounts = { runs: 1_000, slow: 0, long: 0 };
const LONG: RunCounts = { runs: 1_000, slow: 1_000, long: 1_000 };

/** Types that choose how they are started. Runs are seen by whoever settles them, and told half a minute later. */
export const starts: readonly Exercise[] = [
  { name: 'tells how long runs take by event', run: (stage) => tells(stage, 'event') },
  { name: 'tells how long runs take by wait', run: (stage) => tells(stage, 'wait') },
  {
    name: 'chooses how a type is started, otherwise, and not any more',
    run: async (stage) => {
      const type = typeOf(stage);
      const becomes = (mode: StartChoice['mode'] | undefined) =>
        stage.until(`${type} is ${mode ?? 'not chosen for'}`, async () => (await storeOf(stage).known(type))?.mode === mode);
      const seen = async (counts: RunCounts): Promise<void> => {
        const choice = await storeOf(stage).known(type);
        if (choice) await storeOf(stage).add(choice, counts);
      };
      await withAuto(stage, async () => {
        await becomes('event');
        await seen(QUICK);
        await becomes('wait');
        await seen(LONG);
        await becomes('event');
      });
      await becomes(undefined);
    },
  },
];

/** What has been chosen is there before the type is. */
async function tells(stage: Stage, mode: StartChoice['mode']): Promise<void> {
  const type = typeOf(stage);
  const choice: StartChoice = { v: 1, type, mode, since: Date.now() };
  const { clients, table } = stage.world;
  const item = { ...startChoiceKey(type), v: 1, since: choice.since, choice: JSON.stringify(choice) };
  await clients.dynamodb.send(new PutCommand({ TableName: table, Item: item }));
  await withAuto(stage, async () => {
    let tasks = 0;
    // What could not be told is dropped, and later runs are told.
    await stage.until('runs are counted', async () => {
      const id = `task-${tasks++}`;
      await stage.submit(id, type, { do: 'ok' });
      await stage.ends(id, { state: 'succeeded', attempts: 1 });
      return (await storeOf(stage).counted(choice)).runs > 0;
    });
    await stage.permitsReturned();
  });
}

/** Its name has the tenant's in it, so that calls about it are told from others'. */
function typeOf({ tenant }: Stage): string {
  return `type-of-${tenant}`;
}

/** Knows nothing when it is made, so that it looks. */
function storeOf({ world: { clients, table } }: Stage): StartStore {
  return createStartStore(clients.dynamodb, { table, clock, known: createTypeRegistry(clients.dynamodb, { table, clock, telemetry }) });
}

async function withAuto(stage: Stage, run: () => Promise<void>): Promise<void> {
  const { types, typeWriter } = stage.world;
  const spec = await types.get(TYPES.event);
  if (!spec) throw new Error(`there is no type ${TYPES.event}`);
  await typeWriter.put({ ...spec, type: typeOf(stage), start: 'auto' }, stage.tenant);
  await newTypesAreKnown();
  try {
    await run();
  } finally {
    await typeWriter.remove(typeOf(stage), stage.tenant);
  }
}
