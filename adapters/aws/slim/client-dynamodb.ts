import { jsonErrorOf } from './json.ts';
import { type ClientConfig, ServiceClient } from './service.ts';

export class DynamoDBClient extends ServiceClient {
  constructor(config?: ClientConfig) {
    super({ endpointPrefix: 'dynamodb', endpointVariable: 'DYNAMODB', errorOf: jsonErrorOf }, config);
  }
}
