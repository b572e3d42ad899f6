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

  it('has rates beside its attempts at once, or alone', () => {
    const { stack, platform } = setUp();
    const rates = [
      { limit: 100, perSeconds: 1 },
      { limit: 5_000, perSeconds: 3_600 },
    ];
    new Resource(stack, 'StripeApi', { platform, concurrency: 20, rates });
    new Resource(stack, 'Mailer', { platform, rates: rates.slice(0, 1) });
    const specs = Object.values(Template.fromStack(stack).findResources('Custom::SluiceResource')).map(({ Properties }) =>
      resourceSpecSchema.parse(JSON.parse(String(Properties.Spec))),
    );
    expect(specs.toSorted((a, b) => (a.resource < b.resource ? -1 : 1))).toEqual([
      { v: 1, resource: 'mailer', concurrency: 1_000_000, rates: rates.slice(0, 1) },
      { v: 1, resource: 'stripe-api', concurrency: 20, rates },
    ]);
  });

  it('may say how the lanes that draw on it find what it takes', () => {
    const { stack, platform } = setUp();
    new Resource(stack, 'StripeApi', { platform, concurrency: 20, adaptive: { signals: 1, percent: 5 } });
    new Resource(stack, 'Cache', { platform, concurrency: 20, adaptive: false });
    const specs = Object.values(Template.fromStack(stack).findResources('Custom::SluiceResource')).map(({ Properties }) =>
      resourceSpecSchema.parse(JSON.parse(String(Properties.Spec))),
    );
    expect(specs.map(({ adaptive }) => adaptive)).toEqual(expect.arrayContaining([{ signals: 1, percent: 5 }, false]));
    const bad = () => new Resource(stack, 'Bad', { platform, concurrency: 1, adaptive: { percent: 200 } });
    expect(bad).toThrow('adaptive');
  });

  it('without any limit, with too many rates or with those that are out of range fails the synthesis', () => {
    const { stack, platform } = setUp();
    const one = { limit: 1, perSeconds: 1 };
    const make = (id: string, props: object) => () => new Resource(stack, id, { platform, ...props });
    expect(make('A', {})).toThrow('it limits nothing: give it concurrency, rates or both');
    expect(make('B', { rates: [one, { limit: 1, perSeconds: 2 }, { limit: 1, perSeconds: 3 }] })).toThrow(
      'rates: there are 3 rates and at most 2 are allowed: lower their number',
    );
    expect(make('C', { rates: [one, one] })).toThrow('two rates have the same window: keep the lower one');
    expect(make('D', { rates: [{ limit: 0, perSeconds: 1 }] })).toThrow('rates.0.limit');
    expect(make('E', { rates: [] })).toThrow('rates: at least one rate; leave it out where there is none');
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
