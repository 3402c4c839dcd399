// enrolments.json.
#include "lib/crypto/invitation.h"
#include "lib/wire/request.h"
#include "tests/support/hex.h"
#include "tests/vectors/vectors.h"

namespace anubis::vectors {
namespace {

Json make_case(std::string_view name, std::string_view secret_text, std::string_view host) {
  const crypto::InvitationSecret secret(secret_of(secret_text));
  const auto production = crypto::ProductionPrivateKey(secret_of(kXenaProduction)).public_key();
  const auto side = crypto::SidePrivateKey(secret_of(kXenaSide)).public_key();
  const auto proof = crypto::prove(secret, {host, production, side});
  const wire::Request request{
      .operation = wire::Operation::kEnrol, .successor = {}, .enrolment = wire::Enrolment{production, side, proof}};
  return {{"name", name},
          {"secret", test::to_hex(secret.view())},
          {"one_time_side_public_key", crypto::derive_side_key(secret).public_key().to_base64()},
          {"one_time_public_key", crypto::derive_production_key(secret).public_key().to_base64()},
          {"proof_public_key", crypto::derive_proof_key(secret).to_base64()},
          {"host", host},
          {"public_key", production.to_base64()},
          {"side_public_key", side.to_base64()},
          {"proof", test::to_hex(proof)},
          {"payload", test::to_hex(wire::create_request(request))}};
}

}  // namespace

Json make_enrolments() {
  constexpr std::string_view kSecret = "TEST ONLY invitation secret 0001";
  constexpr std::string_view kOther = "TEST ONLY invitation secret 0002";
  constexpr std::string_view kLongest = "a-name-of-63-letters-which-is-as-long-as-a-name-of-a-host-can-b";
  return {{"section", "13"},
          {"enrolments",
           {make_case("xena", kSecret, "xena"), make_case("under another name", kSecret, "petra"),
            make_case("by another invitation", kOther, "xena"), make_case("the longest name", kSecret, kLongest)}}};
}

}  // namespace anubis::vectors
