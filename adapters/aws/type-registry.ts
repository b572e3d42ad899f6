import {
  breakerSchema,
  resourceSpecSchema,
  routingDocumentSchema,
  startChoiceSchema,
  taskTypeSpecSchema,
  type Breaker,
  type ResourceSpec,
  type RoutingDocument,
  type StartChoice,
  type TaskTypeSpec,
} from '@sluice/contracts';
import { DeleteCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { ZodType } from 'zod';
import type { Clock } from '../../core/ports/clock.ts';
import type { Telemetry } from '../../core/ports/telemetry.ts';
import type { ResourceRegistry, TypeRegistry } from '../../core/ports/type-registry.ts';
import { deepFreeze } from '../deep-freeze.ts';
import { answerOf, conditionalAnswerOf, type Item } from './answers.ts';
import { isBreakerSort, isResourceSort, isStartSort, resourceItemKey, ROUTING_SORT, TYPES_PARTITION } from './keys.ts';
import { readPartition } from './partition.ts';

/** Between two lookups of types that are not known, so that nobody can make every submission a query. */
const UNKNOWN_LOOKUP_MS = 1000;

export interface TypeRegistryConfig {
  readonly table: string;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Seconds after which what is known is read anew, in the background. @default 30 */
  readonly refreshSeconds?: number;
  /** The same while some breaker is not closed. @default 3 */
  readonly brokenRefreshSeconds?: number;
  /** What a type is with the resources that are read with it. @default as it was deployed, which does for who never changes a limit */
  readonly resolve?: (spec: TaskTypeSpec, resources: ReadonlyMap<string, ResourceSpec>) => TaskTypeSpec;
}

type Types = ReadonlyMap<string, TaskTypeSpec>;

interface Known {
  readonly document: RoutingDocument | undefined;
  readonly types: Types;
  readonly resources: ReadonlyMap<string, ResourceSpec>;
  readonly breakers: ReadonlyMap<string, Breaker>;
  readonly starts: ReadonlyMap<string, StartChoice>;
}

/** The breakers that lie beside the types, as they were read with them. */
export interface KnownBreakers {
  readonly breakers: () => Promise<ReadonlyMap<string, Breaker>>;
}

/** How types are started that choose it; likewise. */
export interface KnownStarts {
  readonly starts: () => Promise<ReadonlyMap<string, StartChoice>>;
}

/** The routing document that lies there as well, and when it was read, ms. */
export interface ReadRouting {
  readonly routing: () => { readonly document: RoutingDocument | undefined; readonly readAt: number } | undefined;
}

/** The deployed task types, from one partition of the table, kept in memory between calls. */
export function createTypeRegistry(
  client: DynamoDBDocumentClient,
  config: TypeRegistryConfig,
): TypeRegistry & ResourceRegistry & KnownBreakers & KnownStarts & ReadRouting {
  const { clock, telemetry, resolve } = config;
  const { refreshSeconds = 30, brokenRefreshSeconds = 3 } = config;
  let known: (Known & { readonly readAt: number }) | undefined;
  let reading: Promise<Types> | undefined;

  /** None where it cannot be read, which is logged. */
  const parsed = <T>(schema: ZodType<T>, json: unknown, what: string, named: object): T[] => {
    try {
      return [deepFreeze(schema.parse(JSON.parse(String(json))))];
    } catch (error) {
      telemetry.log('error', `${what} that cannot be read`, { ...named, error: String(error) });
      return [];
    }
  };

  const specOf = (item: Item): [string, TaskTypeSpec][] =>
    parsed(taskTypeSpecSchema, item['spec'], 'task type', { type: item['s'] }).map((spec) => [spec.type, spec]);

  const resourceOf = (item: Item): [string, ResourceSpec][] =>
    parsed(resourceSpecSchema, item['spec'], 'resource', { resource: item['s'] }).map((spec) => [spec.resource, spec]);

  const breakerOf = (item: Item): [string, Breaker][] => {
    const breaker = breakerOfItem(item);
    if (!breaker) telemetry.log('error', 'breaker that cannot be read', { key: item['s'] });
    return breaker ? [[breaker.key, deepFreeze(breaker)]] : [];
  };

  const startOf = (item: Item): [string, StartChoice][] =>
    parsed(startChoiceSchema, item['choice'], 'start of a type', { type: item['s'] }).map((choice) => [choice.type, choice]);

  const read = async (): Promise<Types> => {
    const readAt = clock.now();
    const items = await readPartition(client, 'read task types', config.table, TYPES_PARTITION);
    const isBreaker = (item: Item): boolean => isBreakerSort(String(item['s']));
    const isResource = (item: Item): boolean => isResourceSort(String(item['s']));
    const isRouting = (item: Item): boolean => item['s'] === ROUTING_SORT;
    const isStart = (item: Item): boolean => isStartSort(String(item['s']));
    const isOther = (item: Item): boolean => isBreaker(item) || isResource(item) || isStart(item) || isRouting(item);
    const resources = new Map(items.filter(isResource).flatMap(resourceOf));
    const specs = items.filter((item) => !isOther(item)).flatMap(specOf);
    const types = new Map(specs.map(([type, spec]) => [type, resolve ? deepFreeze(resolve(spec, resources)) : spec]));
    const document = routingOfItem(items.find(isRouting));
    const breakers = new Map(items.filter(isBreaker).flatMap(breakerOf));
    known = { types, resources, breakers, starts: new Map(items.filter(isStart).flatMap(startOf)), document, readAt };
    return types;
  };

  /** However many ask at once, the table is asked once. */
  const readOnce = (): Promise<Types> => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };

  const refreshMs = (): number => {
    const broken = [...(known?.breakers.values() ?? [])].some(({ state }) => state !== 'closed');
    return 1000 * (broken ? Math.min(brokenRefreshSeconds, refreshSeconds) : refreshSeconds);
  };

  const current = async (): Promise<Types> => {
    if (!known) return readOnce();
    if (clock.now() - known.readAt >= refreshMs()) {
      // Callers get the old answer meanwhile: a slow or failing table must not hold up what is known.
      readOnce().catch((error: unknown) => {
        telemetry.log('warn', 'task types not refreshed', { error: String(error) });
      });
    }
    return known.types;
  };

  return {
    get: async (type) => {
      const found = (await current()).get(type);
      if (found) return found;
      const age = known ? clock.now() - known.readAt : Infinity;
      if (age < UNKNOWN_LOOKUP_MS) return undefined;
      return (await readOnce()).get(type);
    },
    names: async () => [...(await current()).keys()].sort(),
    resources: async () => {
      await current();
      return known?.resources ?? new Map<string, ResourceSpec>();
    },
    breakers: async () => {
      await current();
      return known?.breakers ?? new Map<string, Breaker>();
    },
    starts: async () => {
      await current();
      return known?.starts ?? new Map<string, StartChoice>();
    },
    routing: () => known,
  };
}

