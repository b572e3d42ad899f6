/** Call sites at which exercises make faults of their own, to come to what follows a fault. */

const TASKS = 'adapters/aws/task-store';
const SCHEDULES = 'adapters/aws/schedule-store';
const CHANGE_CELL = 'adapters/aws/permit-cell change UpdateCommand';
const READ_CELL = 'adapters/aws/permit-cell read GetCommand';
const UPDATE_CELL = 'adapters/aws/permit-cell update UpdateCommand';

/** Where rows, breakers and schedules are read that a write did not find. */
export const READ = {
  row: `${TASKS} get GetCommand`,
  breaker: 'adapters/aws/breaker-store read GetCommand',
  schedule: `${SCHEDULES} read GetCommand`,
};

export const INVOKE = {
  fn: 'dispatch',
  port: 'core/dispatch/claim start starter.start',
  command: 'adapters/aws/starter invoke InvokeCommand',
};
export const MAY_STILL_START = { fn: 'dispatch', port: 'core/dispatch/claim mayStillStart tasks.get', command: READ.row };
export const LOOK_AGAIN = { fn: 'dispatch', port: 'core/dispatch/claim write tasks.update', command: READ.row };
export const CANCEL = { fn: 'api', port: 'core/api/cancel-task cancelTask tasks.update', command: `${TASKS} updateItem UpdateCommand` };
export const REPLACE = { port: 'core/submit/put-row putRow tasks.replace', command: `${TASKS} put PutCommand` };
export const EXPIRE = { fn: 'dispatch', port: 'core/dispatch/look expire tasks.update', command: `${TASKS} updateItem UpdateCommand` };
export const PUT_TOKEN = { fn: 'api', port: 'core/auth/token issue tokens.put', command: 'adapters/aws/token-store write PutCommand' };
export const TAKE_PLACE = {
  fn: 'api',
  port: 'core/api/wait-for-task acquire permits.acquire',
  command: CHANGE_CELL,
};
export const REGISTER = {
  fn: 'registrar',
  port: 'functions/registrar/kinds put taskTypes.put',
  command: 'adapters/aws/type-registry put PutCommand',
};
export const WRITE_BREAKER = {
  port: 'core/breakers/change changeBreaker breakers.write',
  command: 'adapters/aws/breaker-store write PutCommand',
};
export const EXPIRE_HELD = {
  fn: 'dispatch',
  port: 'core/dispatch/drain expireHeld backlog.first',
  command: 'adapters/aws/backlog-store query QueryCommand',
};
export const WRITE_CHAINED = { port: 'core/schedules/arm writeChained schedules.put', command: `${SCHEDULES} put PutCommand` };
export const PAUSE_SCHEDULE = {
  fn: 'api',
  port: 'core/schedules/manage pauseSchedule schedules.put',
  command: `${SCHEDULES} put PutCommand`,
};
export const NOTE_RUN = { fn: 'api', port: 'core/schedules/manage noteRun schedules.put', command: `${SCHEDULES} put PutCommand` };
export const COMMIT_FIRE = { fn: 'system', port: 'core/schedules/fire commit schedules.put', command: `${SCHEDULES} put PutCommand` };
export const BEGIN_REDRIVE = {
  fn: 'api',
  port: 'core/redrive/operate createRedrive redrives.insert',
  command: 'adapters/aws/redrive-store put PutCommand',
};
export const SAVE_REDRIVE = {
  fn: 'system',
  port: 'core/redrive/run-slice #save redrives.replace',
  command: 'adapters/aws/redrive-store put PutCommand',
};
export const LINK = {
  fn: 'api',
  port: 'core/dead/retry-as-new link tasks.update',
  command: `${TASKS} updateItem UpdateCommand`,
};
export const PREEMPT = {
  fn: 'api',
  port: 'core/api/attempt-state preempt tasks.update',
  command: `${TASKS} updateItem UpdateCommand`,
};
/** Where a tenant's own queue does not take a hint. */
export const SEND_ELSEWHERE = {
  port: 'core/hints/place sendHints queue.send #2',
  command: 'adapters/aws/hint-queue sendBatch SendMessageBatchCommand',
};
export const GIVE_BACK_UNPACED = {
  fn: 'dispatch',
  port: 'core/permits/acquire spendRates permits.release',
  command: UPDATE_CELL,
};
export const LOOK_AT_ROW = { fn: 'dispatch', port: 'core/dispatch/look look tasks.get', command: READ.row };

const DIVIDE = 'core/control/divide-capacities';
export const STANDING = { fn: 'control', port: 'core/control/survey look permits.read', command: READ_CELL };
export const GRANT = { fn: 'control', port: `${DIVIDE} #put divisions.put`, command: 'adapters/aws/division-store put PutCommand' };
export const SHARE = { fn: 'control', port: `${DIVIDE} #write permits.setShare`, command: CHANGE_CELL };
export const ASK_LATER = {
  fn: 'control',
  port: `${DIVIDE} askLater control.tell`,
  command: 'adapters/aws/control-queue tell SendMessageBatchCommand',
};
export const FORGET = {
  fn: 'control',
  port: `${DIVIDE} #noteRest divisions.remove`,
  command: 'adapters/aws/division-store remove DeleteCommand',
};
/** The same where a lane does not draw on the entry pool. */
export const FORGET_OWN = { ...FORGET, port: `${FORGET.port} #2` };
export const COUNT_DRAINED = { fn: 'control', port: 'core/admission/measure-waiting drainedOf permits.read', command: READ_CELL };

const ENTRY = 'core/permits/entry';
/** Of one lane, more than it may have there. */
export const GIVE_BACK_OVER = { fn: 'dispatch', port: `${ENTRY} enterCell permits.release`, command: UPDATE_CELL };
export const GIVE_BACK_EXPIRED = { fn: 'dispatch', port: `${ENTRY} enterCell permits.release #2`, command: UPDATE_CELL };
export const LINE_UP = { fn: 'dispatch', port: `${ENTRY} lineUp permits.lineUp`, command: CHANGE_CELL };
export const CALL_IN = { fn: 'dispatch', port: `${ENTRY} lineUp permits.called`, command: UPDATE_CELL };
export const COUNT_ENTERED = { fn: 'dispatch', port: `${ENTRY} overBudget permits.count`, command: CHANGE_CELL };
export const GIVE_BACK_UNCOUNTED = { fn: 'dispatch', port: `${ENTRY} overBudget permits.release`, command: UPDATE_CELL };
