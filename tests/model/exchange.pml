// The exchange of docs/protocol.md, sections 6 to 8, between one initiator and one responder, with an attacker on the
// wire. docs/model.md says what is shown by it and what is not; `run` checks it and all of its variants.
//
// Abstractions
//   sealing         Perfect: nobody but the two ends makes a message, and none is read or changed on its way.
//   the wire        The set of all messages ever sent. Each may be delivered at any time, any number of times, or never:
//                   this is loss, repetition, reordering, delay and replay at once, without a bound. An initiator
//                   that repeats identical bytes (8.2) adds nothing to it.
//   tokens          Values that are never drawn twice. So a token that has been replaced matches nothing ever after, and all
//                   of them may bear one name, OLD; the current one is CURRENT wherever it stands.
//   request ids     A request is known by its slot, request[1] to request[REQUESTS]. A new request may take the slot of any
//                   old one that is not the responder's last: the attacker has forgotten that one. So he holds at
//                   most REQUESTS of them at once, chosen as he likes from any number. A nonce makes bytes distinct, and so
//                   does the request id: nonces are not needed here.
//   time            None. Whatever may time out may do so at any moment.
//   one direction   A's requests to B. What B asks of A has a token and a cache of its own; here it shows as local
//                   changes of the responder's session, and as commands given up at the initiator.
//
// The one bound is REQUESTS. Commands, deliveries, local changes and crashes of both ends have none.
#ifndef REQUESTS
#define REQUESTS 3
#endif

// Variants, by -D: each leaves out one rule of the specification, and so has to violate a property.
//   EPOCH_AND_COUNTER      the initiator numbers its requests by boot epoch and counter; the responder accepts what is
//                          greater than all it has seen since it started, and has no token
//   UNBOUND_REPLIES        a reply is taken for whatever request is under way (without the request id of 8.1)
//   CACHE_OUTLIVES_CHANGE  a local change replaces the token, but keeps the last request and reply (7.1, rule 6)
//   TOKEN_OUTLIVES_CHANGE  a local change drops the last request and reply, but keeps the token (7.1, rule 6)
//   TOKEN_OUTLIVES_ACCEPT  an accepted request does not replace the token (7.1, rule 2)
//   TOKEN_FORESEEABLE      the responder's first token after each start is the same value (7.1: random)
//   LATE_ANSWER            a request that was being carried out is answered in spite of a local change (7.1, rule 6)
//   FAILURE_IS_NO_CHANGE   a down of the responder's own that fails leaves token and last reply as they are (7.1, rule 6)
//   NOT_ONE_BY_ONE         a request is accepted while another one is being carried out (no BUSY)
//   STALE_USES_UP          a STALE replaces the token, too (7.1, rule 5)
//
// The properties are assertions; -DONLY=n checks the nth alone.
//   P1  A request that is accepted, an `up` above all, was made after the last change of the responder's session.
//   P2  No replay takes effect: a request has its effect once at most.
//   P3  An OK never lies: the responder carried out that very request, and when it said so, nothing had happened since,
//       and the state that it told was the state of its session and of its interface.
//   P4  Replay keeps nobody out: a request made with the current token is not STALE unless something else happened.
#ifndef ONLY
#define ONLY 0
#endif
#define PROPERTY(n, holds) \
  if :: (ONLY == 0 || ONLY == n) -> assert(holds) :: else fi

// -DREACH=n makes a violation of reaching mark n: the check's own check that it gets that far.
//   1 OK to an up that was asked anew after STALE    2 an OK taken that was the last reply, repeated
//   3 OK after a crash of the responder              4 OK to a request that was BUSY before
//   5 a renew NOT_UP, then an up OK                  6 an OK that is overtaken by a change on its way
#ifdef REACH
#define MARK(n, reached) \
  if :: (REACH == n && (reached)) -> assert(not_reached) :: else fi
#define MARKS() \
  MARK(1, after_stale && request[exchange].operation == UP); \
  MARK(2, after_repetition); \
  MARK(3, after_crash); \
  MARK(4, after_busy); \
  MARK(5, after_not_up && request[exchange].operation == UP); \
  MARK(6, last_change_by == NONE)
