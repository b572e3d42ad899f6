import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import { typesChecked, type Fields } from './attributes.ts';
import { remembered, type Parser } from './expressions.ts';
import { answerItemCalls } from './front.ts';
import { part } from './parts.ts';
import { speedUpStore, type Store } from './store.ts';

/**
 * A server of dynalite and its store. What dynalite does anew for each call is done once here, or not at all: parsing the
 * same expressions, copying each attribute by a schema, reading the description of the table. Its answers are the same.
 *
 * @throws when dynalite has changed so that this would have no effect, or another one
 */
export function createDynalite(options: object): { server: Server; store: Store } {
  for (const name of ['condition', 'update', 'projection']) {
    const parser = part<Parser>(`db/${name}Parser`, 'parse');
    parser.parse = remembered(parser.parse.bind(parser));
  }
  const validations = part<{ checkTypes(data: Fields, types: Fields): Fields }>('validations', 'checkTypes');
  const checkTypes = validations.checkTypes.bind(validations);
  validations.checkTypes = (data, types) => typesChecked(data, types) ?? checkTypes(data, types);

  const database = part<{ create(options: object): Store }>('db', 'create');
  const create = database.create.bind(database);
  let store: Store | undefined;
  database.create = (given) => (store = speedUpStore(create(given)));
  const server = (createRequire(import.meta.url)('dynalite') as (options: object) => Server)(options);
  if (store === undefined) throw new Error('dynalite makes no store by its own module any more: see local/servers/dynalite');
  answerItemCalls(server, store);
  return { server, store };
}
