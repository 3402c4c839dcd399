// The session's preshared key (docs/protocol.md, 9.4): two ends, each of which may ask for up, renew and down at any time, with
// crashes, lost and delayed messages, and both asking at once. `run` checks it and its variants; docs/model.md tells.
//
// Abstractions
//   the exchange    What exchange.pml shows is taken for granted: a request is accepted once at most, and only as long as
//                   nothing has happened to the session at the responder since its token was told. In front of a
//                   responder there are the request under way and one older one that still has the current token.
//   keys            Numbers; a fresh one is one that stands nowhere. There are more of them than places.
//   carrying out    In one step with accepting. A session that is going down counts as down.
//   a reply         Any time after it was sent, or never. Asked again after STALE (8.3) once the responder has dropped it.
//   time            None. Whatever may time out may do so at any moment; nothing is bounded in number.
//
// Property: when the session is up at both ends, neither has a request under way, and no request that is left on the
// wire can be accepted any more, both have the same key.
//
// Variants, by -D: each leaves out one rule and has to violate the property.
//   GIVEN_UP_IS_FORGOTTEN  a renew whose command is given up is not repeated
//   CRASH_IS_FORGOTTEN     a renew that was under way at a crash is not sent anew
//   EACH_KEEPS_ITS_OWN     when both ask at once, each keeps its own key
//   UP_IS_FORGOTTEN        nor one for a session that was going up at a crash and is adopted
//   REFUSAL_ENDS_IT        a renew of which nobody waits for the end ends with a refusal, though the peer was told to have its key
//   FIRST_ANSWER_COUNTS    the answer with one's own key is believed though the peer's key was taken since
mtype:operation = { UP, RENEW, DOWN };
mtype:session = { IS_DOWN, GOING_UP, IS_UP };
#define KEYS 12
#define NOT_UP 255  // in place of a key's id
#define DONE 254    // OK to a down

// An end. "Its" request is the one that it makes; those of the other end are judged here.
typedef End {
  mtype:session state;
  byte installed;            // the key of the peer on WireGuard's interface; 0: no peer. Outlives a crash
  bool routed;               // it has its routes, too: the next process adopts it
  byte session_key;          // as lib/gate: Session::preshared_key; 0: none, or not known
  bool attempt;              // a command up is waiting, or one that renews
  bool shaking;
  mtype:operation exchange;  // its request under way; 0: none
  byte sent_key;
  bool overruled;            // the peer's key was taken since
  bool is_current;           // its token is the peer's
  bool is_kept;              // it is the peer's last request: a repetition gets the last reply
  byte reply;                // on the wire; 0: none
  mtype:operation old;       // an older request of its whose token is current, too; 0: none
  byte old_key;
};
End ends[2];
byte key = 0;  // within one step

#define E ends[h]
#define P ends[1 - h]

inline draw() {
  key = 1;
  do
  :: key == ends[0].installed || key == ends[0].session_key || key == ends[0].sent_key || key == ends[0].reply ||
     key == ends[0].old_key || key == ends[1].installed || key == ends[1].session_key || key == ends[1].sent_key ||
     key == ends[1].reply || key == ends[1].old_key -> key++
  :: else -> break
  od;
  assert(key <= KEYS)
}

// The responder's half of this end has a new token (7.1).
inline void_token() {
  P.is_current = false;
  P.is_kept = false;
  P.old = 0;
  P.old_key = 0
}

// The request under way is given up; it may be on the wire yet.
inline abandon() {
  if
  :: E.exchange != 0 && E.is_current -> E.old = E.exchange; E.old_key = E.sent_key
  :: E.exchange != 0 && E.is_current && E.old != 0  // of two that can be accepted, the older one arrives
  :: else
  fi;
  end_exchange()
}

inline end_exchange() {
  E.exchange = 0;
  E.sent_key = 0;
  E.overruled = false;
  E.is_current = false;
  E.is_kept = false;
  E.reply = 0
}

inline ask(operation, with_key) {
  E.sent_key = with_key;
  E.exchange = operation;
  E.overruled = false;
  E.is_kept = false;
  E.reply = 0;
  if :: E.is_current = true :: E.is_current = false fi  // the peer's token is known, or not
}

// STALE, or an answer that does not count: the same again (lib/gate: key_to_send).
inline ask_again() {
  key = (E.overruled -> E.session_key : E.sent_key);
  ask(E.exchange, key);
  E.is_current = true
}

inline gone() {
  E.attempt = false;
  E.shaking = false;
  E.installed = 0;
  E.routed = false;
  E.session_key = 0;
  E.state = IS_DOWN
}

inline begin_up() {
  abandon();
  void_token();
  E.state = GOING_UP;
  E.attempt = true;
  draw();
  ask(UP, key)
}

