import document from '@sluice/contracts/openapi.json' with { type: 'json' };
import fc from 'fast-check';

/** The part of JSON Schema that the document uses for requests. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema & { readonly not?: Schema };
  readonly maxProperties?: number;
}

/** In place of what a component's schema gives. */
export type Overrides = Readonly<Record<string, (own: fc.Arbitrary<unknown>) => fc.Arbitrary<unknown>>>;

/** More of them say nothing more, and each costs its validation. */
const MOST_ITEMS = 4;

/** Values that fit a schema. */
export function valueOf(schema: object, overrides: Overrides): fc.Arbitrary<unknown> {
  const inner = (each: Schema): fc.Arbitrary<unknown> => valueOf(each, overrides);
  const { $ref, type, ...rest } = schema as Schema;
  if ($ref !== undefined) {
    const name = $ref.split('/').at(-1) ?? '';
    const components: Readonly<Record<string, object>> = document.components.schemas;
    const own = inner(components[name] as Schema);
    return overrides[name]?.(own) ?? own;
  }
  if (rest.const !== undefined) return fc.constant(rest.const);
  if (rest.enum) return fc.constantFrom(...rest.enum);
  if (rest.anyOf) return fc.oneof(...rest.anyOf.map(inner));
  switch (type) {
    case undefined:
      return fc.jsonValue();
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
      return fc.integer({ min: leastOf(rest, 1), max: Math.min(rest.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1) });
    case 'number':
      return fc.double({ min: leastOf(rest, 0.001), max: rest.maximum ?? 1e9, noNaN: true });
    case 'string':
      return text(rest);
    case 'array':
      return (rest.uniqueItems ? fc.uniqueArray : fc.array)(inner(rest.items ?? {}), {
        minLength: rest.minItems ?? 0,
        maxLength: Math.min(rest.maxItems ?? MOST_ITEMS, MOST_ITEMS),
      });
    case 'object':
      return rest.properties ? record(rest, inner) : dictionary(rest, inner);
    default:
      throw new Error(`there are no values of the type ${type}`);
  }
}

function leastOf({ minimum, exclusiveMinimum }: Schema, step: number): number {
  return minimum ?? (exclusiveMinimum === undefined ? -1_000 : exclusiveMinimum + step);
}

function text({ pattern, format, minLength = 0, maxLength = 64 }: Schema): fc.Arbitrary<string> {
  if (format === 'date-time') return time();
  const fits = (value: string): boolean => value.length >= minLength && value.length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern)).filter(fits);
  return fc.string({ unit: 'binary', minLength, maxLength: Math.min(maxLength, 40) }).filter(fits);
}

/** Years that the calendar of the platform knows, in several offsets. */
function time(): fc.Arbitrary<string> {
  const range = { min: new Date('1970-01-02T00:00:00Z'), max: new Date('2199-12-31T00:00:00Z'), noInvalidDate: true };
  return fc.tuple(fc.date(range), fc.constantFrom('Z', '+00:00', '+05:30', '-12:00', '+14:00')).map(([date, offset]) => {
    const iso = date.toISOString();
    return iso.replace('Z', offset);
  });
}

function record({ properties = {}, required = [] }: Schema, inner: (each: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const model = Object.fromEntries(Object.entries(properties).map(([key, each]) => [key, inner(each)]));
  return fc.record(model, { requiredKeys: [...required], noNullPrototype: true });
}

function dictionary(schema: Schema, inner: (each: Schema) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const { additionalProperties = {}, propertyNames = { type: 'string' }, maxProperties = MOST_ITEMS } = schema;
  const values = inner(typeof additionalProperties === 'object' ? additionalProperties : {});
  const keys = (inner(propertyNames) as fc.Arbitrary<string>).filter((key) => key !== propertyNames.not?.const);
  return fc.dictionary(keys, values, { maxKeys: Math.min(maxProperties, MOST_ITEMS), noNullPrototype: true });
}
