// The clock of one process or thread, which the host may move: what `Date` tells is so many milliseconds ahead. Plain
// JavaScript, because the runtime of functions loads it. Timers and `performance` stay as they are.
const RealDate = globalThis.Date;
const realNow = RealDate.now;
let offset = 0;
let installed = false;

const now = () => realNow() + offset;

/** @param {number} milliseconds from now on `Date` is so far ahead of the machine's clock */
export function shiftDate(milliseconds) {
  offset = milliseconds;
  if (installed || milliseconds === 0) return;
  installed = true;
  // The prototype stays the same one, so that dates from before it and from Node's own code are instances all the same.
  globalThis.Date = new Proxy(RealDate, {
    apply: () => new RealDate(now()).toString(),
    construct: (target, args, newTarget) => Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
    get: (target, key) => (key === 'now' ? now : Reflect.get(target, key)),
  });
}
