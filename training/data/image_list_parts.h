// What the readers of all kinds of datasets share.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "data/image_list.h"

namespace fer {

/// Keeps these labels only, in their order. No entry may have another one.
void keep_labels(ImageList& list, const std::set<int>& kept);

/// Keeps the labels that some entry has.
void keep_occurring(ImageList& list);

/// For lists that name one label an image.
void one_vote_each(ImageList& list);

/// The place of the label among the labels; -1 where it is none of them.
int index_of(const std::vector<std::string>& labels, const std::optional<std::string>& label);

/// The columns of a CSV that count votes for expressions, one column an expression.
class VoteColumns {
 public:
  /// Finds them by the usual names of expressions. `unknown`, `not_face` and `NF` compete for the
  /// majority. A single column that is called after an expression is no ballot.
  explicit VoteColumns(const std::vector<std::string>& header);

  bool empty() const { return votes_.empty(); }
  /// The labels that have a column, as indices into ferplus_labels().
  std::set<int> labels() const;
  /// Adds a record's votes to the entry's, which has one for each of ferplus_labels(), and sets its
  /// label to the one majority. `where` begins the std::runtime_error for what is no count.
  void read(const std::vector<std::string>& fields, const std::string& where,
            ImageEntry& entry) const;

 private:
  const std::vector<std::string> header_;
  std::map<int, int> votes_;  ///< Column → label of ferplus_labels().
  std::vector<int> others_;   ///< Compete for the majority, but are no expression.
};

}  // namespace fer
