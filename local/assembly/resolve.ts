import { ACCOUNT, PARTITION, REGION } from '../account.ts';
import { HostError } from '../errors.ts';
import { attributeReference, intrinsicOf, textOf, type Json, type Template } from './template.ts';

/** What a reference to a deployed resource resolves to. */
export interface ResolvedResource {
  ref: string;
  /** The value of `Fn::GetAtt`, undefined when the resource has no such attribute. */
  attribute(name: string): unknown;
}

/** Everything that a template's intrinsics may look at. */
export interface Scope {
  stackName: string;
  stackId: string;
  template: Template;
  /** Values passed to a nested stack; defaults are taken from the template. */
  parameters: Record<string, unknown>;
  resource(logicalId: string): ResolvedResource | undefined;
  /** Cross-stack exports by name. */
  exports: Map<string, unknown>;
  /** Turns an address that a template puts together (of an API on AWS) into the host's. */
  rewriteAddress?: (text: string) => string;
}

const REMOVED = Symbol('AWS::NoValue');

/**
 * A value with all its intrinsic functions resolved; what resolves to `AWS::NoValue` is left out.
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
 */
export function resolveValue(value: unknown, scope: Scope): unknown {
  const resolved = evaluate(value, scope);
  return resolved === REMOVED ? undefined : resolved;
}

/** Whether a template's named condition holds. */
export function conditionHolds(name: string, scope: Scope): boolean {
  const condition = scope.template.Conditions?.[name];
  if (condition === undefined) throw invalid(scope, `Unknown condition ${name}`);
  return evaluateCondition(condition, scope);
}

function evaluate(value: unknown, scope: Scope): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) {
    return value.map((item) => evaluate(item, scope)).filter((item) => item !== REMOVED);
  }
  const intrinsic = intrinsicOf(value);
  if (intrinsic !== undefined) return evaluateIntrinsic(intrinsic.name, intrinsic.argument, scope);
  const result: Json = {};
  for (const [key, child] of Object.entries(value)) {
    const resolved = evaluate(child, scope);
    if (resolved !== REMOVED) result[key] = resolved;
  }
  return result;
}

function evaluateIntrinsic(name: string, argument: unknown, scope: Scope): unknown {
  switch (name) {
    case 'Ref':
      return evaluateRef(String(argument), scope);
    case 'Fn::GetAtt': {
      const { logicalId, attribute } = attributeReference(argument);
      return attributeOf(logicalId, attribute, scope);
    }
    case 'Fn::Join': {
      const [separator, items] = listOf(argument, scope);
      const text = (evaluate(items, scope) as unknown[]).map(String).join(String(separator));
      return scope.rewriteAddress?.(text) ?? text;
    }
    case 'Fn::Sub':
      return evaluateSub(argument, scope);
    case 'Fn::Select': {
      const [index, items] = listOf(argument, scope);
      const selected = (items as unknown[])[Number(index)];
      if (selected === undefined) throw invalid(scope, `Fn::Select has no item ${String(index)}`);
      return selected;
    }
    case 'Fn::Split': {
      const [separator, text] = listOf(argument, scope);
      return String(text).split(String(separator));
    }
    case 'Fn::If': {
      const [condition, yes, no] = argument as unknown[];
      return evaluate(conditionHolds(String(condition), scope) ? yes : no, scope);
    }
    case 'Fn::ImportValue': {
      const exportName = String(evaluate(argument, scope));
      if (!scope.exports.has(exportName)) throw invalid(scope, `No stack exports ${exportName}`);
      return scope.exports.get(exportName);
    }
    case 'Fn::FindInMap': {
      const [map, first, second] = listOf(argument, scope).map(String);
      const found = scope.template.Mappings?.[map ?? '']?.[first ?? '']?.[second ?? ''];
      if (found === undefined) throw invalid(scope, `Fn::FindInMap finds nothing at ${map}.${first}.${second}`);
      return evaluate(found, scope);
    }
    case 'Fn::Base64':
      return Buffer.from(String(evaluate(argument, scope))).toString('base64');
    case 'Fn::GetAZs':
      return ['a', 'b', 'c'].map((zone) => REGION + zone);
    case 'Fn::Length':
      return (evaluate(argument, scope) as unknown[]).length;
    case 'Fn::ToJsonString':
      return JSON.stringify(evaluate(argument, scope));
    case 'Fn::Equals':
    case 'Fn::And':
    case 'Fn::Or':
    case 'Fn::Not':
      return evaluateCondition({ [name]: argument }, scope);
    default:
      throw new HostError('UNSUPPORTED_INTRINSIC', `The intrinsic ${name} in stack ${scope.stackName} is not supported.`);
  }
}