/** @returns nothing for what is no breaker, or one of a version that is not known. */
export function breakerOfItem(item: Item): Breaker | undefined {
  try {
    return breakerSchema.parse(JSON.parse(String(item['breaker'])));
  } catch {
    return undefined;
  }
}

/** @returns nothing for what is no routing document, or one of a version that is not known. */
export function routingOfItem(item: Item | undefined): RoutingDocument | undefined {
  try {
    return item && deepFreeze(routingDocumentSchema.parse(JSON.parse(String(item['routing']))));
  } catch {
    return undefined;
  }
}

/** Writes what {@link createTypeRegistry} reads; for the deployment alone. A record belongs to whoever wrote it last. */
export interface TypeWriter {
  readonly put: (spec: TaskTypeSpec, owner: string) => Promise<void>;
  /** Removes the record, but only if it is still the owner's. */
  readonly remove: (type: string, owner: string) => Promise<void>;
}

/** The same for resources. */
export interface ResourceWriter {
  readonly put: (spec: ResourceSpec, owner: string) => Promise<void>;
  readonly remove: (resource: string, owner: string) => Promise<void>;
}

export function createTypeWriter(client: DynamoDBDocumentClient, config: { readonly table: string }): TypeWriter {
  return createSpecWriter<TaskTypeSpec>(
    client,
    config.table,
    'a task type',
    (type) => ({ p: TYPES_PARTITION, s: type }),
    ({ type }) => type,
  );
}

export function createResourceWriter(client: DynamoDBDocumentClient, config: { readonly table: string }): ResourceWriter {
  return createSpecWriter<ResourceSpec>(client, config.table, 'a resource', resourceItemKey, ({ resource }) => resource);
}

function createSpecWriter<S>(
  client: DynamoDBDocumentClient,
  TableName: string,
  what: string,
  keyOf: (name: string) => { p: string; s: string },
  nameOf: (spec: S) => string,
) {
  return {
    put: async (spec: S, owner: string): Promise<void> => {
      const item = { ...keyOf(nameOf(spec)), v: 1, spec: JSON.stringify(spec), owner };
      await answerOf(`write ${what}`, client.send(new PutCommand({ TableName, Item: item })));
    },
    remove: async (name: string, owner: string): Promise<void> => {
      const command = new DeleteCommand({
        TableName,
        Key: keyOf(name),
        // What moved to another stack or construct was written by the new resource before the old one is deleted,
        // and must outlive it.
        ConditionExpression: '#owner = :owner',
        ExpressionAttributeNames: { '#owner': 'owner' },
        ExpressionAttributeValues: { ':owner': owner },
      });
      await conditionalAnswerOf(`remove ${what}`, client.send(command));
    },
  };
}
