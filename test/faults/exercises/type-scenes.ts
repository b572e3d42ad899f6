import type { TaskTypeSpec } from '@sluice/contracts';
import type { TypeName } from '../app/types.ts';
import type { Stage } from '../world/stage.ts';
import { newTypesAreKnown } from './scenes.ts';

/**
 * A task type of this run's own, as another one is but for some of it. Its name has the tenant's in it, so that whatever is
 * done for all lanes of the type is told from what is done for others.
 * @param before what is there before it
 */
export async function withType(
  stage: Stage,
  like: TypeName,
  over: Partial<TaskTypeSpec>,
  run: (type: string) => Promise<void>,
  before: (type: string) => Promise<void> = async () => undefined,
): Promise<void> {
  const { type = `type-of-${stage.tenant}` } = over;
  await before(type);
  await putType(stage, like, { ...over, type });
  await newTypesAreKnown();
  try {
    await run(type);
    await stage.permitsReturned();
  } finally {
    await stage.world.typeWriter.remove(type, stage.tenant);
  }
}

/** Deploys a type of this run, for the first time or as it then is. */
export async function putType({ world: { types, typeWriter }, tenant }: Stage, like: TypeName, over: Partial<TaskTypeSpec>): Promise<void> {
  const spec = await types.get(like);
  if (!spec) throw new Error(`there is no type ${like}`);
  await typeWriter.put({ ...spec, ...over }, tenant);
}
