import { HostError } from '../errors.ts';
import { attributeReference, intrinsicOf, type Template, type TemplateResource } from './template.ts';

/** The logical ids of a template's resources, each after those it refers to or depends on. */
export function inReferenceOrder(template: Template): string[] {
  const resources = template.Resources ?? {};
  const ordered: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (logicalId: string, trail: string[]): void => {
    const resource = resources[logicalId];
    if (resource === undefined || state.get(logicalId) === 'done') return;
    if (state.get(logicalId) === 'open') {
      throw new HostError('INVALID_TEMPLATE', `Circular reference: ${[...trail, logicalId].join(' → ')}`);
    }
    state.set(logicalId, 'open');
    for (const reference of referencesOf(resource)) visit(reference, [...trail, logicalId]);
    state.set(logicalId, 'done');
    ordered.push(logicalId);
  };
  for (const logicalId of Object.keys(resources)) visit(logicalId, []);
  return ordered;
}

function referencesOf(resource: TemplateResource): Set<string> {
  const found = new Set<string>([resource.DependsOn ?? []].flat());
  collect(resource.Properties, found);
  return found;
}

function collect(value: unknown, found: Set<string>): void {
  if (value === null || typeof value !== 'object') return;
  const intrinsic = intrinsicOf(value);
  if (intrinsic?.name === 'Ref') found.add(String(intrinsic.argument));
  if (intrinsic?.name === 'Fn::GetAtt') found.add(attributeReference(intrinsic.argument).logicalId);
  if (intrinsic?.name === 'Fn::Sub') {
    const text = [intrinsic.argument].flat()[0];
    for (const match of String(text).matchAll(/\$\{([^!}.]+)(?:\.[^}]+)?\}/g)) found.add(match[1] ?? '');
  }
  for (const child of Object.values(value)) collect(child, found);
}