bool not_reached = false, after_stale = false, after_repetition = false, after_crash = false, after_busy = false;
bool after_not_up = false;
#define MARK_STALE() after_stale = true
#define MARK_REPEATED() after_repetition = (id == exchange)
#define MARK_CRASHED() after_crash = true
#define MARK_BUSY() after_busy = (after_busy || id == exchange)
#define MARK_NOT_UP() after_not_up = true
#define MARK_ASKED() after_busy = false; after_repetition = false
#else
#define MARKS() skip
#define MARK_STALE() skip
#define MARK_REPEATED() skip
#define MARK_CRASHED() skip
#define MARK_BUSY() skip
#define MARK_NOT_UP() skip
#define MARK_ASKED() skip
#endif

mtype:operation = { UP, DOWN, RENEW, STATUS };                     // 5.3; a bye is a down
mtype:result = { OK, REFUSED, NOT_UP };                            // section 6; REFUSED: DENIED, CONFLICT, INTERNAL
mtype:session = { IS_DOWN, GOING_UP, IS_UP, GOING_DOWN, FAILED };  // 5.4, field 7

// Ghost: what has happened to the responder's session since a request was made.
mtype:fate = { NOTHING_SINCE, CHANGE_SINCE, HAD_EFFECT };

#define NONE 0

// EACH_SLOT(M): M(1) to M(REQUESTS)
#if REQUESTS == 3
#define EACH_SLOT(M) M(1) M(2) M(3)
#elif REQUESTS == 4
#define EACH_SLOT(M) M(1) M(2) M(3) M(4)
#elif REQUESTS == 5
#define EACH_SLOT(M) M(1) M(2) M(3) M(4) M(5)
#endif

// Tokens.
#define OLD 1      // any that was replaced, and none at all: neither will ever be the current one
#define CURRENT 2  // the responder's
#define FIRST 3    // TOKEN_FORESEEABLE: the responder's first after a start
#define BIT(token) (1 << (token))

// --- what is on the wire ---------------------------------------------------------------------------------------------

// Section 5.3. Lines with "ghost" are for the properties alone: no message has them.
typedef Request {
  mtype:operation operation;  // 0: no request has had this slot yet
  byte token;                 // EPOCH_AND_COUNTER: the request's number
  mtype:fate fate;            // ghost
};

// Section 5.4: the replies to one request. Those that the initiator would drop are not kept in mind.
typedef Replies {
  byte stale;           // BIT(t): a STALE that carries token t
  byte busy;            // BIT(t): a BUSY that carries token t
  mtype:result result;  // of the last reply (7.1); 0: none
  byte token;
  mtype:session state;
  bool sent_true;       // ghost: the last reply was sent while what it says held
  bool sent_false;      // ghost: it was sent when that did not hold any more
};

Request request[REQUESTS + 1];
Replies replies[REQUESTS + 1];

// Ghost: the request that made the last change of the responder's session. NONE: it was a local change or a crash.
byte last_change_by = NONE;

// Ghost of the request under way: its token was the responder's when it was made.
bool was_current = false;

// --- the responder (section 7) ---------------------------------------------------------------------------------------

// In memory only (7.1), lost with a crash.
#ifdef TOKEN_FORESEEABLE
byte token = FIRST;
#else
byte token = CURRENT;
#endif
byte last_request = NONE;
bool last_reply = false;    // there is one: replies[last_request].result; false: still being carried out
byte pending = NONE;        // the accepted request that is being carried out
mtype:session state = IS_DOWN;
bool own_attempt = false;   // the responder's own user wants it up, too
byte highest = 0;           // EPOCH_AND_COUNTER: the greatest number seen

bool on_interface = false;  // WireGuard's: outlives the process

// The initiator's (below); what is said of tokens holds for them, too.
byte exchange = NONE;
byte known_token = OLD;

byte i = 0;  // of loops within one step

// 7.1: a new token. What was CURRENT, wherever it stands, is OLD now.
#define RETIRE(name) name = (name == CURRENT -> OLD : name)
#define RETIRE_BIT(set) set = ((set & BIT(CURRENT)) -> ((set | BIT(OLD)) & (BIT(OLD) | BIT(FIRST))) : set)
inline new_token() {
#ifdef EPOCH_AND_COUNTER
  skip
#else
  d_step {
    RETIRE(known_token);
    for (i : 1 .. REQUESTS) {
      RETIRE(request[i].token);
      RETIRE(replies[i].token);
      RETIRE_BIT(replies[i].stale);
      RETIRE_BIT(replies[i].busy)
    }
    i = 0;
    token = CURRENT
  }
#endif
}

inline changed(by) {
  d_step {
    for (i : 1 .. REQUESTS) {
      request[i].fate = (request[i].fate == NOTHING_SINCE -> CHANGE_SINCE : request[i].fate)
    }
    i = 0;
    last_change_by = by
  }
}

