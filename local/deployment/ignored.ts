import { arnOf } from '../account.ts';
import { physicalName, type Deployed, type ResourceRequest } from './provider.ts';

/** Resource types with no effect at run time on one machine: permissions, logs, alarms, encryption, metadata. */
const IGNORED_PREFIXES = [
  'AWS::ApplicationInsights::',
  'AWS::Budgets::',
  'AWS::CloudTrail::',
  'AWS::CloudWatch::',
  'AWS::IAM::',
  'AWS::KMS::',
  'AWS::Logs::',
  'AWS::ResourceGroups::',
  'AWS::SNS::',
  'AWS::XRay::',
];

const IGNORED_TYPES = new Set([
  'AWS::CDK::Metadata',
  'AWS::CloudFormation::WaitConditionHandle',
  'AWS::Lambda::LayerVersionPermission',
  'AWS::Lambda::Permission',
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::Events::EventBusPolicy',
  'Custom::LogRetention',
  'Custom::S3AutoDeleteObjects',
]);

export function isIgnored(type: string): boolean {
  return IGNORED_TYPES.has(type) || IGNORED_PREFIXES.some((prefix) => type.startsWith(prefix));
}

/** A stand-in with believable values, because other resources refer to roles and log groups. */
export function ignoredResource(request: ResourceRequest): Deployed {
  const name = physicalName(request, undefined, 64);
  const service = (request.type.split('::')[1] ?? 'custom').toLowerCase();
  const kind = (request.type.split('::')[2] ?? '').toLowerCase();
  const arn = arnOf(service, `${kind}/${name}`);
  return {
    ref: service === 'sns' ? arn : name,
    attribute: (attribute) => (attribute.endsWith('Arn') ? arn : `${name}.${attribute}`),
  };
}
