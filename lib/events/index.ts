import { EventBus } from 'aws-cdk-lib/aws-events';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

export interface EventsProps {
  readonly name: string;
}

/** The bus that tells the ends of tasks. Users put rules of their own on it. */
export class Events extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, props: EventsProps) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { eventBusName: props.name });
  }

  /** Lets a function put events on the bus, and tells it its name. */
  grantPut(fn: LambdaFunction): void {
    fn.addEnvironment('SLUICE_BUS', this.bus.eventBusName);
    fn.addToRolePolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [this.bus.eventBusArn] }));
  }
}
