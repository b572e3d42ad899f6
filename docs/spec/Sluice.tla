------------------------------- MODULE Sluice -------------------------------
(* One task's way through Sluice: hints, rows, leases, permits.               *)
(* Workers are dispatch, settle and the backlog's drain; they and the submit  *)
(* calls go in small steps and may crash between any two. A queue message     *)
(* stays until it is deleted, so every crash is a redelivery. `faults` is the *)
(* budget for crashes, double deliveries, lateness, ambiguous answers, runs   *)
(* without a record and runs that Lambda doubles; the rest is free of fault.  *)
(* Abstractions: time is order only (leases, minutes and 30 s / 60 s are      *)
(* flags); giving a hint back, or hinting it again at its lease's end, is no  *)
(* step; lane hints and the minute's tick are Drain while the flag is up.     *)
(*                                                                            *)
(* Rules = the rules that are on; take one out and TLC shows the history that *)
(* it prevents. map.md says which function of the code does each step.        *)
(*  named      a message in wait mode is its attempt's hint: not left behind  *)
(*  ahead      a hint ahead of its row is given back, not dropped             *)
(*  confirm30  a row that was confirmed late gets another hint first          *)
(*  dupHint    a repeat that meets a live row sends a fresh hint              *)
(*  lease      a lease ends only when no run of it can begin or be alive      *)
(*  seq        every write of a row raises seq and compares it; hints name it *)
(*  state      (the weaker form) row writes compare the state as well         *)
(*  range      a running row keeps the lowest seq that is still its hint      *)
(*  uidAge     a hint whose row has another uid is treated as one with no row *)
(*  nowFirst   now is read before the row is read                             *)
(*  relook     a lost condition decides nothing: look at the row again        *)
(*  loser      permits carry the claim's nonce; a loser removes only its own  *)
(*  instant    permit expiry = lease end = one instant, fixed before the permit *)
(*  lateInvoke no invoke after that instant has come near; undo instead       *)
(*  undoHint   undo = settle with a free outcome: next hint, row, permit      *)
(*  noRepeatHint  a repeated outcome repeats permit and event, not the hint   *)
(*  bkey       a backlog item's key holds seq                                 *)
(*  flag       item, then flag version, then delete; clear only the version read *)
(*  drainHint  a claim out of the backlog makes a lease-end hint in every mode *)
(*  arm        a bucket put confirmed after its margin is hinted again        *)
(*  tell       the hint that ended its task repeats the effects               *)
(*  freeTells  freeing an id repeats the effects of the old generation        *)
EXTENDS Naturals, FiniteSets, TLC
All == {"named", "ahead", "confirm30", "dupHint", "lease", "seq", "state", "range", "uidAge", "nowFirst", "relook", "loser", "instant",
        "lateInvoke", "undoHint", "noRepeatHint", "bkey", "flag", "drainHint", "arm", "tell", "freeTells"}
CONSTANTS Ids, Workers, Clients, MaxUid, MaxAtt, MaxLost, MaxFaults, MaxThr, Limit, Modes, FarRetry, Cancels, Asks, Expires, Blinds, Rules
VARIABLES row,     \* id -> task row
          q,       \* queue messages (hints); stay until deleted, so may be delivered again
          bl, flag,\* the lane's backlog items and the lane's "has backlog" flag
          bk, passed, \* bucket hints; minutes that the mover has passed
          permits, \* the lane cell: set of [id, uid, f, by]
          runs,    \* handler runs that may begin or are alive
          recs,    \* outcome records on the outcomes queue
          w, c,    \* workers (dispatch, settle, drain) and submit calls
          nu, acc, told, fin, errs, faults, thr   \* book-keeping of the check
vars == <<row, q, bl, flag, bk, passed, permits, runs, recs, w, c, nu, acc, told, fin, errs, faults, thr>>
On(x)  == x \in Rules
NoRow  == [st |-> "none", uid |-> 0, seq |-> 0, fence |-> 0, att |-> 0, lost |-> 0, hint |-> <<0,0>>, by |-> "-", via |-> "-", over |-> FALSE, far |-> FALSE, ask |-> FALSE]
NoHint == [id |-> 0, uid |-> 0, s |-> 0, n |-> 0, b |-> FALSE]   \* b: not received yet, so that it may be acted on without a look
Idle   == [pc |-> "idle", src |-> "-", h |-> NoHint, r |-> NoRow, mode |-> "-", f |-> 0, out |-> "-", exp |-> FALSE, o |-> <<>>]
CIdle  == [pc |-> "idle", id |-> 0, uid |-> 0, s |-> 0, late |-> FALSE]
Live   == {"ready", "run"}
Term   == {"ok", "failed", "unknown", "cancelled", "expired"}
Freed  == {"none", "failed", "cancelled", "expired"}
Init == /\ row = [i \in Ids |-> NoRow] /\ q = {} /\ bl = {} /\ flag = FALSE /\ bk = {} /\ passed = {}
        /\ permits = {} /\ runs = {} /\ recs = {} /\ w = [p \in Workers |-> Idle] /\ c = [k \in Clients |-> CIdle]
        /\ nu = [i \in Ids |-> 0] /\ acc = {} /\ told = {} /\ fin = {} /\ errs = {} /\ faults = 0 /\ thr = 0
Cost(b) == IF b THEN faults < MaxFaults /\ faults' = faults + 1 ELSE UNCHANGED faults
(* a new hint for (id, uid, s); n tells apart messages of the same content *)
Used(id, u, s) == {h.n : h \in {g \in q \cup bl \cup bk \cup {w[p].h : p \in Workers} : g.id = id /\ g.uid = u /\ g.s = s}}
                  \cup (IF row[id].uid = u /\ row[id].hint[1] = s THEN {row[id].hint[2]} ELSE {})
New(id, u, s) == [id |-> id, uid |-> u, s |-> s, b |-> Blinds,
                  n |-> CHOOSE n \in 1..9 : n \notin Used(id, u, s) /\ \A m \in 1..(n-1) : m \in Used(id, u, s)]
Set(p, rec) == w' = [w EXCEPT ![p] = rec]
Del(v)      == [Idle EXCEPT !.pc = "del", !.src = v.src, !.h = v.h, !.o = v.o]
Go(p, pc)   == w' = [w EXCEPT ![p] = IF pc = "del" THEN Del(@) ELSE [@ EXCEPT !.pc = pc]]
Key(r, i)   == <<i, r.uid, r.seq>>
NotDue(r, i) == r.st = "ready" /\ r.far /\ Key(r, i) \notin passed
(* a running row keeps the lowest seq that is its own hint: its message's (wait), or its lease-end hint's, which is its fence *)
Names(r, h) == On("named") /\ r.hint # <<0,0>> /\ (IF On("range") THEN h.s >= r.hint[1] /\ h.s <= r.seq ELSE r.hint = <<h.s, h.n>>)
Own(h, r)   == r.st = "run" /\ Names(r, h)
------------------------------------------------------------------ (* submit *)
cU == <<row, bl, flag, bk, passed, permits, runs, recs, w, fin, errs, thr>>
CStart(k, i) == /\ c[k].pc = "idle" /\ nu[i] < MaxUid /\ nu' = [nu EXCEPT ![i] = @ + 1]     \* step 1: the hint
                /\ c' = [c EXCEPT ![k] = [CIdle EXCEPT !.pc = "put", !.id = i, !.uid = nu[i] + 1]]
                /\ q' = q \cup {New(i, nu[i] + 1, 0)} /\ UNCHANGED <<cU, acc, told, faults>>
CLate(k) == /\ c[k].pc = "put" /\ ~c[k].late /\ Cost(TRUE) /\ c' = [c EXCEPT ![k].late = TRUE]   \* 30 s since its hint
            /\ UNCHANGED <<cU, q, nu, acc, told>>
CPut(k) == LET i == c[k].id  r == row[i]  free == r.st \in Freed
               again == IF free THEN c[k].late /\ On("confirm30") ELSE r.st \in Live /\ On("dupHint") IN
  /\ c[k].pc = "put"                                                                          \* step 2: the row
  /\ row' = IF free THEN [row EXCEPT ![i] = [NoRow EXCEPT !.st = "ready", !.uid = c[k].uid]] ELSE row
  /\ told' = IF r.st \in Freed \ {"none"} /\ On("freeTells") THEN told \cup {<<i, r.uid>>} ELSE told
  /\ IF again THEN c' = [c EXCEPT ![k] = [CIdle EXCEPT !.pc = "again", !.id = i, !.uid = row'[i].uid, !.s = row'[i].seq]] /\ UNCHANGED acc
     ELSE c' = [c EXCEPT ![k] = CIdle] /\ acc' = acc \cup {<<i, row'[i].uid>>}
  /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, w, nu, fin, errs, faults, thr>>
CAgain(k) == /\ c[k].pc = "again" /\ q' = q \cup {New(c[k].id, c[k].uid, c[k].s)} /\ c' = [c EXCEPT ![k] = CIdle]
             /\ acc' = acc \cup {<<c[k].id, c[k].uid>>} /\ UNCHANGED <<cU, nu, told, faults>>
CCrash(k) == /\ c[k].pc # "idle" /\ Cost(TRUE) /\ c' = [c EXCEPT ![k] = CIdle] /\ UNCHANGED <<cU, q, nu, acc, told>>
(* a hint is younger than 60 s as long as the call that made it may still put its row within 30 s *)
(* and a lease-end hint comes only when the lease is over, which its dispatch may have fixed before there was a row *)
Young(h) == \/ \E k \in Clients : c[k].pc = "put" /\ c[k].id = h.id /\ c[k].uid = h.uid /\ ~c[k].late
            \/ \E p \in Workers : w[p].pc = "claim" /\ w[p].h.id = h.id /\ w[p].h.uid = h.uid /\ w[p].f = h.s /\ ~w[p].exp
Cancel(i) == /\ Cancels /\ row[i].st = "ready" /\ <<i, row[i].uid>> \in acc   \* its caller may crash before the event: the hint tells
             /\ row' = [row EXCEPT ![i] = [@ EXCEPT !.st = "cancelled", !.via = "hint", !.seq = IF On("seq") THEN @ + 1 ELSE @]]
             /\ fin' = fin \cup {<<i, row[i].uid, "cancelled">>}
             /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, w, c, nu, acc, told, errs, faults, thr>>
(* a running task is asked to stop: a mark on its row, by a write like any other; its attempt's end decides *)
Ask(i) == /\ Asks /\ row[i].st = "run" /\ ~row[i].ask /\ <<i, row[i].uid>> \in acc
          /\ row' = [row EXCEPT ![i] = [@ EXCEPT !.ask = TRUE, !.seq = IF On("seq") THEN @ + 1 ELSE @]]
          /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, w, c, nu, acc, told, fin, errs, faults, thr>>
---------------------------------------------------- (* dispatch: the decision *)
Decide(h, r) ==
  IF r.uid # h.uid THEN IF ~Young(h) \/ (~On("uidAge") /\ r.st # "none") THEN "drop" ELSE IF On("nowFirst") THEN "wait" ELSE "agedrop"
  ELSE IF r.st \in Term THEN
       IF On("tell") /\ r.via = "hint" /\ (h.s + 1 >= r.seq \/ Names(r, h)) /\ <<h.id, h.uid>> \notin told THEN "tell" ELSE "drop"
  ELSE IF Own(h, r) THEN IF r.over THEN "lost" ELSE "wait"
  ELSE IF h.s < r.seq THEN "drop"
  ELSE IF h.s > r.seq THEN IF On("ahead") THEN "wait" ELSE "drop"
  ELSE IF r.st = "run" THEN IF r.over THEN "lost" ELSE "wait"
  ELSE IF NotDue(r, h.id) THEN "arm" ELSE "permit"
(* a hint that is received for the first time is acted on without a look at its row; what has not started may expire *)
Seen(h) == [h EXCEPT !.b = FALSE]
Choices(h) == LET r == row[h.id]  d == Decide(h, r) IN
  {d} \cup (IF h.b /\ d # "arm" THEN {"permit"} ELSE {})
      \cup (IF Expires /\ d = "permit" /\ r.att = 0 /\ r.lost = 0 THEN {"expire"} ELSE {})
Room == Cardinality(permits) < Limit
dU == <<row, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, thr>>
First(p, h, src, d) == [Idle EXCEPT !.src = src, !.h = h, !.r = IF d = "tell" THEN row[h.id] ELSE NoRow, !.f = IF d = "lost" THEN row[h.id].fence ELSE 0,
   !.pc = CASE d = "drop" -> "del" [] d = "tell" -> "perm" [] d = "lost" -> "decide" [] OTHER -> d,
   !.out = IF d = "lost" THEN "lost" ELSE "-"]
Held(h) == \E p \in Workers : w[p].h = Seen(h) /\ w[p].pc # "idle"
(* "wait" = given back, or hinted again at the lease's end: nothing changes, so it is no step *)
Receive(p, h) == \E d \in Choices(h) :
  /\ w[p].pc = "idle" /\ h \in q /\ d # "wait" /\ Cost(Held(h)) /\ Set(p, First(p, Seen(h), "q", d))
  /\ q' = (q \ {h}) \cup {Seen(h)} /\ UNCHANGED dU
Drain(p, h) == \E d \in Choices(h) :   \* a lane hint, or the minute's tick
  /\ w[p].pc = "idle" /\ h \in bl /\ flag /\ d \notin {"wait", "agedrop", "arm"} /\ (d = "permit" => Room)
  /\ Cost(Held(h)) /\ Set(p, First(p, Seen(h), "bl", d)) /\ bl' = (bl \ {h}) \cup {Seen(h)}
  /\ UNCHANGED <<row, q, flag, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, thr>>
Expire(p) == LET v == w[p]  i == v.h.id  r == row[i]  gone == [r EXCEPT !.st = "expired", !.via = "hint", !.seq = IF On("seq") THEN @ + 1 ELSE @] IN
  /\ v.pc = "expire"
  /\ IF r.uid = v.h.uid /\ r.seq = v.h.s /\ r.st = "ready"
     THEN row' = [row EXCEPT ![i] = gone] /\ fin' = fin \cup {<<i, r.uid, "expired">>} /\ Set(p, [v EXCEPT !.pc = "perm", !.r = gone])
     ELSE Set(p, Idle) /\ UNCHANGED <<row, fin>>
  /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, told, errs, faults, thr>>
AgeDrop(p) == w[p].pc = "agedrop" /\ ~Young(w[p].h) /\ Go(p, "del") /\ UNCHANGED <<dU, q, faults>>
----------------------------------------------- (* dispatch: permit, claim, start *)
Perm(p) == [id |-> w[p].h.id, uid |-> w[p].h.uid, f |-> w[p].f, by |-> IF On("loser") THEN p ELSE "-"]
Permit(p) == LET v == [w[p] EXCEPT !.f = w[p].h.s + 1]
                 t == [id |-> v.h.id, uid |-> v.h.uid, f |-> v.f, by |-> IF On("loser") THEN p ELSE "-"] IN
  /\ w[p].pc = "permit"
  /\ IF (Room /\ (On("loser") => t \notin permits)) \/ (~On("loser") /\ t \in permits)
     THEN /\ permits' = permits \cup {t}
          /\ \E m \in Modes : Set(p, [v EXCEPT !.mode = m, !.pc = IF m = "event" \/ (v.src = "bl" /\ On("drainHint")) THEN "lhint" ELSE "claim"])
     ELSE /\ UNCHANGED permits /\ Set(p, IF v.src = "q" THEN [v EXCEPT !.pc = "park"] ELSE Idle)
  /\ UNCHANGED <<row, q, bl, flag, bk, passed, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
LHint(p) == /\ w[p].pc = "lhint" /\ q' = q \cup {Seen(New(w[p].h.id, w[p].h.uid, w[p].f))} /\ Go(p, "claim")   \* its row is always looked at
            /\ UNCHANGED <<dU, faults>>
Claim(p) == LET v == w[p]  i == v.h.id  r == row[i] IN
  /\ v.pc = "claim"
  /\ IF r.uid = v.h.uid /\ r.seq = v.h.s /\ (On("state") => r.st = "ready")
     THEN /\ row' = [row EXCEPT ![i] = [@ EXCEPT !.st = "run", !.seq = @ + 1, !.fence = v.f, !.by = p, !.over = v.exp, !.far = FALSE,
                       !.hint = IF v.mode = "wait" /\ (v.src = "q" \/ (On("range") /\ ~On("drainHint"))) THEN <<v.h.s, v.h.n>> ELSE <<v.f, 0>>]]
          /\ \/ Go(p, "invoke") /\ UNCHANGED faults
             \/ Go(p, "relook") /\ Cost(TRUE)                    \* applied, but reported as failed
     ELSE Go(p, "relook") /\ UNCHANGED <<row, faults>>
  /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, thr>>
Relook(p) == /\ w[p].pc = "relook" /\ permits' = permits \ {Perm(p)}
             /\ LET h == w[p].h  d == Decide(h, row[h.id]) IN   \* on: the row is looked at and decided anew, at once; its hint stays
                IF ~On("relook") THEN Go(p, "del")
                ELSE Set(p, IF d \in {"wait", "agedrop", "arm", "permit"} THEN Idle ELSE First(p, h, w[p].src, d))
             /\ UNCHANGED <<row, q, bl, flag, bk, passed, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
Invoke(p) == LET v == w[p]  run == [id |-> v.h.id, uid |-> v.h.uid, f |-> v.f, by |-> p, mode |-> v.mode, dup |-> FALSE] IN
  /\ v.pc = "invoke"
  /\ \/ v.exp /\ On("lateInvoke") /\ Set(p, [v EXCEPT !.pc = "decide", !.out = "free"]) /\ UNCHANGED <<runs, faults, thr>>
     \/ thr < MaxThr /\ thr' = thr + 1 /\ Set(p, [v EXCEPT !.pc = "decide", !.out = "free"]) /\ UNCHANGED <<runs, faults>>   \* a definite 429
     \/ /\ ~(v.exp /\ On("lateInvoke")) /\ runs' = runs \cup {run} /\ UNCHANGED thr
        /\ \/ Go(p, IF v.mode = "event" THEN "del" ELSE "waiting") /\ UNCHANGED faults
           \/ v.mode = "wait" /\ Cost(TRUE) /\ Set(p, Idle)      \* ambiguous: left to the lease
  /\ UNCHANGED <<row, q, bl, flag, bk, passed, permits, recs, c, nu, acc, told, fin, errs>>
Park(p) == LET v == w[p] IN   \* put the backlog item; raise the flag; only then delete the message
  /\ v.pc = "park" /\ Go(p, "pflag")
  /\ bl' = IF On("bkey") THEN bl \cup {[v.h EXCEPT !.n = 9, !.b = Blinds]}
           ELSE {b \in bl : b.id # v.h.id \/ b.uid # v.h.uid} \cup {[v.h EXCEPT !.n = 9, !.b = Blinds]}
  /\ UNCHANGED <<row, q, flag, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
PFlag(p) == /\ w[p].pc = "pflag" /\ flag' = TRUE
            /\ w' = [x \in Workers |-> IF x = p THEN Del(w[x]) ELSE IF w[x].pc = "clr" THEN [w[x] EXCEPT !.exp = TRUE] ELSE w[x]]
            /\ UNCHANGED <<row, q, bl, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
FlagRead(p) == w[p].pc = "idle" /\ flag /\ bl = {} /\ Set(p, [Idle EXCEPT !.pc = "clr"]) /\ UNCHANGED <<dU, q, faults>>
FlagClr(p) == /\ w[p].pc = "clr" /\ flag' = (On("flag") /\ w[p].exp) /\ Set(p, Idle)
              /\ UNCHANGED <<row, q, bl, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
Arm(p) == LET v == w[p]  i == v.h.id  s == v.h.s IN
  /\ v.pc = "arm" /\ bk' = bk \cup {New(i, v.h.uid, s)} /\ Go(p, "armed")
  /\ UNCHANGED <<row, q, bl, flag, passed, permits, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
Armed(p) == LET v == w[p]  i == v.h.id  s == v.h.s IN
  /\ v.pc = "armed" /\ Go(p, "del") /\ q' = IF On("arm") /\ <<i, v.h.uid, s>> \in passed THEN q \cup {New(i, v.h.uid, s)} ELSE q
  /\ UNCHANGED <<dU, faults>>
Delete(p) == LET v == w[p] IN
  /\ v.pc = "del" /\ Set(p, Idle)
  /\ q'    = IF v.src = "q" THEN q \ {v.h} ELSE q
  /\ bl'   = IF v.src # "bl" THEN bl ELSE IF On("bkey") THEN bl \ {v.h} ELSE {b \in bl : b.id # v.h.id \/ b.uid # v.h.uid}
  /\ recs' = IF v.src = "rec" THEN recs \ {v.o} ELSE recs
  /\ UNCHANGED <<row, flag, bk, passed, permits, runs, c, nu, acc, told, fin, errs, faults, thr>>

------------------------------------------------------------------ (* settle *)
(* one outcome (h.id, h.uid, f, out); src says what is deleted at the end *)
Take(p, o) == /\ w[p].pc = "idle" /\ o \in recs
              /\ Cost(\E x \in Workers : w[x].src = "rec" /\ w[x].o = o)
              /\ Set(p, [Idle EXCEPT !.pc = "decide", !.src = "rec", !.o = o, !.out = o.out, !.f = o.f, !.h = [NoHint EXCEPT !.id = o.id, !.uid = o.uid]])
              /\ UNCHANGED <<dU, q>>
Ends(r, out) == r.ask \/ out = "ok" \/ (out = "err" /\ r.att + 1 >= MaxAtt) \/ (out = "lost" /\ r.lost + 1 >= MaxLost)
SDecide(p) == LET v == w[p]  r == row[v.h.id]  cur == r.uid = v.h.uid /\ r.fence = v.f IN
  /\ v.pc = "decide"
  /\ IF ~cur THEN Go(p, "del") ELSE Set(p, [v EXCEPT !.r = r, !.pc =
       IF r.st \in Term THEN IF v.src = "rec" /\ r.via = "rec" THEN "perm" ELSE "del"      \* repeat the effects
       ELSE IF r.st = "ready" /\ v.out # "ok" THEN IF On("noRepeatHint") THEN "perm" ELSE "nhint"   \* applied before: repeat the permit's release; the next hint is durable
       ELSE IF Ends(r, v.out) \/ (v.out = "free" /\ ~On("undoHint")) THEN "row" ELSE "nhint", !.exp = FALSE, !.mode = "-"])
  /\ UNCHANGED <<dU, q, faults>>
NextSeq(v) == IF v.r.st = "run" /\ On("seq") THEN v.r.seq + 1 ELSE v.r.seq
Far(v) == FarRetry /\ (IF v.r.st = "run" THEN v.out = "err" ELSE v.r.far)
AfterHint(v) == IF v.r.st = "run" THEN "row" ELSE "perm"
NHint(p) == LET v == w[p]  h == New(v.h.id, v.h.uid, NextSeq(v)) IN
  /\ v.pc = "nhint"
  /\ IF Far(v) THEN bk' = bk \cup {h} /\ UNCHANGED q ELSE q' = q \cup {h} /\ UNCHANGED bk
  /\ Go(p, IF Far(v) THEN "narmed" ELSE AfterHint(v))
  /\ UNCHANGED <<row, bl, flag, passed, permits, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
NArmed(p) == LET v == w[p] IN
  /\ v.pc = "narmed" /\ Go(p, AfterHint(v))
  /\ q' = IF Far(v) /\ On("arm") /\ <<v.h.id, v.h.uid, NextSeq(v)>> \in passed THEN q \cup {New(v.h.id, v.h.uid, NextSeq(v))} ELSE q
  /\ UNCHANGED <<dU, faults>>
SRow(p) == LET v == w[p]  i == v.h.id  r == row[i]
               st == IF ~Ends(v.r, v.out) THEN "ready" ELSE CASE v.out = "ok" -> "ok" [] v.r.ask -> "cancelled" [] v.out = "err" -> "failed" [] OTHER -> "unknown" IN
  /\ v.pc = "row"
  /\ IF r.uid = v.r.uid /\ r.fence = v.f /\ r.seq = v.r.seq /\ (On("state") => r.st = v.r.st)
     THEN /\ row' = [row EXCEPT ![i] = [@ EXCEPT !.st = st, !.seq = IF On("seq") THEN @ + 1 ELSE @, !.over = FALSE, !.far = (st = "ready" /\ Far(v)),
                       !.att = IF v.out = "err" THEN v.r.att + 1 ELSE @, !.lost = IF v.out = "lost" THEN v.r.lost + 1 ELSE @,
                       !.via = IF st \in Term THEN (IF v.src = "rec" THEN "rec" ELSE "hint") ELSE @,
                       !.hint = IF st \in Term THEN @ ELSE <<0,0>>]]
          /\ fin' = IF st \in Term THEN fin \cup {<<i, r.uid, st, v.f>>} ELSE fin
          /\ Set(p, [v EXCEPT !.pc = "perm", !.r.st = st])
     ELSE Go(p, "decide") /\ UNCHANGED <<row, fin>>
  /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, told, errs, faults, thr>>
SPerm(p) == LET v == w[p] IN
  /\ v.pc = "perm" /\ permits' = {t \in permits : ~(t.id = v.h.id /\ t.uid = v.h.uid /\ t.f = v.r.fence /\ (On("loser") => t.by = v.r.by))}
  /\ Go(p, IF v.r.st \in Term THEN "event" ELSE "del")
  /\ UNCHANGED <<row, q, bl, flag, bk, passed, runs, recs, c, nu, acc, told, fin, errs, faults, thr>>
SEvent(p) == /\ w[p].pc = "event" /\ told' = told \cup {<<w[p].h.id, w[p].h.uid>>} /\ Go(p, "del")
             /\ UNCHANGED <<row, q, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, fin, errs, faults, thr>>

--------------------------------------------- (* runs, time, faults *)
RunEnd(x, out) ==
  /\ x \in runs /\ runs' = runs \ {x}
  /\ IF out = "thr" THEN thr < MaxThr /\ thr' = thr + 1 ELSE UNCHANGED thr
  /\ errs' = IF out = "err" THEN errs \cup {<<x.id, x.uid, x.f>>} ELSE errs
  /\ LET o == IF out = "thr" THEN "free" ELSE out
         v == w[x.by] IN
     IF x.mode = "event" THEN recs' = recs \cup {[id |-> x.id, uid |-> x.uid, f |-> x.f, out |-> o]} /\ UNCHANGED w
     ELSE /\ UNCHANGED recs
          /\ IF v.pc = "waiting" /\ v.h.id = x.id /\ v.h.uid = x.uid /\ v.f = x.f THEN Set(x.by, [v EXCEPT !.pc = "decide", !.out = o]) ELSE UNCHANGED w
  /\ UNCHANGED <<row, q, bl, flag, bk, passed, permits, c, nu, acc, told, fin, faults>>
RunNone(x) == /\ x \in runs /\ runs' = runs \ {x} /\ Cost(TRUE)   \* no record
              /\ w' = [p \in Workers |-> IF w[p].pc = "waiting" /\ x.by = p /\ x.f = w[p].f /\ x.uid = w[p].h.uid THEN Idle ELSE w[p]]
              /\ UNCHANGED <<row, q, bl, flag, bk, passed, permits, recs, c, nu, acc, told, fin, errs, thr>>
RunTwice(x, out) == /\ x \in runs /\ x.mode = "event" /\ ~x.dup /\ Cost(TRUE)   \* Lambda runs one event twice
                    /\ runs' = (runs \ {x}) \cup {[x EXCEPT !.dup = TRUE]}
                    /\ recs' = recs \cup {[id |-> x.id, uid |-> x.uid, f |-> x.f, out |-> out]}
                    /\ errs' = IF out = "err" THEN errs \cup {<<x.id, x.uid, x.f>>} ELSE errs
                    /\ UNCHANGED <<row, q, bl, flag, bk, passed, permits, w, c, nu, acc, told, fin, thr>> 
Is(x, i, u, f) == x.id = i /\ x.uid = u /\ x.f = f
Busy(i, u, f) == \/ \E p \in Workers : w[p].pc # "idle" /\ w[p].h.id = i /\ w[p].h.uid = u /\ w[p].f = f /\ w[p].pc \in {"lhint", "claim", "invoke", "waiting", "decide", "nhint", "narmed", "row"}
                 \/ \E o \in recs : Is(o, i, u, f)
(* the lease formula: it ends after every run of it; a slow dispatch may still be before its invoke *)
LeaseOver(i) == LET r == row[i] IN
  /\ r.st = "run" /\ ~r.over /\ (On("lease") => ~\E x \in runs : Is(x, i, r.uid, r.fence) /\ ~x.dup)
  /\ Cost(Busy(i, r.uid, r.fence)) /\ row' = [row EXCEPT ![i].over = TRUE]
  /\ w' = [p \in Workers |-> IF w[p].pc = "invoke" /\ w[p].h.id = i /\ w[p].h.uid = r.uid /\ w[p].f = r.fence THEN [w[p] EXCEPT !.exp = TRUE] ELSE w[p]]
  /\ UNCHANGED <<q, bl, flag, bk, passed, permits, runs, recs, c, nu, acc, told, fin, errs, thr>>
(* a permit expires at the lease's end, which dispatch fixed before it took the permit *)
PermitOver(t) == LET r == row[t.id] mine == {p \in Workers : w[p].pc \in {"lhint", "claim"} /\ Is([id |-> w[p].h.id, uid |-> w[p].h.uid, f |-> w[p].f], t.id, t.uid, t.f) /\ (On("loser") => t.by = p)} IN
  /\ t \in permits /\ permits' = permits \ {t}
  /\ r.st = "run" /\ r.uid = t.uid /\ r.fence = t.f /\ (On("loser") => r.by = t.by) => r.over \/ (~On("instant") /\ faults < MaxFaults)
  /\ Cost(mine # {} \/ (r.st = "run" /\ r.uid = t.uid /\ r.fence = t.f /\ ~r.over))
  /\ w' = [p \in Workers |-> IF p \in mine THEN [w[p] EXCEPT !.exp = TRUE] ELSE w[p]]
  /\ UNCHANGED <<row, q, bl, flag, bk, passed, runs, recs, c, nu, acc, told, fin, errs, thr>>
(* the mover passes a minute; a hint put into it later is stranded *)
Arming == {<<w[p].h.id, w[p].h.uid, w[p].h.s>> : p \in {x \in Workers : w[x].pc \in {"arm", "armed"}}}
          \cup {<<w[p].h.id, w[p].h.uid, NextSeq(w[p])>> : p \in {x \in Workers : w[x].pc \in {"nhint", "narmed"} /\ Far(w[x])}}
Tick(k) == LET hs == {h \in bk : <<h.id, h.uid, h.s>> = k} IN
  /\ k \notin passed /\ Cost(k \in Arming)
  /\ passed' = passed \cup {k} /\ bk' = bk \ hs /\ q' = q \cup {New(h.id, h.uid, h.s) : h \in hs}
  /\ UNCHANGED <<row, bl, flag, permits, runs, recs, w, c, nu, acc, told, fin, errs, thr>>
Crash(p) == /\ w[p].pc # "idle" /\ Cost(TRUE) /\ Set(p, Idle) /\ UNCHANGED <<dU, q>>
Keys == {<<h.id, h.uid, h.s>> : h \in bk} \cup Arming

Step(p) == \/ AgeDrop(p) \/ Expire(p) \/ Permit(p) \/ LHint(p) \/ Claim(p) \/ Relook(p) \/ Invoke(p) \/ Park(p) \/ PFlag(p) \/ FlagRead(p) \/ FlagClr(p)
           \/ Arm(p) \/ Armed(p) \/ Delete(p) \/ SDecide(p) \/ NHint(p) \/ NArmed(p) \/ SRow(p) \/ SPerm(p) \/ SEvent(p)
           \/ (\E h \in q : Receive(p, h)) \/ (\E h \in bl : Drain(p, h)) \/ (\E o \in recs : Take(p, o))
World == \/ \E x \in runs, out \in {"ok", "err", "thr"} : RunEnd(x, out)
         \/ \E i \in Ids : LeaseOver(i)
         \/ \E t \in permits : PermitOver(t)
         \/ \E k \in Keys : Tick(k)
Submit(k) == CPut(k) \/ CAgain(k)
Fault == \/ \E p \in Workers : Crash(p)
         \/ \E k \in Clients : CCrash(k) \/ CLate(k)
         \/ \E x \in runs : RunNone(x) \/ (\E out \in {"ok", "err"} : RunTwice(x, out))
Progress == (\E p \in Workers : Step(p)) \/ World \/ (\E k \in Clients : Submit(k))
Next == Progress \/ Fault \/ (\E k \in Clients, i \in Ids : CStart(k, i)) \/ (\E i \in Ids : Cancel(i) \/ Ask(i))
Spec == Init /\ [][Next]_vars /\ WF_vars(Progress /\ UNCHANGED faults)

Sym == Permutations(Workers) \cup Permutations(Clients)
---------------------------------------------------------- (* what must hold *)
Valid(h, r, i) == h.id = i /\ h.uid = r.uid /\ (h.s = r.seq \/ Own(h, r))
Hints(i) == {h \in q : Valid(h, row[i], i)} \cup {h \in bl : flag /\ Valid(h, row[i], i)}
            \cup {h \in bk : Valid(h, row[i], i) /\ <<h.id, h.uid, h.s>> \notin passed}
\* 1: an accepted task that is not terminal has a durable hint that will act on its row as it is now
HasHint == \A i \in Ids : row[i].st \in Live /\ <<i, row[i].uid>> \in acc => Hints(i) # {}
\* no orphans: so has every other row, unless its submit call is still at work
NoOrphan == \A i \in Ids : row[i].st \in Live /\ Hints(i) = {} => \E k \in Clients : c[k].pc # "idle" /\ c[k].id = i
\* 2: one end per generation, and so one success
OneEnd == \A a, b \in fin : a[1] = b[1] /\ a[2] = b[2] => a = b
\* 3: never two live fences (but for the second run that Lambda itself makes of one event)
OneFence == \A a, b \in runs : a.id = b.id /\ ~a.dup /\ ~b.dup => a = b
OneFenceStrict == \A a, b \in runs : a.id = b.id => a.uid = b.uid /\ a.f = b.f
\* 4: a permit for each live attempt
Permits == \A x \in runs : ~x.dup => \E t \in permits : Is(t, x.id, x.uid, x.f)
\* 5: attempts count failed handler runs; nothing is counted lost without a fault
Free == \A i \in Ids : row[i].att <= Cardinality({e \in errs : e[1] = i /\ e[2] = row[i].uid}) /\ row[i].lost <= faults
\* chains of hints: one, and at most one more for each fault, each repeated submission and each mark
\* (not with Blinds: a claim that is made without a look may fail, and leaves its lease-end hint)
Handed == {w[p].h : p \in {x \in Workers : w[x].pc \in {"pflag", "armed", "del"}}}
Chains == \A i \in Ids : Cardinality(Hints(i) \ Handed) <= (nu[i] + faults + (IF row[i].ask THEN 1 ELSE 0) + (IF faults > 0 THEN Cardinality(Workers) - 1 ELSE 0))
\* liveness as an invariant: when nothing but a fault can happen, all is done, told and released
Done == /\ \A i \in Ids : /\ (row[i].st \in Live => <<i, row[i].uid>> \notin acc)
                          /\ \A e \in fin : <<e[1], e[2]>> \in told
        /\ permits = {} /\ q = {} /\ (flag => bl = {})
NotStuck == Done \/ ENABLED (Progress /\ UNCHANGED faults)
Ends1 == <>[]Done   \* and as liveness, under weak fairness (check without SYMMETRY)
=============================================================================
