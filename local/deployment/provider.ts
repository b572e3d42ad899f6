import type { Asset } from '../assembly/read.ts';
import type { Json } from '../assembly/template.ts';
import { digest } from '../account.ts';
import { HostError } from '../errors.ts';

/** One resource of a template, its properties resolved. */
export interface ResourceRequest {
  /** Unique on the host: stack, nested stacks, logical id. */
  id: string;
  logicalId: string;
  /** Where its construct is in the app, with the stack first; empty for a template that CDK did not write. */
  constructPath: string;
  type: string;
  stackName: string;
  stackId: string;
  properties: Json;
  /** What an earlier deployment made of it, when its properties changed since. */
  previous: Deployed | undefined;
  assets: ReadonlyMap<string, Asset>;
}

/** A resource as it stands on the host. */
export interface Deployed {
  /** The value of `Ref`. */
  ref: string;
  /** The value of `Fn::GetAtt`, undefined when there is none of that name. */
  attribute(name: string): unknown;
  /** Begins what must wait until everything is deployed: polling, say. */
  activate?(): void;
  /** Ends what `activate` began, when the host closes. */
  stop?(): Promise<void> | void;
  /** Undoes it when a reload finds it gone. Without this the resource stays: tables, queues and buckets keep data. */
  remove?(): Promise<void> | void;
}

export type ResourceProvider = (request: ResourceRequest) => Promise<Deployed> | Deployed;

/** Attributes from a plain object. */
export function attributes(values: Json): (name: string) => unknown {
  return (name) => values[name];
}

/** The name that the template gives, or one made of stack and logical id that is the same at every start. */
export function physicalName(request: ResourceRequest, given: unknown, maxLength: number, suffix = ''): string {
  if (typeof given === 'string') return given;
  const end = `-${digest(request.id)}${suffix}`;
  return `${request.stackName}-${request.logicalId}`.slice(0, maxLength - end.length) + end;
}

/** Refuses what the host would silently do otherwise than AWS. */
export function unsupported(request: ResourceRequest, what: string): HostError {
  return new HostError('UNSUPPORTED_PROPERTY', `${request.logicalId} (${request.type}): ${what} is not supported.`);
}
