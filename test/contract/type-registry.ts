import type { TaskTypeSpec } from '@sluice/contracts';
import { describe, expect, it } from 'vitest';
import type { TypeRegistry } from '../../core/ports/type-registry.ts';
import { makeSpec } from './fixtures.ts';

/** Task types have no tenant: every tenant has the same. */
export interface RegistryUnderTest {
  readonly registry: TypeRegistry;
  readonly put: (spec: TaskTypeSpec) => Promise<void>;
  readonly remove: (type: string) => Promise<void>;
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
