import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

/** What an event source needs of the role of its function, which never asks SQS for anything else. */
export function grantConsume(fn: LambdaFunction, { queueArn }: IQueue): void {
  fn.addToRolePolicy(
    new PolicyStatement({ actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'], resources: [queueArn] }),
  );
}
