// Named steps: the places at which the tests kill anubisd or anubis-netd, to see that whatever one of them left half
// done, the next start puts right. Only in builds with the option ANUBIS_STEPS; in others step() is nothing.
//
// The environment variable ANUBIS_STEPS names a file, which is read whenever a step is passed, so that a test can
// change its mind while the programs run:
//
//   tell            each step that is passed is told on standard error: "step NAME"
//   kill NAME [N]   the Nth time from now (1) that this step is passed, the process that passes it kills itself
//
// A file that is absent, empty or says anything else: nothing happens. One thread passes steps, that of main().
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace anubis::base {

inline constexpr std::array<std::string_view, 49> kSteps = {
    // anubisd
    "command.begun",       // the user's command is known, nothing has been done for it
    "endpoint.found",      // where the peer is
    "install.begun",       // the gate wants a peer installed
    "install.done",        // it is, and the gate does not know it yet
    "remove.begun",        // the gate wants a peer removed
    "remove.done",         // it is, and the gate does not know it yet
    "handshake.seen",      // and the gate does not know it yet
    "datagram.received",   // and the gate does not know it yet
    "datagram.handled",    // all is done that it made the gate want, but nothing is sent yet
    "datagrams.sent",      // requests, replies
    "session.changed",     // a session is in another state, and nobody has been told
    "session.remembered",  // the next anubisd will find it
    "memory.appended",     // a change is in the file of sessions
    "memory.written",      // the file as a whole is complete, beside the old one
    "memory.replaced",     // and has taken its place
    "command.finished",    // the user has not been told yet
    "netd.asked",          // anubis-netd has something to do, and its answer has not come
    "start.interfaces",    // both interfaces are up
    "start.adopted",       // the gate knows of the sessions that were up before
    "start.listening",     // to the other hosts, but not yet to users
    "stop.begun",          // the peers are being told
    "stop.told",           // all were told, or the time is over
    "stop.torn-down",      // nothing is left but the process
    // anubis-netd
    "link.created",         // and is not known as ours yet, where it is not the kernel that does WireGuard
    "link.ours",            // it is
    "link.configured",      // it has its key and its listen port
    "link.up",              // it has no addresses
    "link.address",         // one more was added
    "link.removed",         // the program that served it may still run
    "policy.rule",          // one was added or removed
    "policy.throws",        // all have been added, but none of the rules
    "production.peer",      // a peer was added or changed, its routes are as before
    "production.routes",    // and these are right now
    "production.undone",    // of an installation that failed the routes are gone again, but not the peer
    "production.unrouted",  // a peer that is to be removed has lost its routes
    "production.removed",   // and is gone
    "production.shares",    // allowed IPs went from one session to another
    "production.adopted",   // what was left half done is gone, but for its routes
    "production.orphans",   // routes without a peer are gone
    "production.restored",  // routes that were missing are back
    "production.flushed",   // all routes are gone, all peers there
    "side.peers-removed",   // those that are no longer authorised
    "side.peers-set",       // but not yet routed
    "side.routed",          // the side interface is complete
    "side.flushed",         // its routes are gone, its peers there
    "firewall.applied",     // all of it, with what an earlier process let in
    "firewall.followed",    // it lets in what the peers that are up may send, and nothing else
    "firewall.removed",     // nothing else of ours is left
    "network.changed",      // a batch of links, addresses, routes or rules was taken by the kernel
};

class StepName {
 public:
  // Does not compile with a name that is not in kSteps.
  consteval StepName(const char* name) : name_(name) {  // NOLINT(google-explicit-constructor): reads step("x.y")
    if (std::ranges::find(kSteps, name_) == kSteps.end()) throw "not in kSteps";
  }
  [[nodiscard]] constexpr std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

#ifdef ANUBIS_STEPS
void step(StepName passed);
#else
inline void step(StepName /*passed*/) {}
#endif

// What `--version` adds: the names of the steps in a build that has them.
[[nodiscard]] std::string steps_in_version();

}  // namespace anubis::base