// 7.1, rule 6. lib/gate: void_token.
inline void_token() {
#ifndef TOKEN_OUTLIVES_CHANGE
  new_token();
#endif
#ifndef CACHE_OUTLIVES_CHANGE
  last_request = NONE;
  last_reply = false;
#endif
#ifndef LATE_ANSWER
  pending = NONE;
#endif
  changed(NONE)
}

#ifdef UNBOUND_REPLIES
#define IS_KEPT_IN_MIND(id) true
#else
#define IS_KEPT_IN_MIND(id) (exchange == id)  // 8.1
#endif

#ifdef EPOCH_AND_COUNTER
#define IS_CURRENT(id) (request[id].token > highest)
#else
#define IS_CURRENT(id) (request[id].token == token)
#endif

// What the last reply says holds, if nothing has happened since and the interface is as it says.
#define SAYS(id, said) (request[id].operation == said && replies[id].result == OK)
#define HOLDS(id) \
  (last_change_by == id && replies[id].state == state && \
   !(SAYS(id, UP) && !on_interface) && !(SAYS(id, DOWN) && on_interface))

// Within one step only: the request that is looked at, and what is to be answered to it for good.
byte id = NONE;
mtype:result decided = 0;

// The last reply goes out, for the first time or again.
inline send_last_reply() {
  if
  :: IS_KEPT_IN_MIND(id) && HOLDS(id) -> replies[id].sent_true = true
  :: IS_KEPT_IN_MIND(id) && !HOLDS(id) -> replies[id].sent_false = true
  :: !IS_KEPT_IN_MIND(id)
  fi
}

inline answer() {
  last_reply = true;
  if
  :: IS_KEPT_IN_MIND(id) -> replies[id].result = decided; replies[id].token = token; replies[id].state = state
  :: else
  fi;
  send_last_reply()
}

// 7.1, rule 2, and 7.3. lib/gate: take_request from "Accepted" on, carry_out.
inline accept() {
  PROPERTY(1, request[id].fate != CHANGE_SINCE);
  PROPERTY(2, request[id].fate != HAD_EFFECT);
  changed(id);
  request[id].fate = HAD_EFFECT;
#ifdef EPOCH_AND_COUNTER
  highest = request[id].token;
#endif
#ifndef TOKEN_OUTLIVES_ACCEPT
  new_token();
#endif
  last_request = id;
  last_reply = false;
  if
  :: request[id].operation == UP -> pending = id
  :: request[id].operation == DOWN -> pending = id; own_attempt = false
  :: request[id].operation == RENEW && state == IS_UP -> pending = id  // with a preshared key (9.4)
  :: request[id].operation == RENEW && state == IS_UP -> decided = OK  // without
  :: request[id].operation == RENEW && state != IS_UP -> decided = NOT_UP
  :: request[id].operation == STATUS -> decided = OK
  fi
}

#ifdef NOT_ONE_BY_ONE
#define IS_BUSY false
#else
#define IS_BUSY \
  (pending != NONE || (state == GOING_DOWN && (request[id].operation == UP || request[id].operation == RENEW)))
#endif

// 7.2, from "same bytes as the last request" on. lib/gate: take_request.
inline take_request() {
  if
  :: id == last_request && last_reply -> MARK_REPEATED(); send_last_reply()
  :: id == last_request && !last_reply  // still being carried out: silence (7.1, rule 4)
  :: id != last_request && !IS_CURRENT(id) ->
     PROPERTY(4, id != exchange || !was_current || request[id].fate != NOTHING_SINCE);
#ifdef STALE_USES_UP
     new_token();
#endif
     if :: IS_KEPT_IN_MIND(id) -> replies[id].stale = replies[id].stale | BIT(token) :: else fi
  :: id != last_request && IS_CURRENT(id) && IS_BUSY ->
     MARK_BUSY();
     if :: IS_KEPT_IN_MIND(id) -> replies[id].busy = replies[id].busy | BIT(token) :: else fi
  :: id != last_request && IS_CURRENT(id) && !IS_BUSY -> accept()
  fi
}

