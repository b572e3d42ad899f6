import { limitMessage, LIMITS, resourceSpecSchema, type ResourceSpec } from '@sluice/contracts';
import { Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { registerResource } from './registration.ts';
import type { TaskPlatform } from './task-platform.ts';

export interface ResourceProps {
  readonly platform: TaskPlatform;
  /**
   * The name that task types give: lower-case letters, digits, `.`, `-` and `_`.
   * @default - the construct's id in kebab case: `StripeApi` is `stripe-api`
   */
  readonly resource?: string;
  /**
   * Attempts at once, of all task types and tenants that draw on it together; 1 to 1,000,000.
   * @default - as many as its rates let start; it needs at least one of both
   */
  readonly concurrency?: number;
  /**
   * Attempts that all of them together start in windows of time, one or two that hold at once, such as 100 a second and 5,000 an
   * hour. What is beyond them waits, free of charge. After a rest as many as the limit start at once.
   * @default - at any pace
   */
  readonly rates?: ResourceSpec['rates'];
  /**
   * How the lanes that draw on it find what it takes just now, unless their type says so itself; of several resources, what
   * slows them first. `false`: it never throttles.
   * @default - as of a {@link TaskTypeProps.adaptive type}
   */
  readonly adaptive?: ResourceSpec['adaptive'];
}

/**
 * Something downstream with a capacity of its own, which task types draw on: an API, a database, a licence. It is declared
 * once, and divided among the lanes of all types that name it.
 * @example
 * const stripe = new Resource(this, 'StripeApi', { platform, concurrency: 20, rates: [{ limit: 100, perSeconds: 1 }] });
 * new TaskType(this, 'Charge', { platform, handler: fn, resources: [stripe] });
 */
export class Resource extends Construct {
  /** The name that task types give. */
  readonly resource: string;

  constructor(scope: Construct, id: string, props: ResourceProps) {
    super(scope, id);
    const { platform, rates, adaptive } = props;
    this.resource = props.resource ?? kebab(id);
    if (props.concurrency === undefined && rates === undefined) {
      throw new Error(`Resource ${this.node.path}: it limits nothing: give it concurrency, rates or both`);
    }
    const concurrency = props.concurrency ?? LIMITS.capacity;
    // A number that is known only at deploy time passes here; the registrar checks it again.
    const known = Token.isUnresolved(concurrency) ? 1 : concurrency;
    const parsed = resourceSpecSchema.safeParse(
      { v: 1, resource: this.resource, concurrency: known, ...(rates && { rates }), ...(adaptive !== undefined && { adaptive }) },
      { error: limitMessage },
    );
    if (!parsed.success) {
      const found = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
      throw new Error(`Resource ${this.node.path}: ${found.join('; ')}`);
    }
    platform.addResource(this.resource, this);
    registerResource(this, platform, { ...parsed.data, concurrency });
  }
}

/** `StripeApi` → `stripe-api`. */
function kebab(id: string): string {
  return id
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1-$2')
    .toLowerCase();
}
