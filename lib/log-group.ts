import { CfnFunction, type IFunction } from 'aws-cdk-lib/aws-lambda';

/**
 * The name of the log group that a function was given; `undefined` for Lambda's own, and for that of an imported one.
 * Read off the resource: to ask the construct for its group would make one.
 */
export function logGroupNameOf(fn: IFunction): string | undefined {
  const resource = fn.node.defaultChild;
  if (!(resource instanceof CfnFunction)) return undefined;
  const { loggingConfig } = resource;
  return loggingConfig && 'logGroup' in loggingConfig ? loggingConfig.logGroup : undefined;
}
