import { breakerKey, resourceBreakerKey } from '@sluice/contracts';
import type { TypeRegistry } from '../ports/type-registry.ts';

const TYPE = 'type:';
const RESOURCE = 'resource:';

/** The type that a breaker is of; `undefined` for that of a resource. */
export function typeOfKey(key: string): string | undefined {
  return key.startsWith(TYPE) ? key.slice(TYPE.length) : undefined;
}

/** The resource that a breaker is of; `undefined` for that of a type. */
export function resourceOfKey(key: string): string | undefined {
  return key.startsWith(RESOURCE) ? key.slice(RESOURCE.length) : undefined;
}

/** The breakers that a type's attempts pass: those of its resources, then its own. From memory, so that it costs no call. */
export async function breakersOfType(types: TypeRegistry, type: string): Promise<readonly string[]> {
  const { resources = [] } = (await types.get(type)) ?? {};
  return [...resources.map(resourceBreakerKey), breakerKey(type)];
}

/** The types whose attempts a breaker holds. */
export async function typesOfBreaker(types: TypeRegistry, key: string): Promise<ReadonlySet<string>> {
  const type = typeOfKey(key);
  if (type !== undefined) return new Set([type]);
  const resource = resourceOfKey(key);
  const specs = await Promise.all((await types.names()).map((name) => types.get(name)));
  return new Set(specs.flatMap((spec) => (resource !== undefined && spec?.resources?.includes(resource) ? [spec.type] : [])));
}
