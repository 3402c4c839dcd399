#include "lib/gate/action.h"

namespace anubis::gate {

const char* name_of(SessionState state) {
  switch (state) {
    case SessionState::kDown:
      return "down";
    case SessionState::kGoingUp:
      return "going-up";
    case SessionState::kUp:
      return "up";
    case SessionState::kGoingDown:
      return "going-down";
    case SessionState::kFailed:
      return "failed";
  }
  return "unknown";
}

}  // namespace anubis::gate
