import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct, IDependable } from 'constructs';
import type { Functions } from './functions/index.ts';
import type { HandlerTarget } from './handler-target.ts';

/** What a registration needs of its platform. */
export interface RegistrationPlatform extends Construct {
  readonly functions: Functions;
}

/**
 * Lets dispatch invoke a handler, and tells the platform at deploy time that its task type is there. Once registered,
 * tasks are accepted and started: everything that an attempt needs must be there.
 * @param before what must be registered before it
 */
export function registerTaskType(
  scope: Construct,
  platform: RegistrationPlatform,
  target: HandlerTarget,
  spec: TaskTypeSpec,
  before: readonly IDependable[] = [],
): void {
  const registration = new CustomResource(scope, 'Registration', {
    resourceType: 'Custom::SluiceTaskType',
    serviceToken: platform.functions.registrar.functionArn,
    // CloudFormation would wait an hour for an answer that does not come.
    serviceTimeout: Duration.minutes(5),
    properties: { Spec: Stack.of(scope).toJsonString(spec) },
  });
  registration.node.addDependency(target, grantInvoke(scope, platform, target.arn), ...before);
}

/** Tells the platform at deploy time that a resource is there, and what it has. */
export function registerResource(scope: Construct, platform: RegistrationPlatform, spec: ResourceSpec): void {
  new CustomResource(scope, 'Registration', {
    resourceType: 'Custom::SluiceResource',
    serviceToken: platform.functions.registrar.functionArn,
    serviceTimeout: Duration.minutes(5),
    properties: { Spec: Stack.of(scope).toJsonString(spec) },
  });
}

/**
 * In the platform's stack the statement joins dispatch's role policy, which CDK splits when it grows too long; in
 * another stack it must be a policy of that stack, or the two stacks would depend on each other.
 */
function grantInvoke(scope: Construct, platform: RegistrationPlatform, arn: string): IDependable {
  const { dispatch } = platform.functions;
  const statement = new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [arn] });
  if (Stack.of(scope) !== Stack.of(platform)) {
    return new Policy(scope, 'Invoke', { statements: [statement], roles: dispatch.role ? [dispatch.role] : [] });
  }
  dispatch.addToRolePolicy(statement);
  return dispatch.role ?? dispatch;
}