active proctype Responder() {
end:
  do
  // a datagram: any that the peer ever sent
  :: atomic {
       if
#define DELIVER(slot) :: request[slot].operation != 0 -> id = slot
       EACH_SLOT(DELIVER)
       fi;
       take_request();
       if :: decided != 0 -> answer() :: else fi;
       decided = 0;
       id = NONE
     }

  // what was accepted has been carried out, or the interface refuses (7.4; lib/gate: responder_installed, responder_removed)
  :: atomic {
       pending != NONE ->
       id = pending;
       pending = NONE;
       if
       :: request[id].operation == UP ->
          decided = OK;
          on_interface = true;
          state = (own_attempt -> state : IS_UP)
       :: request[id].operation == RENEW -> decided = OK
       :: request[id].operation == RENEW -> decided = NOT_UP  // somebody had taken the peer away
       :: request[id].operation == UP || request[id].operation == RENEW ->
          decided = REFUSED;
          state = (own_attempt -> state : FAILED)
       :: request[id].operation == DOWN ->
          decided = OK;
          on_interface = false;
          state = (state == GOING_DOWN -> state : IS_DOWN)
       :: request[id].operation == DOWN ->
          decided = REFUSED;
          state = (state == GOING_DOWN -> state : FAILED)
       fi;
       answer();
       decided = 0;
       id = NONE
     }

  // local changes, those that the peer did not ask for (7.1, rule 6)
  :: atomic {
       if
       :: state != GOING_DOWN ->  // the user types down: begin_down
          own_attempt = false;
          state = GOING_DOWN;
          on_interface = false
       :: state == GOING_DOWN -> state = IS_DOWN  // and it is done, or timed out
#ifndef FAILURE_IS_NO_CHANGE
       :: state == GOING_DOWN -> state = FAILED  // or the interface refuses
#endif
       :: state == IS_UP ->  // the lease ran out
          own_attempt = false;
          state = IS_DOWN;
          on_interface = false
       :: state != IS_UP && !own_attempt ->  // the user types up: begin_up
          own_attempt = true;
          state = GOING_UP
       :: own_attempt ->  // and its tunnel shakes hands: handshake_seen
          own_attempt = false;
          state = IS_UP;
          on_interface = true
       :: own_attempt ->  // or it does not: end_attempt
          own_attempt = false;
          state = FAILED;
          on_interface = false
       fi;
       void_token()
     }

#ifdef FAILURE_IS_NO_CHANGE
  :: atomic { state == GOING_DOWN -> state = FAILED; changed(NONE) }
#endif

  // A crash: what is in memory only is lost. A change that was being made has been made or has not; the next process
  // adopts what stands on the interface.
  :: atomic {
       if
       :: pending != NONE && request[pending].operation == UP -> on_interface = true
       :: pending != NONE && request[pending].operation == DOWN -> on_interface = false
       :: own_attempt -> on_interface = true
       :: true
       fi;
       pending = NONE;
       last_request = NONE;
       last_reply = false;
       own_attempt = false;
       highest = 0;
       state = (on_interface -> IS_UP : IS_DOWN);
       new_token();
#ifdef TOKEN_FORESEEABLE
       token = FIRST;
#endif
       changed(NONE);
       MARK_CRASHED()
     }
  od
}

// --- the initiator (section 8) ---------------------------------------------------------------------------------------

// All of it in memory only, but that the interface shows after a crash whether the session was up. Declared above:
// exchange, the request under way (8.1), and known_token, the peer's, as far as it is known.
bool attempt = false;    // a command up, or the renewal of a session that is up
bool shaking = false;    // the peer has been installed at both ends: waiting for WireGuard's handshake
bool may_be_up = false;  // an up may have had its effect at the responder
mtype:session my_state = IS_DOWN;

byte number = 0;  // EPOCH_AND_COUNTER: of the last request; greater after a crash, too
#ifdef EPOCH_AND_COUNTER
#define CAN_ASK (number < 6)
#else
#define CAN_ASK true
#endif

// Within one step only.
mtype:operation wanted = 0;  // to be asked
mtype:result told = 0;
byte slot = NONE;

// Replies to a request that is not under way any more would be dropped (8.1): they need not be kept in mind.
inline end_exchange() {
  d_step {
#ifndef UNBOUND_REPLIES
    replies[exchange].stale = 0;
    replies[exchange].busy = 0;
    replies[exchange].result = 0;
    replies[exchange].token = 0;
    replies[exchange].state = 0;
    replies[exchange].sent_true = false;
    replies[exchange].sent_false = false;
#endif
    exchange = NONE;
    was_current = false
  }
}

