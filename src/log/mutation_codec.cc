// Mutations as bodies (log/body.h, log/codec.h).
//
//   payload = action base ops
//   action  = id name:text arg:text at:f64le
//   base    = varint *(realm revision:varint)
//   ops     = varint *op                        (log/op_codec.h)
#include <utility>

#include "log/codec.h"
#include "log/op_codec.h"

namespace skerry {

std::string EncodeMutation(const Schema& schema, const Mutation& mutation) {
  BodyWriter out(schema);
  out.PutId(mutation.action.id);
  PutText(out.payload(), mutation.action.name);
  PutText(out.payload(), mutation.action.arg);
  PutF64(out.payload(), mutation.action.at);
  PutVarint(out.payload(), mutation.base.size());
  for (const auto& [realm, revision] : mutation.base) {
    out.PutRealm(realm);
    PutVarint(out.payload(), revision);
  }
  EncodeOps(mutation.ops, &out);
  return out.Finish(BodyKind::kMutation);
}

namespace {

Result<Mutation> Decode(const Schema& schema, std::string_view bytes, UnfitPolicy unfit,
                        Status* left_out) {
  Result<BodyReader> opened = BodyReader::Open(schema, BodyKind::kMutation, bytes);
  if (!opened.ok()) return opened.status();
  BodyReader& in = opened.value();
  Mutation mutation;
  mutation.action.id = in.TakeId();
  mutation.action.name = in.TakeText();
  mutation.action.arg = in.TakeText();
  mutation.action.at = in.in().F64();
  const uint64_t realms = in.TakeCount();
  for (uint64_t i = 0; i < realms && in.ok(); ++i) {
    std::string realm = in.TakeRealm();
    mutation.base.emplace_back(std::move(realm), in.in().Varint());
  }
  mutation.ops = DecodeOps(unfit, &in);
  SKERRY_RETURN_IF_ERROR(in.Finish());
  if (left_out != nullptr) *left_out = in.why_left_out();
  return mutation;
}

}  // namespace

Result<Mutation> DecodeMutation(const Schema& schema, std::string_view bytes, Status* left_out) {
  return Decode(schema, bytes, UnfitPolicy::kLeftOut, left_out);
}

Result<Mutation> DecodeMutationAsItIs(const Schema& schema, std::string_view bytes, Schema* names) {
  Result<Schema> named = BodyReader::NamesOf(schema, BodyKind::kMutation, bytes);
  if (!named.ok()) return named.status();
  *names = std::move(named.value());
  return Decode(*names, bytes, UnfitPolicy::kAsItIs, nullptr);
}

}  // namespace skerry
