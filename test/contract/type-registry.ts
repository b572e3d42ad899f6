import type { ResourceSpec, TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { ResourceRegistry, TypeRegistry } from '../../core/ports/type-registry.ts';
import { makeSpec } from './fixtures.ts';

/** Task types have no tenant: every tenant has the same. */
export interface RegistryUnderTest {
  readonly registry: TypeRegistry & ResourceRegistry;
  readonly put: (spec: TaskTypeSpec) => Promise<void>;
  readonly remove: (type: string) => Promise<void>;
  readonly putResource: (spec: ResourceSpec) => Promise<void>;
  readonly removeResource: (resource: string) => Promise<void>;
  /** Lets so much time pass, and what is done in the background then be done. */
  readonly pass: (milliseconds: number) => Promise<void>;
}

export function typeRegistryContract(name: string, make: () => Promise<RegistryUnderTest>): void {
  describe(`type registry: ${name}`, () => {
    it('gives a type that is deployed, whole', async () => {
      const { registry, put } = await make();
      await put(makeSpec());
      expect(await registry.get('thumbnail')).toEqual(makeSpec());
      expect(await registry.get('email')).toBeUndefined();
    });

    it('names the types in order', async () => {
      const { registry, put } = await make();
      for (const type of ['b', 'a', 'c.d-e_f']) await put(makeSpec({ type }));
      expect(await registry.names()).toEqual(['a', 'b', 'c.d-e_f']);
    });

    it('finds a type that was deployed later', async () => {
      const { registry, put, pass } = await make();
      expect(await registry.get('thumbnail')).toBeUndefined();
      await put(makeSpec());
      await pass(1000);
      expect(await registry.get('thumbnail')).toEqual(makeSpec());
    });

    it('follows changes and removals', async () => {
      const { registry, put, remove, pass } = await make();
      await put(makeSpec());
      await put(makeSpec({ type: 'email' }));
      await registry.get('thumbnail');
      await put(makeSpec({ concurrency: 99 }));
      await remove('email');
      await pass(30_000);
      await registry.names();
      await pass(0);
      expect(await registry.get('thumbnail')).toMatchObject({ concurrency: 99 });
      expect(await registry.names()).toEqual(['thumbnail']);
    });

    it('puts and removes again without effect', async () => {
      const { registry, put, remove } = await make();
      await put(makeSpec());
      await put(makeSpec());
      await remove('email');
      expect(await registry.names()).toEqual(['thumbnail']);
    });

    it('has resources beside the types, whose names may be the same', async () => {
      const { registry, put, putResource, removeResource, pass } = await make();
      await put(makeSpec());
      await putResource({ v: 1, resource: 'thumbnail', concurrency: 5 });
      await putResource({ v: 1, resource: 'stripe-api', concurrency: 20 });
      expect(await registry.names()).toEqual(['thumbnail']);
      expect([...(await registry.resources()).values()].map((each) => [each.resource, each.concurrency]).sort()).toEqual([
        ['stripe-api', 20],
        ['thumbnail', 5],
      ]);
      await removeResource('thumbnail');
      await pass(30_000);
      await registry.resources();
      await pass(0);
      expect([...(await registry.resources()).keys()]).toEqual(['stripe-api']);
      expect(await registry.get('thumbnail')).toEqual(makeSpec());
    });

    it('has types that find the capacity behind them as their resources say it', async () => {
      const { registry, put, putResource } = await make();
      const { adaptive: _, ...rest } = makeSpec({ resources: ['stripe-api'] });
      await put(rest);
      await putResource({ v: 1, resource: 'stripe-api', concurrency: 20, adaptive: { signals: 1 } });
      expect((await registry.get('thumbnail'))?.adaptive).toMatchObject({ signals: 1, percent: 2 });
      expect(Object.isFrozen(await registry.get('thumbnail'))).toBe(true);
    });

    it('gives what no caller can change for the others', async () => {
      const { registry, put } = await make();
      await put(makeSpec());
      const spec = await registry.get('thumbnail');
      if (!spec) throw new Error('not there');
      expect(() => (spec.concurrency = 1)).toThrow(TypeError);
      expect(() => (spec.retry.maxAttempts = 1)).toThrow(TypeError);
      expect(await registry.get('thumbnail')).toEqual(makeSpec());
    });
  });
}
