#include "watch/row_files.h"

#include "model/atomic_file.h"
#include "model/labels.h"
#include "model/owner_only_files.h"

namespace fer {

void write_rows_csv(const std::filesystem::path& file, const WatchRun& run) {
  std::vector<std::string> classes;
  PartReader for_classes;
  for_classes.on_end = [&](const WatchResult&, const std::vector<std::string>& found) {
    if (classes.empty()) classes = found;
  };
  for (auto part = run.parts.begin(); part != run.parts.end() && classes.empty(); ++part)
    for_classes.read(*part);
  const auto columns = row_columns(classes.empty() ? ferplus_labels() : classes);

  const OwnerOnlyFiles meanwhile;
  AtomicFile out(file);
  for (const std::string& column : columns)
    out.append((&column == &columns.front() ? "" : ",") + column);
  out.append("\n");
  PartReader rows;
  rows.on_row = [&](const nlohmann::ordered_json& row) {
    out.append(csv_line(columns, row));
    out.append("\n");
  };
  for (const auto& part : run.parts) rows.read(part);
  out.commit();
}

void write_rows_jsonl(const std::filesystem::path& file, const WatchRun& run) {
  const OwnerOnlyFiles meanwhile;
  AtomicFile out(file);
  PartReader rows;
  rows.on_row_line = [&](const std::string& line) {
    out.append(line);
    out.append("\n");
  };
  for (const auto& part : run.parts) rows.read(part);
  out.commit();
}

}  // namespace fer
