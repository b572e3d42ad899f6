import { resourceSpecSchema, taskTypeSpecSchema } from '@sluice/contracts';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { describe, expect, it } from 'vitest';
import { Resource, TaskType, type TaskTypeProps } from '../../lib/index.ts';
import { makePlatform } from './synth.ts';

function setUp() {
  const { stack, platform } = makePlatform({ shards: 1 });
  const add = (id: string, props: Partial<TaskTypeProps>) =>
    new TaskType(stack, id, {
      platform,
      handler: new LambdaFunction(stack, `${id}Fn`, { code: Code.fromInline('x'), handler: 'index.handler', runtime: Runtime.PYTHON_3_13 }),
      ...props,
    });
  return { stack, platform, add };
}

describe('a resource', () => {
  it('is registered before the types that draw on it', () => {
    const { stack, platform, add } = setUp();
    const stripe = new Resource(stack, 'StripeApi', { platform, concurrency: 20 });
    add('Charge', { resources: [stripe], capacity: 100 });
    const template = Template.fromStack(stack);
    const [registered] = Object.entries(template.findResources('Custom::SluiceResource'));
    const spec = JSON.stringify(registered?.[1].Properties);
    expect(resourceSpecSchema.parse(JSON.parse(String(registered?.[1].Properties.Spec)))).toEqual({
      v: 1,
      resource: 'stripe-api',
      concurrency: 20,
    });
    expect(spec).toContain('registrar');
    const types = Object.values(template.findResources('Custom::SluiceTaskType'));
    const charge = types.find((type) => JSON.stringify(type.Properties).includes('stripe-api'));
    expect(charge?.DependsOn).toContain(registered?.[0]);
    const text = (charge?.Properties.Spec['Fn::Join'][1] as (string | object)[])
      .map((part) => (typeof part === 'string' ? part : '-'))
      .join('');
    expect(taskTypeSpecSchema.parse(JSON.parse(text))).toMatchObject({ capacity: 100, resources: ['stripe-api'] });
  });

  it('that is not declared fails the synthesis, wherever in the app it is declared it does not', () => {
    const { stack, platform, add } = setUp();
    const type = add('Charge', { resources: ['stripe-api'] });
    expect(type.node.validate()).toEqual(['resources: there is no Resource "stripe-api" on this platform; there are: none']);
    new Resource(stack, 'Later', { platform, resource: 'stripe-api', concurrency: 2 });
    expect(type.node.validate()).toEqual([]);
    expect(App.of(stack)).toBeDefined();
  });

  it('has a name of its own and a capacity', () => {
    const { stack, platform, add } = setUp();
    new Resource(stack, 'A', { platform, resource: 'same', concurrency: 1 });
    expect(() => new Resource(stack, 'B', { platform, resource: 'same', concurrency: 1 })).toThrow('has the name "same" already');
    expect(() => new Resource(stack, 'C', { platform, resource: 'Not#Ok', concurrency: 1 })).toThrow('a resource is lower-case letters');
    expect(() => new Resource(stack, 'D', { platform, concurrency: 0 })).toThrow('concurrency');
    expect(() => add('Twice', { resources: ['same', 'same'] })).toThrow('named twice');
    expect(() => add('Full', { capacity: 0 })).toThrow('capacity');
  });
});