// 8.1. lib/gate: ask.
inline ask() {
  end_exchange();
  if
#define TAKE(free) :: free != last_request && free != pending -> slot = free
  EACH_SLOT(TAKE)
  fi;
  d_step {
    exchange = slot;
    slot = NONE;
    request[exchange].operation = wanted;
#ifdef EPOCH_AND_COUNTER
    number++;
    request[exchange].token = number;
#else
    request[exchange].token = known_token;
#endif
    request[exchange].fate = NOTHING_SINCE;
    was_current = (known_token == token);
    may_be_up = (may_be_up || wanted == UP);
    wanted = 0;
    MARK_ASKED()
  }
}

// The end of an attempt that did not succeed: an up may have its effect yet (8.3). lib/gate: end_attempt.
inline fail() {
  attempt = false;
  shaking = false;
  if
  :: my_state == IS_UP  // it was only to be renewed
  :: my_state != IS_UP -> my_state = FAILED; wanted = (may_be_up -> DOWN : 0)
  fi
}

// The last reply to request `to` is taken for the one to the request under way, whose end it is (8.3). lib/gate: take_reply,
// take_up_reply, take_renew_reply, take_down_reply.
inline take_last_reply(to) {
  told = replies[to].result;
  known_token = replies[to].token;
  if
  :: told == OK ->
     PROPERTY(3, request[exchange].fate == HAD_EFFECT);
     if
     :: replies[to].sent_true
     :: replies[to].sent_false -> PROPERTY(3, false)
     fi;
     MARKS()
  :: else
  fi;
  if
  :: request[exchange].operation == UP && told == OK -> shaking = true
  :: request[exchange].operation == UP && told != OK -> may_be_up = false; fail()
  :: request[exchange].operation == RENEW && told == NOT_UP -> my_state = GOING_UP; wanted = UP; MARK_NOT_UP()
  :: request[exchange].operation == RENEW && told != NOT_UP -> attempt = false
  :: request[exchange].operation == DOWN ->
     may_be_up = false;
     my_state = (my_state == GOING_DOWN -> IS_DOWN : my_state)
  :: request[exchange].operation == STATUS
  fi;
  told = 0;
  end_exchange()
}

// A STALE or a BUSY that is on the wire tells this token.
#define TOLD(set) \
  if \
  :: set & BIT(OLD) -> known_token = OLD \
  :: set & BIT(CURRENT) -> known_token = CURRENT \
  :: set & BIT(FIRST) -> known_token = FIRST \
  fi

active proctype Initiator() {
end:
  do
  :: atomic {
       CAN_ASK ->
       if
       // a datagram: any that the peer ever sent, but for replies to other requests, which are dropped
#ifdef UNBOUND_REPLIES
#define TAKE_REPLY(to) :: exchange != NONE && replies[to].result != 0 -> take_last_reply(to)
       EACH_SLOT(TAKE_REPLY)
#else
       :: exchange != NONE && replies[exchange].result != 0 -> take_last_reply(exchange)
#endif
       :: exchange != NONE && replies[exchange].stale != 0 ->  // ask again at once
          TOLD(replies[exchange].stale);
          wanted = request[exchange].operation;
          MARK_STALE()
       :: exchange != NONE && replies[exchange].busy != 0 -> TOLD(replies[exchange].busy)  // the exchange goes on

       // commands (lib/gate: up, down, warm_up)
       :: !attempt && my_state == IS_UP -> attempt = true; wanted = RENEW
       :: !attempt && my_state != IS_UP -> attempt = true; my_state = GOING_UP; wanted = UP
       :: my_state != GOING_DOWN && (may_be_up || my_state == IS_UP || my_state == GOING_UP) ->
          attempt = false;
          shaking = false;
          may_be_up = true;
          my_state = GOING_DOWN;
          wanted = DOWN
       :: exchange == NONE -> wanted = STATUS

       // WireGuard shook hands: handshake_seen
       :: shaking -> shaking = false; attempt = false; my_state = IS_UP

       // a command times out, or STALE has come too often, or the peer's own request decides otherwise
       :: attempt -> fail(); end_exchange()
       :: my_state == GOING_DOWN -> my_state = IS_DOWN  // its request goes on being repeated (8.2)

       // a crash; a peer that was installed early (9.1) may be found on the interface
       :: true ->
          my_state = (my_state == IS_UP || my_state == GOING_UP -> IS_UP : IS_DOWN);
          known_token = OLD;
          attempt = false;
          shaking = false;
          may_be_up = false;
          end_exchange()
       fi;
       if :: wanted != 0 -> ask() :: else fi
     }
  od
}