function evaluateRef(name: string, scope: Scope): unknown {
  const pseudo = pseudoParameter(name, scope);
  if (pseudo !== undefined) return pseudo;
  const parameter = scope.template.Parameters?.[name];
  if (parameter !== undefined) {
    const value = scope.parameters[name] ?? parameter.Default;
    if (value === undefined) throw invalid(scope, `The parameter ${name} has no value`);
    const isList = parameter.Type === 'CommaDelimitedList' || parameter.Type?.startsWith('List<');
    return isList && typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value;
  }
  const resource = scope.resource(name);
  if (resource === undefined) throw invalid(scope, `Ref to unknown ${name}`);
  return resource.ref;
}

function pseudoParameter(name: string, scope: Scope): unknown {
  switch (name) {
    case 'AWS::Region':
      return REGION;
    case 'AWS::AccountId':
      return ACCOUNT;
    case 'AWS::Partition':
      return PARTITION;
    case 'AWS::URLSuffix':
      return 'amazonaws.com';
    case 'AWS::StackName':
      return scope.stackName;
    case 'AWS::StackId':
      return scope.stackId;
    case 'AWS::NotificationARNs':
      return [];
    case 'AWS::NoValue':
      return REMOVED;
    default:
      return undefined;
  }
}

function attributeOf(logicalId: string, attribute: string, scope: Scope): unknown {
  const resource = scope.resource(logicalId);
  if (resource === undefined) throw invalid(scope, `Fn::GetAtt to unknown ${logicalId}`);
  const value = resource.attribute(attribute);
  if (value === undefined) throw invalid(scope, `${logicalId} has no attribute ${attribute} on this host`);
  return value;
}

function evaluateSub(argument: unknown, scope: Scope): string {
  const [text, given] = Array.isArray(argument) ? (argument as unknown[]) : [argument, {}];
  const variables = given as Json;
  const result = String(text).replace(/\$\{([^}]+)\}/g, (whole, name: string) => {
    if (name.startsWith('!')) return `\${${name.slice(1)}}`;
    if (name in variables) return String(evaluate(variables[name], scope));
    if (!name.includes('.')) return String(evaluateRef(name, scope));
    const { logicalId, attribute } = attributeReference(name);
    const value = attributeOf(logicalId, attribute, scope);
    return textOf(value, whole);
  });
  return scope.rewriteAddress?.(result) ?? result;
}

function evaluateCondition(condition: unknown, scope: Scope): boolean {
  const [name = '(none)', argument] = Object.entries(condition as Json)[0] ?? [];
  const items = (Array.isArray(argument) ? argument : [argument]) as unknown[];
  switch (name) {
    case 'Condition':
      return conditionHolds(String(argument), scope);
    case 'Fn::Equals':
      return String(evaluate(items[0], scope)) === String(evaluate(items[1], scope));
    case 'Fn::And':
      return items.every((item) => evaluateCondition(item, scope));
    case 'Fn::Or':
      return items.some((item) => evaluateCondition(item, scope));
    case 'Fn::Not':
      return !evaluateCondition(items[0], scope);
    default:
      throw new HostError('UNSUPPORTED_INTRINSIC', `The condition function ${name} is not supported.`);
  }
}

function listOf(argument: unknown, scope: Scope): unknown[] {
  const list = evaluate(argument, scope);
  if (!Array.isArray(list)) throw invalid(scope, 'An intrinsic function expects a list');
  return list;
}

function invalid(scope: Scope, message: string): HostError {
  return new HostError('INVALID_TEMPLATE', `${message} (stack ${scope.stackName}).`);
}
