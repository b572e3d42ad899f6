import type { LogPointer, TaskTypeSpec } from '@sluice/contracts';

/** Where an invocation of a type's handler has written its log lines; `undefined` for one that is not known. */
export function logPointer(spec: TaskTypeSpec | undefined, requestId: string | undefined): LogPointer | undefined {
  if (!spec || requestId === undefined) return undefined;
  const { arn, logGroup } = spec.handler;
  // arn:aws:lambda:<region>:<account>:function:<name>:<alias>
  const name = arn.split(':')[6];
  const group = logGroup ?? (name && `/aws/lambda/${name}`);
  return group ? { group, requestId } : undefined;
}
