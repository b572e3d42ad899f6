import type { HttpDeps } from '../../adapters/http/create-http-handler.ts';
import type { AttemptDeps } from '../../core/api/attempt-state.ts';
import type { ListDeps } from '../../core/api/list-tasks.ts';
import type { ManageDeps } from '../../core/auth/manage-tokens.ts';
import type { WebhookSecretDeps } from '../../core/notify/secrets.ts';
import type { BacklogStore } from '../../core/ports/backlog-store.ts';
import type { BreakerStore } from '../../core/ports/breaker-store.ts';
import type { PermitStore } from '../../core/ports/permit-store.ts';
import type { QuotaStore } from '../../core/ports/quota-store.ts';
import type { TokenStore } from '../../core/ports/token-store.ts';
import type { ResourceRegistry, TypeRegistry } from '../../core/ports/type-registry.ts';
import type { WaitDeps } from '../../core/api/wait-for-task.ts';
import type { OccurrenceDeps } from '../../core/schedules/arm.ts';
import type { QuotaDeps } from '../../core/quotas/manage.ts';
import type { HeavyHitterDeps } from '../../core/admission/heavy-hitters.ts';
import type { BreakerViewDeps } from '../../core/breakers/list.ts';
import type { LaneDeps } from '../../core/lanes/get.ts';
import type { LaneListDeps } from '../../core/lanes/list.ts';
import type { ShardMapDeps } from '../../core/routing/shard-map.ts';
import type { RedriveDeps } from '../../core/redrive/operate.ts';

/** What the routes of the API need. */
export interface ApiHandlerDeps
  extends
    HttpDeps,
    WaitDeps,
    OccurrenceDeps,
    RedriveDeps,
    ListDeps,
    ManageDeps,
    WebhookSecretDeps,
    QuotaDeps,
    HeavyHitterDeps,
    ShardMapDeps,
    LaneListDeps,
    LaneDeps,
    BreakerViewDeps,
    AttemptDeps {
  readonly permits: PermitStore;
  readonly backlog: BacklogStore;
  readonly breakers: BreakerStore;
  readonly quotas: QuotaStore;
  readonly types: TypeRegistry & ResourceRegistry;
  readonly tokens: TokenStore;
  /** Of the platform, as health tells it. */
  readonly version: string;
}
