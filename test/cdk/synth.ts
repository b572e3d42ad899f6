import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, type AppProps, NestedStack, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { TaskPlatform, type TaskPlatformProps } from '../../lib/index.ts';

export const ROOT = join(import.meta.dirname, '..', '..');

/** The feature flags of cdk.json, which the CDK CLI would pass. */
export const FLAGS = (JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')) as { context: Record<string, unknown> }).context;

/** An app that bundles no code, unless it is told to, for code is not what most tests are about. */
export function makeApp(options: { bundle?: boolean } & AppProps = {}): App {
  const { bundle = false, ...props } = options;
  return new App({
    ...props,
    analyticsReporting: false,
    // CDK's own rules take seconds an app: the tests of the default app have them on.
    builtinCloudFormationValidation: false,
    context: { ...FLAGS, ...(!bundle && { 'aws:cdk:bundling-stacks': [] }) },
  });
}

export interface Deployment {
  app: App;
  stack: Stack;
  platform: TaskPlatform;
}

export function makePlatform(props: TaskPlatformProps = {}, stackProps: StackProps = {}): Deployment {
  const app = makeApp();
  const stack = new Stack(app, 'Sluice', stackProps);
  return { app, stack, platform: new TaskPlatform(stack, 'Platform', props) };
}

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DependsOn?: string[];
  DeletionPolicy?: string;
}

const synthesised = new WeakMap<Stack, Map<string, Template>>();

/** The templates of the stack and of those nested in it by the construct's path. Nothing can be added to them after. */
export function templatesOf(stack: Stack): Map<string, Template> {
  const known = synthesised.get(stack);
  if (known) return known;
  const nested = stack.node.findAll().filter((node) => NestedStack.isNestedStack(node));
  const templates = new Map([stack, ...nested].map((each) => [each.node.path, Template.fromStack(each)]));
  synthesised.set(stack, templates);
  return templates;
}

export interface Located {
  /** `path of the stack/logical id`. */
  where: string;
  id: string;
  resource: Resource;
  /** All resources of the same template. */
  siblings: Record<string, Resource>;
}

/** Every resource of a type, in whichever template it is. */
export function resourcesOf(stack: Stack, type: string): Located[] {
  return [...templatesOf(stack)].flatMap(([path, template]) => {
    const siblings = template.toJSON()['Resources'] as Record<string, Resource>;
    return Object.entries(siblings)
      .filter(([, resource]) => resource.Type === type)
      .map(([id, resource]) => ({ where: `${path}/${id}`, id, resource, siblings }));
  });
}

/** The resource of a type whose property has this value. */
export function resourceWith(stack: Stack, type: string, property: string, value: unknown): Located {
  const found = resourcesOf(stack, type).filter(({ resource }) => resource.Properties[property] === value);
  if (found.length !== 1) throw new Error(`${found.length} resources of ${type} have ${property} ${String(value)}`);
  return found[0] as Located;
}

export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: unknown;
  Condition?: unknown;
}

export function list<T>(value: T | T[]): T[] {
  return Array.isArray(value) ? value : [value];
}

export function statementsOf(policy: Resource): Statement[] {
  return (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement;
}

/** What a function's role may do: its actions in order, without those for its log. */
export function allowedTo(stack: Stack, functionName: string): { action: string; statement: Statement }[] {
  const { resource, siblings } = resourceWith(stack, 'AWS::Lambda::Function', 'FunctionName', functionName);
  const role = (resource.Properties['Role'] as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
  return Object.values(siblings)
    .filter(({ Type, Properties }) => Type === 'AWS::IAM::Policy' && JSON.stringify(Properties['Roles']).includes(`"${role}"`))
    .flatMap((policy) => statementsOf(policy))
    .flatMap((statement) => list(statement.Action).map((action) => ({ action, statement })))
    .filter(({ action }) => !action.startsWith('logs:'))
    .sort((a, b) => a.action.localeCompare(b.action));
}