// lib/gate: take_up_reply, take_renew_reply, take_key.
inline take_reply() {
  if
  :: E.exchange == DOWN -> end_exchange()
  :: E.exchange != DOWN && E.reply == NOT_UP ->
     if
     :: E.attempt -> begin_up()
#ifndef REFUSAL_ENDS_IT
     :: !E.attempt && E.state == IS_UP && E.session_key == E.sent_key -> E.reply = 0  // we answered with this id: as BUSY
#endif
     :: else -> end_exchange()
     fi
#ifndef FIRST_ANSWER_COUNTS
  :: E.exchange != DOWN && E.reply != NOT_UP && E.overruled && E.reply == E.sent_key -> ask_again()
#endif
  :: else ->
     if
     :: E.reply == E.sent_key -> E.session_key = E.sent_key; E.installed = E.sent_key
     :: E.reply != E.sent_key && E.reply == E.session_key -> E.installed = E.session_key
     :: else ->  // the peer's own, which its request, on its way, will bring
        if :: E.exchange == UP && !E.overruled -> E.installed = E.sent_key :: else fi
     fi;
     if
     :: E.exchange == UP -> E.shaking = true; E.routed = true
     :: E.exchange == RENEW -> E.attempt = false
     fi;
     end_exchange()
  fi
}

// lib/gate: settle_key. key is that of the peer's request.
inline settle(operation) {
  E.session_key = key;
  if
#ifndef EACH_KEEPS_ITS_OWN
  :: E.exchange == operation && h == 0 -> E.session_key = E.sent_key  // ours is the lower production key
#else
  :: E.exchange == operation -> E.session_key = E.sent_key
#endif
  :: else ->
     if :: E.exchange == UP || E.exchange == RENEW -> E.overruled = true :: else fi
  fi;
  E.installed = E.session_key;
  E.routed = true
}

// The peer's request is accepted (7.3); answer is what it gets.
inline accept(operation) {
  if
  :: operation == UP ->
     if :: !E.attempt && E.exchange == DOWN -> abandon() :: else fi;
     settle(UP);
     if :: !E.attempt -> E.state = IS_UP :: else fi;
     answer = E.session_key
  :: operation == RENEW && E.state == IS_UP -> settle(RENEW); answer = E.session_key
  :: operation == RENEW && E.state != IS_UP -> answer = NOT_UP
  :: operation == DOWN ->
     answer = DONE;
     if
     :: E.exchange == DOWN -> gone()
     :: E.exchange != DOWN && E.state == GOING_UP -> abandon(); gone(); ask(DOWN, 0)
     :: E.exchange != DOWN && E.state != GOING_UP -> abandon(); gone()
     fi
  fi
}

proctype Side(byte h) {
  byte answer = 0;
  mtype:operation asked = 0;
end:
  do
  :: atomic {
       if
       // commands, leases, timeouts
       :: E.state == IS_DOWN && !E.attempt -> begin_up()
       :: E.state == IS_UP && !E.attempt ->
          E.attempt = true;
          if
          :: E.exchange == RENEW -> ask_again()
          :: else -> abandon(); draw(); ask(RENEW, key)
          fi
       :: E.state != IS_DOWN -> abandon(); void_token(); gone(); ask(DOWN, 0)  // the user types down; or an up has failed
       :: E.state == IS_UP && !E.attempt -> abandon(); void_token(); gone()     // the lease ran out
       :: E.state == IS_UP && E.attempt ->  // a renewal is given up
          E.attempt = false;
#ifdef GIVEN_UP_IS_FORGOTTEN
          abandon();
#endif
       // 9.1: the peer is installed behind the request
       :: E.state == GOING_UP && E.exchange == UP ->
          E.installed = (E.overruled -> E.session_key : E.sent_key);
          E.routed = false
       // WireGuard's handshake, which needs the same key at both ends
       :: E.shaking && E.installed != 0 && E.installed == P.installed ->
          void_token();
          E.shaking = false;
          E.attempt = false;
          E.state = IS_UP
       // messages
       :: E.exchange != 0 && E.reply != 0 -> take_reply()
       :: E.exchange != 0 && !E.is_current && !E.is_kept -> ask_again()  // STALE
       :: P.exchange != 0 && P.is_current ->
          asked = P.exchange;
          key = P.sent_key;
          void_token();
          accept(asked);
          P.is_kept = true;
          P.reply = answer
       :: P.old != 0 -> asked = P.old; key = P.old_key; void_token(); accept(asked)
       // a crash: what stands on the interface is adopted, but for what was installed early
       :: true ->
          asked = (E.state == IS_UP && E.exchange == RENEW -> RENEW : 0);
          abandon();
          void_token();
          E.attempt = false;
          E.shaking = false;
          E.session_key = 0;
          if
          :: E.state == IS_UP
          :: E.state == GOING_UP && E.routed ->
             E.state = IS_UP;
#ifndef UP_IS_FORGOTTEN
             asked = RENEW
#endif
          :: E.state != IS_UP && !E.routed -> E.state = IS_DOWN; E.installed = 0; E.routed = false
          fi;
#ifndef CRASH_IS_FORGOTTEN
          if :: asked == RENEW -> draw(); ask(RENEW, key) :: else fi
#endif
       fi;
       key = 0;
       answer = 0;
       asked = 0;
       assert(!(ends[0].state == IS_UP && ends[1].state == IS_UP && ends[0].exchange == 0 && ends[1].exchange == 0 &&
                ends[0].old == 0 && ends[1].old == 0) || ends[0].installed == ends[1].installed)
     }
  od
}

init {
  atomic {
    ends[0].state = IS_DOWN;
    ends[1].state = IS_DOWN;
    run Side(0);
    run Side(1)
  }
}
