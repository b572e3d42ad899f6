export type Fields = Record<string, unknown>;

/**
 * A call's fields, without those that the operation does not know, as dynalite's own check gives them but not copied;
 * undefined for what that must look at.
 */
export function typesChecked(data: Fields, types: Fields): Fields | undefined {
  const checked: Fields = {};
  for (const field in types) {
    const value = data[field];
    if (value === undefined || value === null) continue;
    const { type, children } = types[field] as { type?: string; children?: unknown };
    if (type === 'Map<AttributeValue>') {
      if (children !== 'AttrStruct<ValueStruct>' || !areAttributes(value)) return undefined;
    } else if (type === 'Map<java.lang.String>') {
      if (children !== 'String' || !isRecord(value) || !Object.values(value).every((text) => typeof text === 'string')) return undefined;
    } else if (!isPlain(value, type ?? String(types[field]))) {
      return undefined;
    }
    checked[field] = value;
  }
  return checked;
}

function isPlain(value: unknown, type: string): boolean {
  if (type === 'String') return typeof value === 'string';
  if (type === 'Boolean') return typeof value === 'boolean';
  return type === 'Integer' && Number.isInteger(value);
}

function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function areAttributes(value: unknown): boolean {
  if (!isRecord(value)) return false;
  for (const name in value) if (!isAttribute(value[name])) return false;
  return true;
}

/** Whether it has one type and a value of that. */
function isAttribute(attribute: unknown): boolean {
  if (!isRecord(attribute)) return false;
  let types = 0;
  for (const type in attribute) {
    types += 1;
    const value = attribute[type];
    switch (type) {
      case 'S':
      case 'N':
        if (typeof value !== 'string') return false;
        break;
      case 'BOOL':
      case 'NULL':
        if (typeof value !== 'boolean') return false;
        break;
      case 'SS':
      case 'NS':
        if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) return false;
        break;
      case 'L':
        if (!Array.isArray(value) || !value.every(isAttribute)) return false;
        break;
      case 'M':
        if (!areAttributes(value)) return false;
        break;
      default:
        return false;
    }
  }
  return types === 1;
}
