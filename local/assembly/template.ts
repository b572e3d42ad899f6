/** A CloudFormation template as CDK synthesises it (JSON, long-form intrinsics). */
export interface Template {
  Parameters?: Record<string, { Type?: string; Default?: unknown }>;
  Conditions?: Record<string, unknown>;
  Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  Resources?: Record<string, TemplateResource>;
  Outputs?: Record<string, TemplateOutput>;
}

export interface TemplateResource {
  Type: string;
  Properties?: Record<string, unknown>;
  DependsOn?: string | string[];
  Condition?: string;
  Metadata?: Record<string, unknown>;
}

export interface TemplateOutput {
  Value: unknown;
  Condition?: string;
  Export?: { Name: unknown };
}

export type Json = Record<string, unknown>;

/** A property's value as text: JSON for what is no primitive, the fallback for what is not given. */
export function textOf(value: unknown, fallback = ''): string {
  if (value === undefined || value === null) return fallback;
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** The key and argument of an intrinsic (`{Ref}`, `{"Fn::…"}`), undefined for any other value. */
export function intrinsicOf(value: unknown): { name: string; argument: unknown } | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  const keys = Object.keys(value);
  const name = keys[0];
  if (keys.length !== 1 || name === undefined) return undefined;
  if (name !== 'Ref' && !name.startsWith('Fn::')) return undefined;
  return { name, argument: (value as Json)[name] };
}

/** The logical id and attribute of a `Fn::GetAtt` argument, in either of its two forms. */
export function attributeReference(argument: unknown): { logicalId: string; attribute: string } {
  const text = Array.isArray(argument) ? argument.map(String).join('.') : String(argument);
  const dot = text.indexOf('.');
  return { logicalId: text.slice(0, dot), attribute: text.slice(dot + 1) };
}
