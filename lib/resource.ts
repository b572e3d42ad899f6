import { limitMessage, resourceSpecSchema } from '@sluice/contracts';
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
  /** Attempts at once, of all task types and tenants that draw on it together; 1 to 1,000,000. */
  readonly concurrency: number;
}

/**
 * Something downstream with a capacity of its own, which task types draw on: an API, a database, a licence. It is declared
 * once, and divided among the lanes of all types that name it.
 * @example
 * const stripe = new Resource(this, 'StripeApi', { platform, concurrency: 20 });
 * new TaskType(this, 'Charge', { platform, handler: fn, resources: [stripe] });
 */
export class Resource extends Construct {
  /** The name that task types give. */
  readonly resource: string;

  constructor(scope: Construct, id: string, props: ResourceProps) {
    super(scope, id);
    const { platform, concurrency } = props;
    this.resource = props.resource ?? kebab(id);
    // A number that is known only at deploy time passes here; the registrar checks it again.
    const known = Token.isUnresolved(concurrency) ? 1 : concurrency;
    const parsed = resourceSpecSchema.safeParse({ v: 1, resource: this.resource, concurrency: known }, { error: limitMessage });
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
