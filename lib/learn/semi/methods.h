// Semi-supervised methods by name: which policies, and what each loss weighs.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "export.h"

namespace fer {

/// Loss: lambda_x · CE of labelled rows + lambda_u · CE of pseudo-labels + lambda_n · negative
/// loss.
struct Method {
  std::string name;
  std::string thresholds;  ///< For make_threshold_policy(); empty: no unlabelled rows at all.
  std::string negatives = "none";  ///< For make_negative_policy().
  double lambda_x = 1, lambda_u = 1, lambda_n = 0;
  double debias = 0;           ///< λ of DebiasPL; 0: pseudo-labels as the teacher has them.
  bool balanced_head = false;  ///< ABC's auxiliary balanced classifier, which is then what is kept.
  /// Cross-fitted heads see the frozen maps, which no label has touched, rather than the network's
  /// own features, which know the labelled rows by heart.
  bool map_heads = false;
  /// Share of the network's own log-probabilities in the pseudo-labels of such heads, in [0, 1].
  double network_share = 0;
  /// Temperature of soft pseudo-labels, which all rows are taught; 0: the likeliest class alone.
  double soften = 0;
};

/// Weight of a negative loss that is asked for where the method has none.
constexpr double kDefaultLambdaN = 0.1;

/// All that there are; docs/reference/training.md says what each is.
FER_API const std::vector<Method>& methods();

/// Throws std::runtime_error that lists the names.
FER_API Method method_named(const std::string& name);

/// {"thresholds", "negatives"}: each policy with all its settings, defaults filled in. Throws
/// std::runtime_error for policies that there are not, or settings out of range.
FER_API nlohmann::json describe_policies(const Method& method, int classes);

/// The policies with the names of their settings, for people: "fixed (tau), flex (tau, window), …".
FER_API std::string threshold_policies_text();
FER_API std::string negative_policies_text();

FER_API void to_json(nlohmann::json& json, const Method& method);

}  // namespace fer
